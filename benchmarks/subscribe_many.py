"""Claim: 300 symbols of any venue come up, in the time that the venue's limits allow, and nothing is refused.

    python -m benchmarks.subscribe_many [--symbols 300] [--venue bybit ...]

A simulator with the venue's own limits (messages, connections, subscriptions, REST weight) and a collector with its
default channels, started cold, in one process, in venue time: what is waited for passes at once, so a table of all
venues takes minutes. Seconds are those of the venue, from the first REST call to the moment when every feed is valid.
A venue that is not whole after half an hour is given up, with what its feeds are waiting for.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from benchmarks.table import Cell, Table
from mdplatform import venues
from mdplatform.bus.memory import MemoryBus
from mdplatform.collector import CollectorConfig, collect
from mdplatform.core.events import FeedStatus
from mdplatform.core.settings import Settings
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.protocol.exchange import Exchange
from mdplatform.simulator.server import serve
from mdplatform_tests.simulator.venue_time import VenueClock, at, run_in_venue_time

PATIENCE_S = 1800.0
BEGIN = "2026-11-02 12:00"
COLUMNS = ["venue", "symbols", "feeds", "connections", "requests", "REST calls", "refused", "seconds", "state"]


class Watched(MemoryBus):
    """The bus in memory, which keeps the last status of each feed and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[tuple[str, str], FeedStatus] = {}
        self.changed_ns = 0  # when a feed last became what it is

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        if topic != "md.feed.status":
            return
        status = _read(value)
        if status.ended_ns is None:
            self.states[status.symbol, status.channel] = status
            self.changed_ns = received_ns

    def poll(self) -> None:
        """Nothing waits."""

    async def serve(self) -> None:
        await asyncio.Event().wait()

    def whole(self, symbols: int) -> bool:
        """Whether every feed of so many symbols is valid."""
        names = {symbol for symbol, _ in self.states}
        return len(names) == symbols and all(one.state == "valid" for one in self.states.values())

    def state(self) -> str:
        found = Counter("valid" if one.state == "valid" else f"{one.state} {one.cause}" for one in self.states.values())
        return "valid" if set(found) == {"valid"} else ", ".join(f"{what}: {count}" for what, count in found.items())


class Asked(NamedTuple):
    """What a simulated venue was asked for so far."""

    connections: int
    messages: int
    calls: int
    refused: int

    @classmethod
    def of(cls, exchange: Exchange) -> Asked:
        answers = exchange.answers
        calls = sum(count for what, count in answers.items() if what.startswith("rest "))
        good = answers["connect 101"] + answers["rest 200"]
        return cls(answers["connect 101"], exchange.messages, calls, answers.total() - good)


async def subscribe(venue: str, count: int) -> list[Cell]:
    """Start cold; the venue's row of the table."""
    clock = VenueClock(at(BEGIN))
    config = SimulatorConfig(
        symbols=(), synthetic=count, rate=4.0, bursts=0.0, batch_s=1.0, tick_s=0.5, levels=60, truth=False, queue=10**6
    )
    async with await serve(config, clock) as simulator:
        exchange = simulator.world.exchanges[venue]
        listed = dict.fromkeys(one.canonical for one in exchange.markets.instruments.values())
        symbols = tuple(listed)[:count]
        for key in exchange.markets.instruments:
            _ = exchange.markets[key]  # opens it: that takes seconds, which no venue would
        ws_url, rest_url = simulator.ws_url(venue), simulator.rest_url(venue)
        shard = CollectorConfig(venue=venue, symbols=symbols, ws_url=ws_url, rest_url=rest_url)
        bus, stop = Watched(), asyncio.Event()
        loop = asyncio.get_running_loop()
        began, began_ns = loop.time(), clock.now_ns()
        running = asyncio.create_task(collect(shard, Settings(), bus, clock, stop))
        seconds = PATIENCE_S
        while loop.time() < began + PATIENCE_S and not running.done():
            await asyncio.sleep(0.5)
            if bus.whole(len(symbols)):
                seconds = (bus.changed_ns - began_ns) / 1e9
                break
        asked = Asked.of(exchange)
        feeds, state = len(bus.states), bus.state()
        stop.set()
        await running
    return [venue, len(symbols), feeds, *asked, round(seconds, 1), state]


def measure(runs: int, chosen: Iterable[str] = (), symbols: int = 300) -> Table:
    """One run: time is the venue's, which no machine disturbs."""
    rows: list[list[Cell]] = []
    for venue in chosen or venues.venue_ids():
        rows.append(run_in_venue_time(subscribe(venue, symbols)))
        print(*rows[-1], file=sys.stderr, flush=True)
    claim = f"{symbols} symbols from cold to valid, within the venue's limits"
    notes = [
        "Seconds of venue time on a loopback that takes none: what is left is waiting for limits and for first books. "
        "Requests: messages on sockets, pings and heartbeats among them."
    ]
    return Table("subscribe_many", claim, COLUMNS, rows, notes)


_read = msgspec.json.Decoder(FeedStatus, strict=False).decode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=300, help="how many are subscribed to at once")
    parser.add_argument("--venue", nargs="+", choices=venues.venue_ids(), default=venues.venue_ids(), help="just these")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    print(measure(1, options.venue, options.symbols).text())


if __name__ == "__main__":
    main()
