"""What derivatives add to the market process: premium, mark price, funding, liquidations, planted events, sleep."""

from __future__ import annotations

from datetime import date

import pytest

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Event, Liquidation, Trade
from mdplatform.simulator.engine.instruments import ASSETS, Instrument, Lattice, expires_ms, quarters
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.engine.market_runner import MarketRunner
from mdplatform.simulator.engine.prices import Drift, Premium

SECOND = 1_000_000_000
START = 1_780_000_000 * SECOND
HOUR = 3_600 * SECOND

INVERSE = Instrument(
    ASSETS["BTC"],
    "BTCUSD_PERP",
    "USD",
    Lattice(1, 1),
    Lattice(0, 0),
    kind=Kind.PERPETUAL,
    contract_size="100",
    inverse=True,
)


def make(instrument: Instrument = INVERSE, seed: str = "7", calm: float = 1.0) -> tuple[Market, Drift]:
    drift = Drift(seed, instrument.asset.sigma * calm, START)
    premium = None if instrument.kind == Kind.SPOT else Premium(seed, START)
    return Market(seed, instrument, drift, START, rate=100.0, levels=1_000, premium=premium), drift


def volume(events: list[Event]) -> int:
    return sum(event.lots for event in events if isinstance(event, Trade))


def test_orders_of_contracts_are_worth_as_much_as_those_of_coins() -> None:
    coins = INVERSE.order_lots * 100 / INVERSE.asset.price
    assert coins == pytest.approx(INVERSE.asset.order)


def test_a_perpetual_stays_near_spot() -> None:
    market, drift = make()
    for now in range(START, START + 300 * SECOND, 10 * SECOND):
        market.advance(now)
        spot = INVERSE.start_tick * drift.at(now)
        assert abs(market.quote(0).bid - spot) < 3e-3 * spot


def test_a_dated_contract_costs_its_carry() -> None:
    dated = Instrument(
        ASSETS["BTC"], "BTCUSD_261225", "USD", Lattice(1, 1), Lattice(0, 0), kind=Kind.FUTURE, expiry="20261225"
    )
    market, _ = make(dated)
    mark = market.mark(START)
    years = (expires_ms("20261225") - START // 10**6) / 1000 / 86_400 / 365
    assert mark.mark_price / mark.index_price - 1 == pytest.approx(0.04 * years, abs=1e-3)
    assert mark.funding_rate == mark.next_funding_ns == 0


def test_funding_is_paid_at_every_eighth_hour() -> None:
    market, _ = make()
    for ns in (START, START + HOUR, START + 8 * HOUR):
        next_ns = market.mark(ns).next_funding_ns
        assert next_ns % (8 * HOUR) == 0
        assert 0 < next_ns - ns <= 8 * HOUR


def test_liquidations_sum_the_forced_trades_before_them() -> None:
    market, _ = make()
    market.liquidate(20, None)
    lots, cost, seen = 0, 0, 0
    for event in market.advance(START + 30 * SECOND):
        if isinstance(event, Trade) and event.forced:
            lots, cost = lots + event.lots, cost + event.lots * event.tick
        elif isinstance(event, Liquidation):
            assert (event.lots, event.average) == (lots, pytest.approx(cost / lots))
            lots, cost, seen = 0, 0, seen + 1
    assert seen >= 20


def test_a_liquidation_takes_the_side_that_is_asked_for() -> None:
    market, _ = make()
    market.liquidate(3, buys=False)
    events = market.advance(START + SECOND)
    assert [event.buys for event in events if isinstance(event, Liquidation)] == [False] * 3
    assert not any(event.taker_buys for event in events if isinstance(event, Trade) and event.forced)


def test_liquidations_are_rare_in_calm_and_come_in_clusters_with_a_jump() -> None:
    market, drift = make()
    calm = [event for event in market.advance(START + 120 * SECOND) if isinstance(event, Liquidation)]
    drift.jump(0.99, START + 120 * SECOND)
    after = [event for event in market.advance(START + 180 * SECOND) if isinstance(event, Liquidation)]
    assert len(calm) < 10
    assert len(after) > 20
    assert sum(not event.buys for event in after) > 0.7 * len(after)


def test_spot_markets_liquidate_nobody() -> None:
    market, drift = make(Instrument(ASSETS["BTC"], "BTCUSDT", "USDT", Lattice(2, 2), Lattice(5, 5)))
    drift.jump(0.98, START)
    assert not any(isinstance(event, Liquidation) for event in market.advance(START + 60 * SECOND))


def test_the_book_is_at_the_new_price_within_a_second_of_a_jump() -> None:
    market, drift = make()
    market.advance(START + 10 * SECOND)
    before = market.quote(0).bid
    drift.jump(1.008, START + 10 * SECOND)
    market.advance(START + 11 * SECOND)
    assert market.quote(0).bid == pytest.approx(before * 1.008, rel=5e-4)


def test_a_market_alone_can_move() -> None:
    market, _ = make()
    market.advance(START + 10 * SECOND)
    before = market.quote(0).bid
    market.move(1.003)
    market.advance(START + 12 * SECOND)
    assert market.quote(0).bid == pytest.approx(before * 1.003, rel=5e-4)


def test_a_surge_multiplies_the_volume_on_its_side() -> None:
    (plain, _), (surging, _) = make(), make()
    surging.surge(10.0, True, START + 60 * SECOND)
    usual, events = plain.advance(START + 60 * SECOND), surging.advance(START + 60 * SECOND)
    assert 4 * volume(usual) < volume(events) < 25 * volume(usual)
    assert sum(event.lots for event in events if isinstance(event, Trade) and event.taker_buys) > 0.8 * volume(events)


def test_planted_events_are_the_same_for_the_same_seed() -> None:
    def play() -> list[Event]:
        market, drift = make()
        drift.jump(1.01, START)
        market.liquidate(3, None)
        market.surge(5.0, None, START + 5 * SECOND)
        return market.advance(START + 20 * SECOND)

    assert play() == play()


def test_a_market_that_slept_goes_on_at_the_price_of_the_present() -> None:
    market, drift = make()
    floor = MarketRunner(market, START)
    floor.catch_up(START + 5 * SECOND)
    last = market.update_id
    drift.jump(1.05, START + 60 * SECOND)
    floor.catch_up(START + HOUR)
    spot = INVERSE.start_tick * drift.at(START + HOUR)
    assert market.quote(0).bid == pytest.approx(spot, rel=3e-3)
    assert last < market.update_id < last + 20_000


@pytest.mark.parametrize(
    ("today", "expiries"),
    [
        ("2026-11-21", [date(2026, 12, 25), date(2027, 3, 26)]),
        ("2026-12-25", [date(2027, 3, 26), date(2027, 6, 25)]),
        ("2027-03-01", [date(2027, 3, 26), date(2027, 6, 25)]),
    ],
)
def test_quarters_end_on_their_last_friday(today: str, expiries: list[date]) -> None:
    assert quarters(expires_ms(today.replace("-", "")) * 10**6) == expiries


@pytest.mark.parametrize(("units", "text"), [(137_801, "68900.5"), (2, "1.0")])
def test_a_lattice_may_step_by_a_multiple(units: int, text: str) -> None:
    assert Lattice(1, 1, 5).text(units) == text
