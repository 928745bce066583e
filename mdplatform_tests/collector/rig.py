"""A collector under test: the real thing on a bus in memory, and what it published, decoded."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from mdplatform.bus import Message
from mdplatform.bus.memory import MemoryBus
from mdplatform.collector import CollectorConfig, CollectorReport, collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.settings import Settings
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import Simulator, serve
from mdplatform_tests.eventually import eventually

Row = dict[str, Any]


class Running:
    """A collector that runs. ``report`` is there once it was stopped."""

    def __init__(self, config: CollectorConfig, bus: MemoryBus, **options: Any) -> None:
        self.bus = bus
        self.stop = asyncio.Event()
        self.task = asyncio.create_task(collect(config, Settings(), bus, SystemClock(), self.stop, **options))

    async def ended(self) -> CollectorReport:
        """Stop it and wait for its report."""
        self.stop.set()
        async with asyncio.timeout(20):
            return await self.task

    def rows(self, topic: str, **wanted: Any) -> list[Row]:
        """The messages of a topic whose fields are as wanted, in order."""
        rows = [json.loads(message.value) for message in self.bus.topics.get(topic, [])]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def frames(self, exchange: str = "binance", rest: bool = False) -> list[Message]:
        """Raw frames off the socket, or with ``rest`` the answers to REST calls."""
        kept = self.bus.topics.get(f"md.raw.{exchange}", [])
        return [message for message in kept if message.key.endswith(b"/rest") == rest]

    def books(self, exchange: str = "binance") -> list[Row]:
        return self.rows("md.orderbook.normalized", exchange=exchange)

    def statuses(self, **wanted: Any) -> list[Row]:
        return self.rows("md.feed.status", **wanted)

    async def until_valid(self, channel: str = "book", times: int = 1) -> None:
        """Wait until so many valid intervals were opened for the channel."""
        await self.until(lambda: len(self.statuses(channel=channel, state="valid", ended_ns=None)) >= times)

    async def until(self, condition: Any, seconds: float = 15.0) -> None:
        """Wait for a condition; a collector that ended instead is an error."""
        await eventually(lambda: self.task.done() or condition(), seconds)
        if self.task.done():
            self.task.result()


@asynccontextmanager
async def collecting(config: CollectorConfig, bus: MemoryBus | None = None, **options: Any) -> AsyncIterator[Running]:
    """A running collector, stopped at the end if the test has not."""
    running = Running(config, bus or MemoryBus(), **options)
    try:
        yield running
    finally:
        running.stop.set()
        await asyncio.wait((running.task,), timeout=20)


@asynccontextmanager
async def simulated(**options: Any) -> AsyncIterator[Simulator]:
    """All venues on loopback, unless ``venues`` names those wanted."""
    usual: dict[str, Any] = {"symbols": ("BTC", "ETH"), "levels": 300, "rate": 200.0}
    async with await serve(SimulatorConfig(**usual | options)) as simulator:
        yield simulator


def shard(simulator: Simulator, venue: str = "binance", **options: Any) -> CollectorConfig:
    """A collector of one symbol, the first that the venue lists unless ``symbols`` says which."""
    first = next(iter(simulator.world.exchanges[venue].markets.instruments.values()))
    options = {"symbols": (first.canonical,)} | options
    return CollectorConfig(venue=venue, ws_url=simulator.ws_url(venue), rest_url=simulator.rest_url(venue), **options)


def order(simulator: Simulator, fault: str) -> None:
    """A fault, now."""
    simulator.faults.schedule(fault, time.time_ns())


def broken_links(books: Iterable[Row]) -> list[tuple[int | None, int]]:
    """Books whose previous sequence was never published, chain starts left out, duplicates allowed."""
    seen: set[int] = set()
    broken = []
    for book in books:
        if book["previous_sequence"] is not None and book["previous_sequence"] not in seen:
            broken.append((book["previous_sequence"], book["sequence"]))
        seen.add(book["sequence"])
    return broken
