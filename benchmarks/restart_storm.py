"""Claim: 300 symbols restart at once, none is ever refused, and all books are valid as soon as the weight allows it.

    python benchmarks/restart_storm.py [--symbols 300]

A simulator of Binance with the venue's own limits (6000 units of REST weight a minute, 300 connections in 5 minutes,
5 messages a second) runs in a process of its own. The collector starts, its socket is cut, the collector is started
again. Printed for each: seconds until every book is valid, and what the simulator answered. A snapshot of 1000 levels
costs 50 units, so 300 of them take two and a half minutes of the budget: that is the floor.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from mdplatform.bus.memory import MemoryBus
from mdplatform.collector import CollectorConfig, collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.settings import Settings
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import Simulator, run

PATIENCE_S = 600.0


class Watched(MemoryBus):
    """The bus in memory, which keeps of all messages only the state of each book and since when it has it."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, tuple[str, int]] = {}

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        super().publish(topic, key, value, received_ns)
        if topic == "md.feed.status":
            status = msgspec.json.decode(value)
            if status["channel"] == "book" and status["ended_ns"] is None:
                self.states[status["symbol"]] = status["state"], status["started_ns"]

    def poll(self) -> None:
        super().poll()
        self.topics.clear()

    def valid_since(self, start_ns: int) -> int:
        """How many books became valid after this time and still are."""
        return sum(state == "valid" and since >= start_ns for state, since in self.states.values())


class Storm:
    """One simulator and what is measured against it."""

    def __init__(self, url: str, symbols: tuple[str, ...]) -> None:
        self.url, self.symbols = url, symbols
        self.table = Table("phase", "books valid again", "after s", "answers of the venue", box=None)
        self._answers: Counter[str] = Counter()

    async def phase(self, name: str, bus: Watched, begin: Callable[[], Any]) -> None:
        """Begin it, wait for all books, and note it."""
        start_ns, started = time.time_ns(), time.monotonic()
        await begin()
        while (valid := bus.valid_since(start_ns)) < len(self.symbols):
            if time.monotonic() - started > PATIENCE_S:
                break
            await asyncio.sleep(0.1)
        seconds = time.monotonic() - started
        new = await self._told()
        text = ", ".join(f"{what}: {count}" for what, count in sorted(new.items()))
        self.table.add_row(name, f"{valid} of {len(self.symbols)}", f"{seconds:.1f}", text)

    async def get(self, path: str) -> Any:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return await response.json()

    async def _told(self) -> Counter[str]:
        """What the simulator answered since it was last asked."""
        status = await self.get("/_sim/status")
        now = Counter(status["venues"]["binance"]["answers"])
        new, self._answers = now - self._answers, now
        return new


def serve(symbols: int, told: Connection) -> None:
    """A simulator of so many symbols; say where it is."""

    gc.disable()  # the books of minutes past are a million objects: to look through them stalls every socket

    def ready(simulator: Simulator) -> None:
        for market in simulator.world.markets["binance"]:
            _ = simulator.world.markets["binance"][market]  # opens it: that takes seconds, which no venue would
        told.send((simulator.url, simulator.ws_url("binance"), simulator.rest_url("binance")))

    config = SimulatorConfig(
        symbols=(), synthetic=symbols, venues=("binance",), rate=2.0, levels=500, queue=100_000, tick_s=0.1
    )
    run(config, ready)


async def measure(told: Connection, count: int) -> None:
    url, ws_url, rest_url = await asyncio.to_thread(told.recv)
    symbols = tuple(f"S{number:03d}-USDT" for number in range(1, count + 1))
    config = CollectorConfig(venue="binance", symbols=symbols, ws_url=ws_url, rest_url=rest_url)
    storm = Storm(url, symbols)
    bus, stop = Watched(), asyncio.Event()

    async def start() -> asyncio.Task[Any]:
        return asyncio.create_task(collect(config, Settings(), bus, SystemClock(), stop))

    running = list[asyncio.Task[Any]]()

    async def begin() -> None:
        running.append(await start())

    async def again() -> None:
        stop.set()
        await running[-1]
        stop.clear()
        await begin()

    await storm.phase("first start", bus, begin)
    await storm.phase("socket cut", bus, lambda: storm.get("/_sim/fault?script=cut venue=binance"))
    await storm.phase("collector restarted", bus, again)
    stop.set()
    await running[-1]
    Console(width=160).print(storm.table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=300, help="how many restart at once")
    options = parser.parse_args()
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    server = spawning.Process(target=serve, args=(options.symbols, there), daemon=True)
    server.start()
    try:
        uvloop.run(measure(here, options.symbols))
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
