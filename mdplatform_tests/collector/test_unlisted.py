"""Symbols that the venue does not list, no longer lists, or lists later; contracts that a rule names."""

from __future__ import annotations

from typing import Any

import pytest

from mdplatform import venues
from mdplatform.collector import instrument_selection
from mdplatform.collector.instrument_selection import Lists, choose
from mdplatform.core.clock import SystemClock
from mdplatform.core.events import FeedStatus
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.symbols import Kind
from mdplatform.feed.rate_limit import Budget
from mdplatform.feed.rest import RestClient
from mdplatform_tests.collector.rig import Running, broken_links, collecting, shard, simulated

SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are asked for all the time."""
    for name in ("LIST_EVERY_S", "SOON_S", "DUE_S"):
        monkeypatch.setattr(instrument_selection, name, 0.2)


def hiding(venue_id: str, *hidden: str) -> tuple[Any, set[str]]:
    """The venue whose lists lack these symbols for as long as they are in the set that is handed back."""
    missing = set(hidden)
    facts = venues.venue(venue_id)

    class Hiding(type(facts)):  # type: ignore[misc]
        def parse_instruments(self, body: bytes) -> InstrumentList:
            listed = super().parse_instruments(body)
            return InstrumentList([row for row in listed.instruments if row.symbol not in missing], listed.refused)

    return Hiding(), missing


def valid(collector: Running, symbol: str, channel: str = "book") -> bool:
    return bool(collector.statuses(symbol=symbol, channel=channel, state="valid"))


def not_listed(collector: Running, symbol: str) -> list[Any]:
    return collector.statuses(symbol=symbol, cause="not_listed")


async def test_a_symbol_that_is_not_listed_costs_no_other() -> None:
    async with (
        simulated() as simulator,
        collecting(shard(simulator, symbols=("BTC-USDT", "ETH-USDT", "GONE-USDT"))) as collector,
    ):
        await collector.until(lambda: valid(collector, "BTC-USDT") and valid(collector, "ETH-USDT"))
        missing = not_listed(collector, "GONE-USDT")
    assert {(row["channel"], row["state"]) for row in missing} == {("book", "down"), ("trades", "down")}


async def test_it_is_collected_once_it_is_listed() -> None:
    venue, missing = hiding("binance", "ETH-USDT")
    async with (
        simulated() as simulator,
        collecting(shard(simulator, symbols=("BTC-USDT", "ETH-USDT")), venue=venue) as collector,
    ):
        await collector.until(lambda: valid(collector, "BTC-USDT"))
        assert not valid(collector, "ETH-USDT")
        missing.clear()
        await collector.until(lambda: valid(collector, "ETH-USDT") and valid(collector, "ETH-USDT", "trades"))
        await collector.ended()
    for channel in ("book", "trades"):
        rows = collector.statuses(symbol="ETH-USDT", channel=channel)
        assert {row["started_ns"] for row in rows if row["cause"] == "not_listed"} == {rows[0]["started_ns"]}
        last = [row for row in rows if row["cause"] == "not_listed"][-1]
        assert last["ended_ns"] == next(row["started_ns"] for row in rows if row["state"] == "resync")
    assert not collector.statuses(symbol="BTC-USDT", state="gap")
    assert len({row["conn"] for row in collector.rows("md.feed.stats")}) == 2


@pytest.mark.parametrize("venue_id", venues.venue_ids())
async def test_one_that_is_missing_and_one_that_disappears_cost_no_other_at_any_venue(venue_id: str) -> None:
    venue, missing = hiding(venue_id)
    async with simulated(venues=(venue_id,)) as simulator:
        listed = simulator.world.exchanges[venue_id].markets.instruments.values()
        kept, going = [row.canonical for row in listed if row.kind == next(iter(listed)).kind][:2]
        config = shard(simulator, venue_id, symbols=(kept, "GONE-USDT", going))
        async with collecting(config, venue=venue) as collector:
            await collector.until(lambda: valid(collector, kept) and valid(collector, going))
            assert not_listed(collector, "GONE-USDT")
            missing.add(going)
            await collector.until(lambda: not_listed(collector, going))
            await collector.until(lambda: any(row["renewals"] for row in collector.rows("md.feed.stats")), 40.0)
            before = len(collector.statuses(symbol=kept, channel="book"))
            await collector.until(lambda: len(collector.statuses(symbol=kept, channel="book")) > before)
            report = await collector.ended()
    assert {row["cause"] for row in collector.statuses(symbol=kept, state="down")} == {"stopped"}
    after = collector.statuses(symbol=going, channel="book")
    assert {row["cause"] for row in after[[row["cause"] for row in after].index("not_listed") :]} == {"not_listed"}
    assert report.reconnects == 0


async def test_a_symbol_that_disappears_is_let_go_and_no_other_is_disturbed() -> None:
    venue, missing = hiding("binance")
    async with (
        simulated(venues=("binance",)) as simulator,
        collecting(shard(simulator, symbols=("BTC-USDT", "ETH-USDT")), venue=venue) as collector,
    ):
        await collector.until(lambda: valid(collector, "BTC-USDT") and valid(collector, "ETH-USDT"))
        missing.add("ETH-USDT")
        await collector.until(lambda: not_listed(collector, "ETH-USDT"))
        peers = simulator.world.exchanges["binance"].peers
        await collector.until(lambda: len(peers) == 2)
        await collector.until(lambda: len(peers) == 1)
        before = len(collector.books())
        await collector.until(lambda: len(collector.books()) > before + 20)
        report = await collector.ended()
    assert not broken_links(row for row in collector.books() if row["symbol"] == "BTC-USDT")
    assert {row["cause"] for row in collector.statuses(symbol="BTC-USDT", state="down")} == {"stopped"}
    states = [row["state"] for row in collector.statuses(symbol="ETH-USDT", channel="book")]
    assert states.index("down") == len(states) - states.count("down")
    assert (report.reconnects, report.gaps) == (0, 0)


async def test_the_only_symbol_may_disappear_and_come_back() -> None:
    venue, missing = hiding("binance")
    async with simulated() as simulator, collecting(shard(simulator), venue=venue) as collector:
        await collector.until_valid()
        missing.add("BTC-USDT")
        await collector.until(lambda: not_listed(collector, "BTC-USDT"))
        missing.clear()
        await collector.until_valid(times=2)


async def test_what_was_not_listed_before_a_restart_has_not_been_since() -> None:
    before = FeedStatus("binance", "GONE-USDT", "book", "down", "not_listed", 5 * SECOND, 9 * SECOND)
    async with (
        simulated() as simulator,
        collecting(
            shard(simulator, symbols=("BTC-USDT", "GONE-USDT")), previous={("GONE-USDT", "book"): before}
        ) as collector,
    ):
        await collector.until_valid()
        row = not_listed(collector, "GONE-USDT")[0]
    assert (row["channel"], row["started_ns"], row["ended_ns"]) == ("book", 5 * SECOND, None)


async def test_what_was_collected_before_a_restart_is_down_until_then_and_not_listed_since() -> None:
    before = FeedStatus("binance", "GONE-USDT", "book", "valid", "joined", 5 * SECOND, 9 * SECOND, 1, 7)
    async with (
        simulated() as simulator,
        collecting(
            shard(simulator, symbols=("BTC-USDT", "GONE-USDT")), previous={("GONE-USDT", "book"): before}
        ) as collector,
    ):
        await collector.until_valid()
        down, missing = collector.statuses(symbol="GONE-USDT", channel="book")[:2]
    assert (down["cause"], down["started_ns"], down["ended_ns"]) == ("restart", 9 * SECOND, missing["started_ns"])
    assert (missing["cause"], missing["last_sequence"]) == ("not_listed", 7)


@pytest.mark.parametrize("venue_id", ["okx", "deribit"])
async def test_the_successor_of_an_expired_contract_is_taken_up_by_itself(venue_id: str) -> None:
    venue, missing = hiding(venue_id)
    async with (
        simulated(venues=(venue_id,), symbols=("BTC",)) as simulator,
        collecting(shard(simulator, venue_id, symbols=("BTC-USD@front-quarter",)), venue=venue) as collector,
    ):
        await collector.until_valid()
        (front,) = {row["symbol"] for row in collector.statuses()}
        missing.add(front)
        await collector.until(
            lambda: {row["symbol"] for row in collector.statuses(channel="book", state="valid")} != {front}
        )
        (successor,) = {row["symbol"] for row in collector.statuses(channel="book", state="valid")} - {front}
        await collector.until(lambda: any(row["symbol"] == successor for row in collector.books(venue_id)))
        await collector.ended()
    assert front < successor
    ends = {row["channel"]: row for row in not_listed(collector, front)}
    assert set(ends) >= {"book", "trades"}
    assert all(row["ended_ns"] is not None for row in ends.values())
    assert {row["symbol"] for row in collector.statuses()} == {front, successor}


async def test_a_rule_without_a_contract_is_missing_under_its_own_name() -> None:
    venue, missing = hiding("binance-coinm")
    async with (
        simulated(venues=("binance-coinm",), symbols=("BTC",)) as simulator,
        collecting(
            shard(simulator, "binance-coinm", symbols=("BTC-USD-PERP", "BTC-USD@front")), venue=venue
        ) as collector,
    ):
        await collector.until(lambda: len({row["symbol"] for row in collector.books("binance-coinm")}) == 2)
        (front,) = {row["symbol"] for row in collector.books("binance-coinm")} - {"BTC-USD-PERP"}
        missing.add(front)
        await collector.until(lambda: not_listed(collector, "BTC-USD@front"))
        missing.clear()
        await collector.until(lambda: not_listed(collector, "BTC-USD@front")[-1]["ended_ns"])
        await collector.until(lambda: len(collector.statuses(symbol=front, channel="book", state="resync")) > 1)


NAMED = {
    "binance-usdm": "BTC-USDT",
    "binance-coinm": "BTC-USD",
    "okx": "BTC-USD",
    "deribit": "BTC-USD",
    "kraken": "BTC-USD",
    "bybit": "BTC-USD",
    "bitget": "BTC-USD",
    "gate": "BTC-USDT",
    "kucoin": "BTC-USD",
    "cryptocom": "BTC-USD",
}


@pytest.mark.parametrize("venue_id", NAMED)
async def test_rules_name_contracts_of_every_venue_that_has_dated_ones(venue_id: str) -> None:
    async with simulated(venues=(venue_id,), symbols=("BTC",)) as simulator:
        facts, clock = venues.venue(venue_id), SystemClock()
        async with RestClient(simulator.rest_url(venue_id), Budget(100, 1.0), clock, only=True) as rest:
            listed = await Lists(facts, rest, clock, lambda body, stated: None).ask()
    rows = [row for row in listed if row.kind is Kind.FUTURE and f"{row.base}-{row.quote}" == NAMED[venue_id]]
    names = [f"{NAMED[venue_id]}@{rule}" for rule in ("front", "front-quarter", "next")]
    found = choose(listed, names, clock.now_ns()).found
    assert [row.symbol for row in found.values()] == [
        *sorted({row.symbol for row in rows})[:1] * 2,
        *sorted({row.symbol for row in rows})[1:2],
    ]
