"""The collector as a process against an embedded broker."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.reader import Reader
from mdplatform.collector import CollectorConfig, run
from mdplatform.core.events import FeedStats
from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import start_broker
from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import broken_links, shard, simulated
from mdplatform_tests.eventually import eventually

Process = asyncio.subprocess.Process


def environment(settings: Settings) -> dict[str, str]:
    """The settings as variables."""
    return {f.metadata["variable"]: str(getattr(settings, f.name)) for f in dataclasses.fields(settings)}


@asynccontextmanager
async def process(simulator: Simulator, settings: Settings, log: Path) -> AsyncIterator[Process]:
    """``mdplatform collect`` on the simulator; killed at the end if it still runs."""
    command = [sys.executable, "-m", "mdplatform", "collect", "--venue", "binance", "--symbols", "BTC-USDT"]
    command += ["--ws-url", simulator.ws_url("binance"), "--rest-url", simulator.rest_url("binance")]
    with log.open("ab") as output:
        started = await asyncio.create_subprocess_exec(
            *command, env=os.environ | environment(settings), stdout=output, stderr=output
        )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def rows(settings: Settings, topic: str) -> list[dict[str, Any]]:
    """Everything that a topic holds, in order of time."""

    def read() -> list[dict[str, Any]]:
        with Reader(settings) as reader:
            return [json.loads(message.value) for message in reader.tail(topic, 1_000_000)]

    return await asyncio.to_thread(read)


async def until(settings: Settings, topic: str, holds: Callable[[list[dict[str, Any]]], object]) -> None:
    """Wait until a condition holds for the rows of a topic."""
    async with asyncio.timeout(30):
        while not holds(await rows(settings, topic)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def is_valid(found: list[dict[str, Any]]) -> bool:
    return any(row["state"] == "valid" and row["channel"] == "book" for row in found)


async def test_sigterm_drains_and_ends_every_interval(kafka_settings: Settings, tmp_path: Path) -> None:
    settings = dataclasses.replace(kafka_settings, data_dir=str(tmp_path))
    async with simulated(rate=1000.0) as simulator, process(simulator, settings, tmp_path / "log") as collector:
        await until(settings, settings.topic_status, is_valid)
        await until(settings, settings.topic_stats, lambda found: len(found) >= 3)
        collector.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await collector.wait() == 0, (tmp_path / "log").read_text()
    statuses = await rows(settings, settings.topic_status)
    for channel in ("book", "trades"):
        last = [row for row in statuses if row["channel"] == channel][-1]
        assert (last["state"], last["cause"]) == ("down", "stopped")
    assert not broken_links(await rows(settings, settings.topic_books))


async def test_a_killed_collector_leaves_a_row_for_the_time_until_the_next(
    kafka_settings: Settings, tmp_path: Path
) -> None:
    settings = dataclasses.replace(kafka_settings, data_dir=str(tmp_path))
    async with simulated() as simulator:
        async with process(simulator, settings, tmp_path / "log") as collector:
            await until(settings, settings.topic_status, is_valid)
            collector.kill()
            await collector.wait()
        before = [row for row in await rows(settings, settings.topic_status) if row["channel"] == "book"][-1]
        async with process(simulator, settings, tmp_path / "log"):
            await until(settings, settings.topic_status, lambda found: _closed(found, "restart", "book"))
    down = [row for row in await rows(settings, settings.topic_status) if row["cause"] == "restart"]
    book = [row for row in down if row["channel"] == "book"]
    assert {row["started_ns"] for row in book} == {before["ended_ns"] or before["started_ns"]}
    assert book[-1]["ended_ns"] > book[-1]["started_ns"]


async def test_a_broker_that_lost_messages_restarts_the_collector_and_the_outage_is_published(tmp_path: Path) -> None:
    with start_broker(tmp_path / "after") as after:
        Admin(Settings(kafka_brokers=after.brokers)).ensure(platform_topics(Settings(), ["binance"]))
    before = start_broker(tmp_path / "before")
    settings = Settings(kafka_brokers=before.brokers, data_dir=str(tmp_path))
    async with simulated() as simulator, process(simulator, settings, tmp_path / "log") as collector:
        await until(settings, settings.topic_status, is_valid)
        before.kill()
        with start_broker(tmp_path / "after", before.port):
            await until(settings, settings.topic_status, lambda found: _closed(found, "restart", "book"))
            assert is_valid(await rows(settings, settings.topic_status))
            assert collector.returncode is None


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with start_broker(tmp_path / "kafka") as broker:
        settings = Settings(kafka_brokers=broker.brokers, data_dir=str(tmp_path))
        async with simulated() as simulator, process(simulator, settings, tmp_path / "log") as collector:
            await until(settings, settings.topic_status, is_valid)
            broker.pause()
            stat = Path(f"/proc/{broker.pid}/stat")
            await eventually(lambda: ") T " in stat.read_text())  # a busy machine takes a while to stop a process
            collector.send_signal(signal.SIGTERM)
            await eventually(lambda: not simulator.world.exchanges["binance"].peers)
            collector.send_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                assert await collector.wait() == 128 + signal.SIGTERM


async def test_it_runs_in_a_thread_and_stops_on_an_event(kafka_settings: Settings, tmp_path: Path) -> None:
    settings = dataclasses.replace(kafka_settings, data_dir=str(tmp_path))
    stop, told = threading.Event(), list[FeedStats]()
    async with simulated() as simulator:
        running = asyncio.create_task(
            asyncio.to_thread(run, shard(simulator), settings, stop=stop, on_stats=told.append)
        )
        await eventually(lambda: running.done() or len(told) >= 2, 30)
        stop.set()
        assert await running == 0
    assert told[-1].frames > 0


async def test_its_heart_beats_while_the_venue_does_not_answer(
    kafka_settings: Settings, tmp_path: Path, unused_tcp_port: int
) -> None:
    settings = dataclasses.replace(kafka_settings, data_dir=str(tmp_path))
    config = CollectorConfig(venue="binance", symbols=("BTC-USDT",), rest_url=f"http://127.0.0.1:{unused_tcp_port}")
    stop, beats = threading.Event(), set[int]()
    running = asyncio.create_task(asyncio.to_thread(run, config, settings, stop=stop))

    def beat() -> bool:
        beats.update(path.stat().st_mtime_ns for path in tmp_path.glob("locks/*.lock"))
        return len(beats) >= 4

    await eventually(lambda: running.done() or beat(), 30)
    stop.set()
    assert await running == 0


async def test_a_broker_that_is_away_is_one_clear_line(unused_tcp_port: int, tmp_path: Path) -> None:
    settings = Settings(kafka_brokers=f"127.0.0.1:{unused_tcp_port}", data_dir=str(tmp_path))
    async with simulated() as simulator, process(simulator, settings, tmp_path / "log") as collector:
        async with asyncio.timeout(30):
            assert await collector.wait() == 1
    lines = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("mdplatform: ")]
    assert len(lines) == 1
    assert settings.kafka_brokers in lines[0]


def _closed(found: list[dict[str, Any]], cause: str, channel: str) -> bool:
    return any(row["cause"] == cause and row["channel"] == channel and row["ended_ns"] for row in found)
