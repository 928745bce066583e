"""The market process: what makes it look like a market, and that it can be repeated."""

from __future__ import annotations

from statistics import mean, median, pvariance

import pytest

from mdplatform.simulator.engine.events import Change, Event, Trade
from mdplatform.simulator.engine.instruments import ASSETS, Instrument, Lattice
from mdplatform.simulator.engine.market import Market, level_checksum
from mdplatform.simulator.engine.prices import Drift
from mdplatform.simulator.venues.binance.spot import ENGINES

SECOND = 1_000_000_000


def binance_instrument(base: str) -> Instrument:
    (instrument,) = ENGINES[0].lists(ASSETS[base], 0)
    return instrument


def make(base: str = "BTC", seed: str = "7", rate: float = 100.0, start_ns: int = 0) -> Market:
    instrument = binance_instrument(base)
    drift = Drift(seed, instrument.asset.sigma, start_ns)
    return Market(seed, instrument, drift, start_ns, rate=rate, levels=3_000)


def play(market: Market, seconds: int, steps: int = 10) -> list[Event]:
    return [event for step in range(1, seconds * steps + 1) for event in market.advance(step * SECOND // steps)]


def test_same_seed_gives_the_same_events() -> None:
    assert play(make(), 20) == play(make(), 20)


def test_another_seed_gives_other_events() -> None:
    assert play(make(seed="7"), 5) != play(make(seed="8"), 5)


def test_the_steps_of_time_do_not_change_what_happens() -> None:
    assert play(make(), 20, steps=1) == play(make(), 20, steps=50)


def test_books_hold_thousands_of_levels() -> None:
    market = make()
    play(market, 60)
    assert 2_500 < len(market.bids) < 3_500
    assert 2_500 < len(market.asks) < 3_500


@pytest.mark.parametrize("base", ASSETS)
def test_spreads_are_a_few_ticks(base: str) -> None:
    market = make(base)
    spreads = []
    for step in range(1, 600):
        market.advance(step * SECOND // 10)
        quote = market.quote(0)
        spreads.append(quote.ask - quote.bid)
    assert min(spreads) >= 1
    assert 1 <= median(spreads) <= 5


@pytest.mark.parametrize("base", ["BTC", "SOL", "ADA"])
def test_the_shape_of_the_book_lasts(base: str) -> None:
    """After half an hour both sides are as deep as at the start, and so is the region near the touch."""
    market = make(base)
    count, near = len(market.bids), market.bids.best - market.bids.tick(50)
    for second in range(1, 1_800):
        market.advance(second * SECOND)
    for side in (market.bids, market.asks):
        assert 0.8 * count < len(side) < 1.2 * count
        assert abs(side.best - side.tick(50)) < 10 * near


def test_arrivals_come_in_clusters() -> None:
    """Counts a second vary far more than those of a Poisson process, whose variance is their mean."""
    counts = [0] * 300
    for event in play(make(), 300):
        if isinstance(event, Change):
            counts[min(event.ns // SECOND, 299)] += 1
    assert pvariance(counts) > 3 * mean(counts)


def test_the_rate_is_level_changes_a_second() -> None:
    changes = [event for event in play(make(rate=200.0), 120) if isinstance(event, Change)]
    assert 140 < len(changes) / 120 < 260


def test_update_ids_have_no_holes() -> None:
    ids = [event.update_id for event in play(make(), 20) if isinstance(event, Change)]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_trade_ids_are_consecutive() -> None:
    ids = [event.trade_id for event in play(make(), 60) if isinstance(event, Trade)]
    assert len(ids) > 100
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_a_market_started_again_gives_larger_ids_only() -> None:
    start_ns = 1_790_000_000 * SECOND
    first, again = make(rate=1_000.0, start_ns=start_ns), make(rate=1_000.0, start_ns=start_ns + SECOND // 2)
    before = first.update_id, first.trade_id, first.order_id
    first.advance(start_ns + 20 * SECOND)
    ids = [(first.update_id, again.update_id), (first.trade_id, again.trade_id), (first.order_id, again.order_id)]
    assert (first.update_id, first.trade_id, first.order_id) > before
    assert all(last < following < 2**53 for last, following in ids)


def test_trades_take_exactly_what_the_touch_loses() -> None:
    """Replayed on a copy of the book: each trade is at the best price and the next change is what it leaves."""
    market = make()
    sides = {True: dict(market.bids.lots), False: dict(market.asks.lots)}
    taken = 0
    for event in play(market, 30):
        if isinstance(event, Trade):
            side = sides[not event.taker_buys]
            assert event.tick == (min(side) if event.taker_buys else max(side))
            taken += event.lots
        elif isinstance(event, Change):
            before = sides[event.is_bid].pop(event.tick, 0)
            assert not taken or before - event.lots == taken
            taken = 0
            if event.lots:
                sides[event.is_bid][event.tick] = event.lots


def test_the_book_is_never_crossed() -> None:
    market = make()
    for event in play(market, 60):
        if hasattr(event, "ask"):
            assert event.bid < event.ask


def test_the_running_checksum_is_that_of_the_whole_book() -> None:
    market = make("ETH")
    play(market, 30)
    total = 0
    for is_bid, side in ((True, market.bids), (False, market.asks)):
        for tick, lots in side.lots.items():
            total ^= level_checksum(is_bid, tick, lots)
    assert total == market.checksum


def test_prices_of_two_venues_stay_close() -> None:
    drift = Drift("x", ASSETS["BTC"].sigma, 0)
    markets = [Market(seed, binance_instrument("BTC"), drift, 0, rate=100.0, levels=500) for seed in ("a", "b")]
    for step in range(1, 600):
        for market in markets:
            market.advance(step * SECOND // 10)
        one, other = (market.quote(0).bid for market in markets)
        assert abs(one - other) < one * 3e-4


@pytest.mark.parametrize(
    ("lattice", "units", "text"),
    [
        (Lattice(2, 8), 6_890_012, "68900.12000000"),
        (Lattice(0, 8), 12, "12.00000000"),
        (Lattice(0, 0), 12, "12"),
        (Lattice(5, 5), 16_240, "0.16240"),
        (Lattice(8, 8), 1, "0.00000001"),
    ],
)
def test_whole_numbers_are_written_as_the_venue_writes_decimals(lattice: Lattice, units: int, text: str) -> None:
    assert lattice.text(units) == text
