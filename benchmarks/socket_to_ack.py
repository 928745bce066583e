"""Claim: one core takes a busy market from the socket to the broker's acknowledgement, faster than the usual ways.

    python -m benchmarks.socket_to_ack [--runs 3]

A recorded Binance feed (trades, best prices, diffs of the book) comes through a real WebSocket as fast as it is taken
and goes to the embedded broker. What is measured has one core for all its threads; venue and broker share another.
Ours: ``collect``, as in production. Plain: aiohttp, ujson, pydantic, aiokafka. Floor: aiohttp's frames handed to
librdkafka unread.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.recordings import DATA
from benchmarks.rivals.pipelines import WAYS
from benchmarks.table import Cell, Table, median, ratio
from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import start_broker
from mdplatform_tests.replay_server import Replay, binance, replaying

TAPE = DATA / "binance" / "hft_spot_btcusdt_20240808.txt.gz"
SPAWN = get_context("spawn")
CORES = sorted(os.sched_getaffinity(0))
PATIENCE_S = 240.0  # for one run, on a machine that does much else


def venue(told: Connection, cores: Sequence[int]) -> None:
    """A process: serves the recording each time it is asked to; reports when it started, and when all is sent."""
    os.sched_setaffinity(0, cores)
    replay = binance(TAPE)
    while told.recv():
        uvloop.run(serve(replay, told))


async def serve(replay: Replay, told: Connection) -> None:
    async with replaying(replay) as server:
        told.send((server.ws_url, server.rest_url))
        await server.fetched.wait()
        told.send(time.monotonic())
        await server.finished.wait()
        told.send(server.sent)
        await asyncio.to_thread(told.recv)  # the other side has ended


def contestant(way: str, told: Connection, brokers: str, cores: Sequence[int]) -> None:
    """A process: one way, on ``cores``. Reports when it ended and the CPU seconds of all its threads."""
    os.sched_setaffinity(0, cores)

    async def main() -> None:
        ws_url, rest_url = await asyncio.to_thread(told.recv)

        async def all_sent() -> int:
            nonlocal began
            await asyncio.to_thread(told.recv)  # now the frames come: what it took to start is over
            began = time.process_time()
            sent: int = await asyncio.to_thread(told.recv)
            return sent

        began = 0.0
        ended = await WAYS[way](ws_url, rest_url, brokers, all_sent)
        told.send((ended, time.process_time() - began))

    uvloop.run(main())


def once(way: str, venue_end: Connection, brokers: str) -> tuple[float, float]:
    """(frames a second of time, frames a second of CPU time)."""
    with running(way, brokers, CORES[-1:]) as here:
        began, ended, sent, cpu = race(here, venue_end)
    return sent / (ended - began), sent / cpu


def race(here: Connection, venue_end: Connection) -> tuple[float, float, int, float]:
    """One recording from ``venue_end`` to the contestant: (began, ended, frames, CPU seconds)."""
    heard: list[Any] = []
    try:
        venue_end.send(True)
        for _ in ("addresses", "began", "sent"):
            here.send(said := answer(venue_end))
            heard.append(said)
        ended, cpu = answer(here)
        return heard[1], ended, heard[2], cpu
    finally:
        venue_end.send(True)


@contextmanager
def running(way: str, brokers: str, cores: Sequence[int]) -> Iterator[Connection]:
    """A contestant, to be given its venue's address."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=contestant, args=(way, there, brokers, cores))
    process.start()
    try:
        yield here
        process.join(10)
    finally:
        process.kill()
        process.join()


def answer(end: Connection) -> Any:
    if not end.poll(PATIENCE_S):
        raise TimeoutError(f"no answer within {PATIENCE_S:g} s")
    return end.recv()


@contextmanager
def a_venue(cores: Sequence[int]) -> Iterator[Connection]:
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=venue, args=(there, cores), daemon=True)
    process.start()
    try:
        yield here
    finally:
        process.kill()
        process.join()


def measure(runs: int = 3) -> Table:
    os.sched_setaffinity(0, CORES[:1])
    wall: defaultdict[str, list[float]] = defaultdict(list)
    cpu: defaultdict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as directory, start_broker(Path(directory)) as broker, a_venue(CORES[:1]) as end:
        Admin(settings := Settings(kafka_brokers=broker.brokers)).ensure(platform_topics(settings, ["binance"]))
        for _ in range(runs):
            for way in WAYS:
                by_wall, by_cpu = once(way, end, broker.brokers)
                wall[way].append(by_wall)
                cpu[way].append(by_cpu)
    rows: list[list[Cell]] = []
    for name, found in (("time", wall), ("CPU time", cpu)):
        medians = {way: median(found[way]) for way in WAYS}
        times = [ratio(medians["ours"], medians[way]) for way in ("plain", "floor")]
        rows.append([*times, *medians.values(), f"mixed frames a second of {name}"])
    claim = "from a recorded feed's socket to the broker's acknowledgement, one core"
    notes = [
        "ours: the collector. plain: aiohttp + ujson + pydantic + aiokafka, not compressed. floor: aiohttp's frames",
        "to librdkafka, unread. CPU time counts all threads of the process, compression too (ours and floor: zstd).",
    ]
    return Table("socket_to_ack", claim, ["x plain", "x floor", *WAYS, "what"], rows, notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    print(measure(parser.parse_args().runs).text())
