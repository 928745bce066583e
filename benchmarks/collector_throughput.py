"""Claim: one collector on one core takes 50,000 mixed frames a second, or 17,000 book diffs, in less than 100 MB.

    python benchmarks/collector_throughput.py [--broker] [--seconds 3600] [--channels depth@100ms]

A simulated recording of one Binance symbol (10 diffs of about 30 levels a second, trades beside them) is sent by a
process on another core as fast as the collector takes it, through a real WebSocket. Without ``--broker`` messages go
to the bus in memory, with it to an embedded broker. Prints frames a second of wall time and of CPU time, and memory.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from mdplatform.bus import Bus
from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.memory import MemoryBus
from mdplatform.collector import CollectorConfig, collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.events import FeedStats
from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import start_broker
from mdplatform.recordings.tape import TapeWriter
from mdplatform_tests.replay_server import binance, replaying
from mdplatform_tests.simulator.tape import generate

START_NS = 1_750_000_000_000_000_000


class Forgetful(MemoryBus):
    """The bus in memory without its memory: it acknowledges and drops."""

    def poll(self) -> None:
        super().poll()
        self.topics.clear()


def serve(tape: Path, told: Connection) -> None:
    """Send the tape to whoever subscribes; say where, and when all is sent."""

    async def main() -> None:
        async with replaying(binance(tape)) as server:
            told.send((server.ws_url, server.rest_url))
            await server.finished.wait()
            told.send(server.sent)
            await asyncio.sleep(3600)

    uvloop.run(main())


@contextlib.contextmanager
def chosen_bus(settings: Settings, with_broker: bool) -> Iterator[Bus]:
    if not with_broker:
        yield Forgetful(settings.queue_messages)
        return
    with tempfile.TemporaryDirectory() as directory, start_broker(Path(directory)) as broker:
        settings = Settings(kafka_brokers=broker.brokers)
        Admin(settings).ensure(platform_topics(settings, ["binance"]))
        with KafkaBus(settings) as bus:
            yield bus


async def measure(bus: Bus, settings: Settings, venue: Connection, channels: tuple[str, ...]) -> None:
    ws_url, rest_url = await asyncio.to_thread(venue.recv)
    where = {"ws_url": ws_url, "rest_url": rest_url}
    config = CollectorConfig(venue="binance", symbols=("BTC-USDT",), channels=channels, **where)
    stop, marks = asyncio.Event(), list[tuple[float, float, int]]()

    def mark(stats: FeedStats) -> None:
        marks.append((time.perf_counter(), time.process_time(), stats.frames))

    running = asyncio.create_task(collect(config, settings, bus, SystemClock(), stop, on_stats=mark))
    sent = await asyncio.to_thread(venue.recv)
    while not marks or marks[-1][2] < sent:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    stop.set()
    report = await running
    busy = [m for m in marks if m[2] < sent]
    (wall_0, cpu_0, frames_0), (wall_1, cpu_1, frames_1) = busy[0], busy[-1]
    frames = frames_1 - frames_0
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{frames / (wall_1 - wall_0):,.0f} frames/s wall, {frames / (cpu_1 - cpu_0):,.0f} frames/s of CPU")
    print(f"{report}; peak memory {rss:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", action="store_true", help="publish to an embedded broker")
    parser.add_argument("--seconds", type=float, default=3600, help="length of the recording in market time")
    parser.add_argument("--channels", default="depth@100ms,trade", help="the venue's channels, comma-separated")
    options = parser.parse_args()
    spawning = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as directory:
        tape = Path(directory) / "tape.txt"
        with TapeWriter(tape) as writer:
            for received_ns, frame in generate("binance", ["BTC"], START_NS, options.seconds, rate=300.0):
                if json.loads(frame).get("stream") or b"lastUpdateId" in frame:
                    writer.write(received_ns, frame)
        venue, told = spawning.Pipe()
        server = spawning.Process(target=serve, args=(tape, told), daemon=True)
        server.start()
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(server.pid or 0, cores[:1])
        settings = Settings()
        with chosen_bus(settings, options.broker) as bus:
            os.sched_setaffinity(0, cores[-1:])
            uvloop.run(measure(bus, settings, venue, tuple(options.channels.split(","))))
        server.terminate()


if __name__ == "__main__":
    main()
