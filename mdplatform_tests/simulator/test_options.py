"""Options of three venues, through the real collector: one scale for all, worth what Black's formula says."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from mdplatform.bus.memory import MemoryBus
from mdplatform.collector import CollectorConfig, collect
from mdplatform.core.clock import SECOND
from mdplatform.core.settings import Settings
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import serve
from mdplatform_tests.simulator.venue_time import VenueClock, run_in_venue_time

# What each venue calls the pair whose options it lists; of the first two they are paid and quoted in coin.
PAIRS = {"deribit": "BTC-USD", "okx": "BTC-USD", "bybit": "BTC-USDT"}
IN_COIN = ("deribit", "okx")
YEAR_S = 365 * 86_400

Row = dict[str, Any]


class Collected(NamedTuple):
    """``listed``: the symbols of the chain. ``answers``: how the venue met requests and handshakes."""

    listed: set[str]
    topics: dict[str, list[Row]]
    connections: int
    answers: set[str]

    def rows(self, kind: str) -> list[Row]:
        return [row for name, rows in self.topics.items() if name.startswith(f"{kind}.") for row in rows]


async def collected(venue: str, *channels: str, seconds: float = 6.0, **options: Any) -> Collected:
    """What a collector of a whole chain brings in so many seconds."""
    clock = VenueClock(1_790_000_000 * SECOND)
    usual: dict[str, Any] = {"symbols": ("BTC",), "venues": (venue,), "levels": 30, "rate": 50.0, "options": 2}
    async with await serve(SimulatorConfig(**usual | options), clock) as sim:
        exchange, bus, stop = sim.world.exchanges[venue], MemoryBus(), asyncio.Event()
        urls = {"ws_url": sim.ws_url(venue), "rest_url": sim.rest_url(venue)}
        config = CollectorConfig(venue=venue, symbols=(f"{PAIRS[venue]}@options",), channels=channels, **urls)
        task = asyncio.create_task(collect(config, Settings(), bus, clock, stop))
        await asyncio.sleep(seconds)
        listed = {one.canonical for one in exchange.markets.instruments.values() if one.strike is not None}
        most = len(exchange.peers)
        stop.set()
        await task
        topics = {name: [json.loads(message.value) for message in rows] for name, rows in bus.topics.items()}
        return Collected(listed, topics, most, set(exchange.answers))


def below(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2


def check_worth(row: Row, in_coin: bool) -> None:
    """The summary follows from its own volatility, forward, strike and time: its price and each of its greeks."""
    _, _, expiry, strike, right = row["symbol"].split("-")
    due = datetime.strptime(expiry + "08", "%Y%m%d%H").replace(tzinfo=UTC).timestamp()
    years, forward, k, sign = (due - row["ts"] / 1000) / YEAR_S, row["underlying_price"], float(strike), 1
    if right == "P":
        sign = -1
    spread = row["mark_iv"] * math.sqrt(years)
    d1 = (math.log(forward / k) + spread * spread / 2) / spread
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    price = sign * (forward * below(sign * d1) - k * below(sign * (d1 - spread)))
    assert row["mark_price"] * (forward if in_coin else 1) == pytest.approx(price, rel=2e-3)
    assert row["delta"] == pytest.approx(sign * below(sign * d1), abs=1e-4)
    assert row["gamma"] == pytest.approx(density / (forward * spread), rel=1e-2)
    assert row["vega"] == pytest.approx(forward * density * math.sqrt(years) / 100, rel=1e-3)
    assert row["theta"] == pytest.approx(-forward * density * row["mark_iv"] / (2 * math.sqrt(years)) / 365, rel=1e-3)
    if row["rho"] is not None:  # Deribit's
        assert row["rho"] == pytest.approx(sign * k * years * below(sign * (d1 - spread)) / 100, rel=1e-3)
    assert row["bid_iv"] < row["ask_iv"]
    assert row["bid_price"] < row["ask_price"]


@pytest.mark.parametrize("venue", PAIRS)
def test_a_chain_comes_with_greeks_that_follow_from_its_volatilities(venue: str) -> None:
    found = run_in_venue_time(collected(venue))
    assert len(found.listed) == 4 * 2 * 2
    stated = ("mark_price", "mark_iv", "bid_price")  # OKX has them on three channels
    whole = [row for row in found.rows("options") if all(row[name] is not None for name in stated)]
    assert {row["symbol"] for row in whole} == found.listed
    for row in whole:
        check_worth(row, venue in IN_COIN)
    assert {row["symbol"] for row in found.rows("open_interest")} == found.listed
    assert {book["symbol"] for book in found.topics["md.orderbook.normalized"]} == found.listed
    assert found.rows("funding") == found.topics.get("md.dead_letter", []) == []


@pytest.mark.parametrize("venue", PAIRS)
def test_sizes_of_options_are_in_base_units(venue: str) -> None:
    found = run_in_venue_time(collected(venue, "trades", rate=2_000.0))
    lot = {"deribit": 0.1, "okx": 0.01, "bybit": 0.01}[venue]  # of BTC, as the venues list them
    assert found.rows("trades")
    for row in found.rows("trades"):
        assert row["qty"] / lot == pytest.approx(round(row["qty"] / lot))
        assert venue != "okx" or row["qty"] == pytest.approx(row["raw_size"] * lot)


# Channels without books; Deribit allows 32 connections of 500 channels, Bybit 2,000 topics a connection.
@pytest.mark.parametrize(
    ("venue", "channel", "connections"),
    [("deribit", "ticker.100ms", 8), ("okx", "funding", 1), ("bybit", "tickers", 2)],
)
def test_one_collector_takes_a_chain_of_800_within_the_venues_limits(
    venue: str, channel: str, connections: int
) -> None:
    few = {"options": 100, "levels": 10, "rate": 5.0, "truth": False, "tick_s": 0.1, "batch_s": 1.0}
    channels = ("opt-summary", "mark-price", "tickers") if venue == "okx" else (channel,)
    found = run_in_venue_time(collected(venue, *channels, seconds=12.0, **few))
    assert len(found.listed) == 800
    assert {row["symbol"] for row in found.rows("options")} == found.listed
    assert found.connections == connections
    assert found.answers == {"connect 101", "rest 200"}
    assert found.topics.get("md.dead_letter", []) == []
