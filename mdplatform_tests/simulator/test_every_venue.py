"""What a simulated venue and the real collector on it must do together: one suite, a row a venue.

What only one venue does, or does in its own manner, stands in its own file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from mdplatform.recordings.tape import tape_line
from mdplatform.simulator.engine.instruments import assets_of
from mdplatform_tests.collector.rig import broken_links, order
from mdplatform_tests.simulator.rig import collected, true_books
from mdplatform_tests.simulator.tape import generate
from mdplatform_tests.venues.replaying import intervals, of, replay

START_NS = 1_780_000_000_000_000_000
THREE = ("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")
KRAKENS = ("BTC-USD", "ETH-USD", "BTC-USD-PERP", "ETH-USD-PERP")
GATES = ("BTC-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP", "BTC-USD-PERP")
KUCOINS = ("BTC-USDT", "ETH-USDT", "BTC-USDT-PERP", "BTC-USD-PERP")


class Recorded(NamedTuple):
    """What ten seconds of a venue hold: symbols with a book, states of books, and the least number of other events."""

    venue: str
    assets: list[str]
    symbols: set[str]
    states: set[str]
    least: Mapping[str, int]


RECORDED = (
    Recorded(
        "bitget",
        ["BTC"],
        {"BTC-USDT", "BTC-USDT-PERP", "BTC-USDC-PERP", "BTC-USD-PERP", "BTC-USD-20260626"},
        {"valid"},
        {"quote": 200, "funding": 20},
    ),
    Recorded(
        "cryptocom",
        ["BTC", "ETH"],
        {f"{base}-{ending}" for base in ("BTC", "ETH") for ending in ("USD", "USDT", "USD-PERP", "USD-20260626")},
        {"valid"},
        {"quote": 200, "funding": 20},
    ),
    Recorded(
        "gate",
        ["BTC", "ETH"],
        {f"{base}-USDT{ending}" for base in ("BTC", "ETH") for ending in ("", "-PERP", "-20260626")}
        | {"BTC-USD-PERP", "BTC-USD1-PERP"},
        {"resync", "valid"},
        {"quote": 200, "funding": 20},
    ),
    Recorded("kraken", ["BTC", "ETH"], {*KRAKENS, "BTC-USD-20260626"}, {"valid"}, {"quote": 100, "funding": 20}),
    Recorded(
        "kucoin",
        ["BTC", "ETH"],
        {*KUCOINS, "ETH-USDT-PERP", "BTC-USD-20260626"},
        {"resync", "valid"},
        {"quote": 200, "funding": 20},
    ),
    Recorded(
        "okx",
        ["BTC"],
        {*THREE, "BTC-USD-20260626", "BTC-USD-20260925", "BTC-USD_UM_XPERP-20310404"},
        {"valid"},
        {"quote": 200, "book": 200},
    ),
)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.venue)
def test_a_simulated_recording_reads_without_a_gap(case: Recorded) -> None:
    lines = [tape_line(ns, frame) for ns, frame in generate(case.venue, case.assets, START_NS, 10)]
    messages, summary = replay(case.venue, lines)
    assert not summary.dead_letters
    assert {message["symbol"] for message in of(messages, "book")} == case.symbols
    assert {state for state, _, _ in intervals(messages, "book")} == case.states
    assert "gap" not in {state for state, _, _ in intervals(messages, "trades")}
    assert all(summary.events[event] > least for event, least in case.least.items())


@pytest.mark.parametrize(
    ("venue", "symbol"),
    [("bitget", "BTC-USDT-PERP"), ("gate", "BTC-USD-PERP"), ("kraken", "BTC-USD-PERP"), ("okx", "BTC-USD-PERP")],
)
def test_open_interest_of_each_kind_of_contract_is_in_base_units(venue: str, symbol: str) -> None:
    lines = [tape_line(ns, frame) for ns, frame in generate(venue, ["BTC"], START_NS, 7)]
    messages, summary = replay(venue, lines)
    assert not summary.dead_letters
    rows = of(messages, "open_interest")
    assert symbol in {row["symbol"] for row in rows}
    once = 5_000 * assets_of(["BTC"])["BTC"].order
    assert all(once * 0.9 < row["open_interest"] < once * 1.3 for row in rows), rows


@pytest.mark.parametrize(
    ("venue", "symbols", "factors"),
    [
        ("bitget", THREE, {}),  # sizes are in base units already
        ("gate", GATES, {"BTC-USDT-PERP": 0.0001, "BTC-USD-PERP": 1}),
        ("kucoin", KUCOINS, {"BTC-USDT-PERP": 0.001, "BTC-USD-PERP": 1}),
        ("okx", THREE, {"BTC-USDT-PERP": 0.01, "BTC-USD-PERP": 100}),
    ],
)
async def test_collected_books_are_the_simulators_truth_in_base_units(
    venue: str, symbols: tuple[str, ...], factors: Mapping[str, float]
) -> None:
    async with collected(venue=venue, symbols=symbols) as (sim, collector):
        await collector.until_valid(times=len(symbols))
        await collector.until(lambda: len(collector.books(venue)) > 200)
        assert await true_books(sim, collector, venue) > 30
        last = {row["symbol"]: row for row in collector.books(venue)}
        for symbol, factor in factors.items():
            price = last[symbol]["b"][0] if symbol.startswith("BTC-USD-") else 1  # inverse: the contract is in quote
            assert last[symbol]["bv"][0] == pytest.approx(last[symbol]["raw_bv"][0] * factor / price)
        assert set(last) == set(symbols)
        assert not collector.rows("md.dead_letter")


@pytest.mark.parametrize(
    ("venue", "channels", "symbols", "skipped", "symbol", "missed"),
    [
        ("bitget", ("book", "trades"), THREE, "BTCUSD_CM", "BTC-USD-PERP", None),
        ("bybit", ("book",), ("BTC-USDT", "BTC-USD-PERP"), "BTCUSD", "BTC-USD-PERP", 5),
        ("gate", ("book", "trades"), GATES, "BTC_USD", "BTC-USD-PERP", 5),
        ("kraken", ("book", "trade"), KRAKENS, "PF_ETHUSD", "ETH-USD-PERP", 5),
        ("kucoin", ("book", "trades"), KUCOINS, "XBTUSDM", "BTC-USD-PERP", 5),
        ("okx", ("books", "trades"), THREE, "BTC-USDT-SWAP", "BTC-USDT-PERP", None),  # its numbers jump by themselves
    ],
)
async def test_a_skipped_number_costs_that_book_one_gap_and_it_recovers(
    venue: str, channels: tuple[str, ...], symbols: tuple[str, ...], skipped: str, symbol: str, missed: int | None
) -> None:
    async with collected(*channels, venue=venue, symbols=symbols) as (sim, collector):
        await collector.until_valid(times=len(symbols))
        order(sim, f"skip venue={venue} symbol={skipped} n=5")
        await collector.until(lambda: collector.statuses(symbol=symbol, state="gap", channel="book"))
        await collector.until_valid(times=len(symbols) + 1)
        gaps = collector.statuses(state="gap", ended_ns=None)
        assert [(row["symbol"], row["cause"], row["missed"]) for row in gaps] == [(symbol, "sequence_gap", missed)]
        for one in symbols:
            assert not broken_links([row for row in collector.books(venue) if row["symbol"] == one])


@pytest.mark.parametrize("fault", ["drop", "garbage kind=truncated"])
@pytest.mark.parametrize(
    ("venue", "channel", "symbols", "where", "symbol"),
    [
        ("bitget", "book", ("BTC-USDT", "ETH-USDT"), "symbol=BTCUSDT channel=books", "BTC-USDT"),
        ("bybit", "book", THREE, "symbol=BTCUSD channel=orderbook", "BTC-USD-PERP"),
        ("gate", "book", ("BTC-USDT", "ETH-USDT"), "symbol=BTC_USDT channel=obu", "BTC-USDT"),
        ("okx", "books", THREE, "symbol=BTC-USDT channel=books", "BTC-USDT"),
    ],
)
async def test_a_lost_update_is_noticed_and_the_others_lose_nothing(
    venue: str, channel: str, symbols: tuple[str, ...], where: str, symbol: str, fault: str
) -> None:
    async with collected(channel, venue=venue, symbols=symbols) as (sim, collector):
        await collector.until_valid(times=len(symbols))
        order(sim, f"{fault} venue={venue} {where}")
        await collector.until(lambda: collector.statuses(state="gap", channel="book"))
        await collector.until_valid(times=len(symbols) + 1)
        assert {row["symbol"] for row in collector.statuses(state="gap")} == {symbol}


@pytest.mark.parametrize(
    ("venue", "channel", "symbols"), [("bybit", "book", THREE), ("gate", "book", GATES), ("okx", "books", THREE)]
)
async def test_a_cut_connection_comes_back_with_valid_books(venue: str, channel: str, symbols: tuple[str, ...]) -> None:
    async with collected(channel, venue=venue, symbols=symbols) as (sim, collector):
        await collector.until_valid(times=len(symbols))
        order(sim, f"cut venue={venue}")
        await collector.until_valid(times=2 * len(symbols))
        assert len(collector.statuses(state="down", ended_ns=None)) == len(symbols)
