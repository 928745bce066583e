"""A collector in venue time, of whose messages only what its ledger needs is kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec

from mdplatform.bus.memory import MemoryBus
from mdplatform.collector import CollectorConfig, CollectorReport, collect
from mdplatform.core.clock import Clock
from mdplatform.core.events import FeedStatus
from mdplatform.core.settings import Settings

EMPTY = b'"b":[],"bv":[],"a":[],"av":[]'


class Said(NamedTuple):
    """A status, and when it was published."""

    status: FeedStatus
    ns: int


class Letter(msgspec.Struct):
    """Of a dead letter what a ledger needs."""

    reason: str
    error: str
    frame: str
    received_ns: int


class Collected(MemoryBus):
    """The bus in memory; every message is acknowledged at once, all but statuses and dead letters are only counted."""

    def __init__(self, venue: str, symbols: frozenset[str]) -> None:
        super().__init__()
        self.venue, self.symbols = venue, symbols
        self.said: list[Said] = []
        self.letters: list[Letter] = []
        self.emptied: list[tuple[str, int]] = []  # symbol and time of books without levels
        self.books: dict[bytes, bytes] = {}  # the last one of each symbol
        self.published: Counter[str] = Counter()
        self.report: CollectorReport | None = None

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        self.published[topic] += 1
        if topic == "md.feed.status":
            self.said.append(Said(_read_status(value), received_ns))
        elif topic == "md.orderbook.normalized":
            self.books[key] = value
            if EMPTY in value:
                self.emptied.append((key.decode(), received_ns))
        elif topic == "md.dead_letter":
            self.letters.append(_read_letter(value))

    @property
    def statuses(self) -> list[FeedStatus]:
        return [one.status for one in self.said]

    def poll(self) -> None:
        """Nothing waits."""

    async def serve(self) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def collected_quietly(config: CollectorConfig, clock: Clock) -> AsyncIterator[Collected]:
    """A collector while the context lasts; raises what ended it before that."""
    bus, stop = Collected(config.venue, frozenset(config.symbols)), asyncio.Event()
    running = asyncio.create_task(collect(config, Settings(), bus, clock, stop))
    try:
        yield bus
    finally:
        stop.set()
        bus.report = await running


_read_status = msgspec.json.Decoder(FeedStatus, strict=False).decode
_read_letter = msgspec.json.Decoder(Letter, strict=False).decode
