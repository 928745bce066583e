"""A client for the simulator's tests: its own tiny book, its own checksum, plain GETs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from zlib import crc32

import aiohttp
import websockets

from mdplatform.collector import CollectorConfig
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import Simulator, serve
from mdplatform_tests.collector.rig import Running, collecting

DEADLINE_S = 10.0


@asynccontextmanager
async def simulator(**options: Any) -> AsyncIterator[Simulator]:
    """A running simulator, of BTC and ETH by default."""
    config = SimulatorConfig(**{"symbols": ("BTC", "ETH"), "levels": 1_500} | options)
    async with await serve(config) as running:
        yield running


@asynccontextmanager
async def collected(
    *channels: str, venue: str, symbols: tuple[str, ...], **options: Any
) -> AsyncIterator[tuple[Simulator, Running]]:
    """A simulator of one venue, with small books by default, and the real collector on it."""
    async with simulator(venues=(venue,), **{"levels": 600} | options) as sim:
        config = CollectorConfig(
            venue=venue, ws_url=sim.ws_url(venue), rest_url=sim.rest_url(venue), symbols=symbols, channels=channels
        )
        async with collecting(config) as collector:
            yield sim, collector


async def true_books(sim: Simulator, collector: Running, venue: str) -> int:
    """How many books the simulator's truth confirms, in the sizes that the venue sent; fails at one that differs."""
    checked = 0
    for row in collector.books(venue):
        query = f"venue={venue}&symbol={row['symbol']}&update_id={row['sequence']}"
        status, truth, _ = await fetch(f"{sim.url}/_sim/truth?{query}")
        if status != 200 or truth.get("bids") is None or row["previous_sequence"] is None:
            continue  # the truth is kept once in 50 ms, and a snapshot may fall between two published updates
        for prices, sizes, side in (("b", "bv", "bids"), ("a", "av", "asks")):
            held = list(zip(row[prices], row.get(f"raw_{sizes}") or row[sizes], strict=True))
            assert held == [(float(price), float(size)) for price, size in truth[side]][: len(held)]
            assert held
        checked += 1
    return checked


Answer = tuple[int, Any, dict[str, str]]


async def fetch(url: str) -> Answer:
    """Status, decoded JSON and headers of a GET."""
    async with aiohttp.ClientSession() as session:
        return await _fetch(session, url)


async def fetch_at_once(url: str, times: int) -> list[Answer]:
    """So many GETs side by side: a limit by the second sees them in one, however slow the machine is."""
    async with aiohttp.ClientSession() as session:
        return await asyncio.gather(*(_fetch(session, url) for _ in range(times)))


async def _fetch(session: aiohttp.ClientSession, url: str) -> Answer:
    async with session.get(url) as response:
        return response.status, json.loads(await response.read()), dict(response.headers)


async def get(url: str) -> Any:
    status, body, _ = await fetch(url)
    assert status == 200, body
    return body


@asynccontextmanager
async def socket(url: str, *messages: dict[str, Any], **options: Any) -> AsyncIterator[websockets.ClientConnection]:
    """A WebSocket client that has sent these messages."""
    async with websockets.connect(url, max_size=None, close_timeout=1, **options) as client:
        for message in messages:
            await client.send(json.dumps(message))
        yield client


async def frames(client: websockets.ClientConnection, count: int) -> list[Any]:
    """The next frames, decoded."""
    async with asyncio.timeout(DEADLINE_S):
        return [json.loads(await client.recv()) for _ in range(count)]


async def until(client: websockets.ClientConnection, wanted: Any) -> Any:
    """The next frame for which `wanted(frame)` holds."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            frame = json.loads(await client.recv())
            if wanted(frame):
                return frame


async def closed(client: websockets.ClientConnection) -> websockets.ConnectionClosed:
    """How the connection ends."""
    async with asyncio.timeout(DEADLINE_S):
        try:
            while True:
                await client.recv()
        except websockets.ConnectionClosed as end:
            return end


class Rebuilt:
    """A book of decimal texts, rebuilt from absolute changes."""

    def __init__(self, tick: str, step: str) -> None:
        self._tick, self._step = Decimal(tick), Decimal(step)
        self.sides: dict[str, dict[Decimal, Decimal]] = {"b": {}, "a": {}}

    def apply(self, side: str, levels: Iterable[Iterable[str]]) -> None:
        book = self.sides[side]
        for price, size in levels:
            if Decimal(size):
                book[Decimal(price)] = Decimal(size)
            else:
                book.pop(Decimal(price), None)

    @property
    def best(self) -> tuple[Decimal, Decimal]:
        return max(self.sides["b"]), min(self.sides["a"])

    @property
    def checksum(self) -> int:
        """Exclusive or of the CRC-32 of every level, as whole ticks and lots."""
        total = 0
        for side, book in self.sides.items():
            for price, size in book.items():
                total ^= crc32(f"{side}{int(price / self._tick)}:{int(size / self._step)}".encode())
        return total


def decimals(levels: Iterable[Iterable[str]]) -> list[list[Decimal]]:
    return [[Decimal(text) for text in level] for level in levels]
