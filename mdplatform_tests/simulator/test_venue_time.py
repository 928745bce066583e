"""The loop whose time passes only while nothing is to be done."""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from typing import Any

import pytest

from mdplatform.collector import CollectorConfig
from mdplatform.core.clock import SECOND
from mdplatform.feed.rate_limit import Budget
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import serve
from mdplatform_tests.chaos.venueday import collected_quietly
from mdplatform_tests.simulator.venue_time import VenueClock, at, run_in_venue_time


def test_for_an_hour_of_venue_time_the_machine_waits_less_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    select = selectors.DefaultSelector.select

    def counted(self: selectors.DefaultSelector, timeout: float | None = None) -> Any:
        waits.append(math.inf if timeout is None else timeout)
        return select(self, timeout)

    async def wait() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    monkeypatch.setattr(selectors.DefaultSelector, "select", counted)
    assert run_in_venue_time(wait(), pace=100_000) >= 3600
    assert sum(waits) < 1


def test_time_stands_still_while_a_thread_works() -> None:
    async def work() -> float:
        loop = asyncio.get_running_loop()
        ticking = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        await asyncio.to_thread(time.sleep, 0.02)
        ticking.cancel()
        return loop.time()

    assert run_in_venue_time(work()) < 1


def test_time_stands_still_while_something_is_to_be_read() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def talk() -> float:
        loop = asyncio.get_running_loop()
        ticking = asyncio.create_task(asyncio.sleep(3600))
        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            began = loop.time()
            for _ in range(300):
                writer.write(b"x" * 1000)
                await reader.readexactly(1000)
            took = loop.time() - began
            writer.close()
        ticking.cancel()
        return took

    assert run_in_venue_time(talk()) < 60  # 300 turns of a loop that leaps would be 300 hours


def test_an_allowance_counts_in_the_time_of_the_loop() -> None:
    async def spend() -> float:
        budget = Budget(1, 60.0)
        for _ in range(11):
            await budget.spend()
        return asyncio.get_running_loop().time()

    assert 600 <= run_in_venue_time(spend(), pace=100_000) < 601


def test_the_clock_never_gives_a_time_twice() -> None:
    async def read() -> list[int]:
        clock = VenueClock(at("2026-12-25 07:30"))
        times = [clock.now_ns(), clock.now_ns()]
        await asyncio.sleep(5)
        return [*times, clock.now_ns()]

    first, second, third = run_in_venue_time(read(), pace=100_000)
    assert first < second < third
    assert third - first >= 5 * SECOND


def test_a_collector_lives_in_the_time_of_the_simulator() -> None:
    async def live() -> None:
        clock = VenueClock(at("2026-12-25 07:30"))
        config = SimulatorConfig(symbols=("BTC", "ETH"), venues=("binance",), rate=2, bursts=0, batch_s=1, levels=50)
        async with await serve(config, clock) as simulator:
            shard = CollectorConfig(
                venue="binance",
                symbols=("BTC-USDT", "ETH-USDT"),
                ws_url=simulator.ws_url("binance"),
                rest_url=simulator.rest_url("binance"),
            )
            async with collected_quietly(shard, clock) as collected:
                await asyncio.sleep(600)
            books = [status for status in collected.statuses if status.channel == "book" and status.ended_ns is None]
        assert [(book.symbol, book.state) for book in books[2:4]] == [("BTC-USDT", "valid"), ("ETH-USDT", "valid")]
        assert {book.state for book in books[:-2]} == {"resync", "valid"}
        assert collected.published["md.orderbook.normalized"] > 1000

    run_in_venue_time(live())


def test_a_wait_that_is_too_short_for_a_float_ends() -> None:
    async def wait() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1 / 3)
        until = loop.time() + 1e-12
        while loop.time() < until:  # noqa: ASYNC110 - as a budget waits
            await asyncio.sleep(until - loop.time())

    run_in_venue_time(asyncio.wait_for(wait(), 10))
