"""Dated contracts that expire while they are collected, in venue time: from some minutes before their hour on."""

from __future__ import annotations

import asyncio

import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import serve
from mdplatform_tests.chaos.venueday import Collected, collected_quietly
from mdplatform_tests.simulator.venue_time import VenueClock, at, run_in_venue_time

EXPIRES = at("2026-12-25 08:00")
SECOND = 1_000_000_000


async def through_the_hour(venue_id: str, *symbols: str) -> Collected:
    """What a collector of these symbols says from 07:57 to 08:09 of the day."""
    clock = VenueClock(at("2026-12-25 07:57"))
    config = SimulatorConfig(symbols=("BTC",), venues=(venue_id,), rate=2, bursts=0, batch_s=1, levels=50)
    async with await serve(config, clock) as simulator:
        shard = CollectorConfig(
            venue=venue_id,
            symbols=symbols,
            ws_url=simulator.ws_url(venue_id),
            rest_url=simulator.rest_url(venue_id),
        )
        async with collected_quietly(shard, clock) as collected:
            await asyncio.sleep(12 * 60)
    return collected


@pytest.mark.parametrize("venue_id", ["okx", "deribit"])
def test_the_successor_is_taken_up_within_minutes_of_the_hour(venue_id: str) -> None:
    collected = run_in_venue_time(through_the_hour(venue_id, "BTC-USD@front-quarter", "BTC-USD-PERP"))
    books = [one for one in collected.statuses if one.channel == "book"]
    front, successor = (f"BTC-USD-{day}" for day in ("20261225", "20270326"))
    assert {one.symbol for one in books} == {front, successor, "BTC-USD-PERP"}
    begun = next(one.started_ns for one in books if one.symbol == successor and one.state == "valid")
    assert EXPIRES < begun < EXPIRES + 300 * SECOND
    last = [one for one in books if one.symbol == front][-1]
    assert (last.state, last.cause) == ("down", "not_listed")
    assert last.ended_ns is not None
    assert {one.cause for one in books if one.symbol == "BTC-USD-PERP" and one.state == "down"} == {"stopped"}
    assert not [one for one in books if one.symbol == "BTC-USD-PERP" and one.state == "gap"]


@pytest.mark.parametrize("venue_id", ["binance-coinm", "kraken", "bybit", "kucoin", "cryptocom"])
def test_a_contract_that_is_named_itself_is_not_listed_from_then_on(venue_id: str) -> None:
    collected = run_in_venue_time(through_the_hour(venue_id, "BTC-USD-20261225", "BTC-USD-PERP"))
    books = [one for one in collected.statuses if one.channel == "book"]
    dated = [one for one in books if one.symbol == "BTC-USD-20261225"]
    gone = [one for one in dated if one.cause == "not_listed"]
    assert EXPIRES - 60 * SECOND < gone[0].started_ns < EXPIRES + 300 * SECOND
    assert dated[-1] == gone[-1]
    assert gone[-1].ended_ns is not None
    assert gone[-1].ended_ns > at("2026-12-25 08:08")
    assert {one.cause for one in books if one.symbol == "BTC-USD-PERP" and one.state == "down"} == {"stopped"}
