"""From the simulator to a tape, and from the tape back to books: nothing else is needed."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mdplatform.bus.memory import MemoryBus
from mdplatform.bus.reader import Reader
from mdplatform.collector import collect
from mdplatform.core.clock import SECOND, SystemClock
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.recordings.normalize import normalize
from mdplatform.recordings.player import Player
from mdplatform.recordings.replay_tape import play, replay
from mdplatform.recordings.tape import Entry, TapeWriter, parse, read_lines, tape_line
from mdplatform.recordings.tape_sink import TapeBus
from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import broken_links, shard, simulated
from mdplatform_tests.eventually import eventually
from mdplatform_tests.simulator.tape import generate

START = 1_790_000_000 * SECOND


class CountingTapeBus(TapeBus):
    """Knows how many messages of each topic it was given."""

    def __init__(self, tape: TapeWriter, topic: str) -> None:
        super().__init__(tape, topic)
        self.counts: Counter[str] = Counter()

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        super().publish(topic, key, value, received_ns)
        self.counts[topic] += 1


@asynccontextmanager
async def recorded(venue: str, path: Path, books: int) -> AsyncIterator[Simulator]:
    """A simulator, still running, of which frames that give so many books are on tape."""
    async with simulated() as simulator:
        stop = asyncio.Event()
        config = shard(simulator, venue, keep_raw=True)
        with TapeWriter(path) as tape:
            bus = CountingTapeBus(tape, f"md.raw.{venue}")
            running = asyncio.create_task(collect(config, Settings(), bus, SystemClock(), stop))
            await eventually(lambda: running.done() or bus.counts["md.orderbook.normalized"] >= books)
            stop.set()
            await running
        yield simulator


def events(venue: str, path: Path) -> list[dict[str, Any]]:
    return [json.loads(message) for message in normalize(venue, read_lines(path))]


def simulated_lines(seconds: float = 4.0) -> list[bytes]:
    return [tape_line(received_ns, frame) for received_ns, frame in generate("binance", ["BTC"], START, seconds)]


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_a_recording_gives_an_unbroken_chain_of_books(venue: str, tmp_path: Path) -> None:
    async with recorded(venue, tmp_path / "tape.gz", 20):
        books = [event for event in events(venue, tmp_path / "tape.gz") if event["type"] == "book"]
    assert len(books) >= 20
    assert not broken_links(books)
    assert [book["previous_sequence"] for book in books].count(None) == 1


async def test_the_books_of_a_recording_are_the_true_ones(tmp_path: Path) -> None:
    async with recorded("binance", tmp_path / "tape", 20) as simulator:
        truth = simulator.world.truths["binance", "BTCUSDT"]
        books = [event for event in events("binance", tmp_path / "tape") if event["type"] == "book"]
        known = [(book, record) for book in books if (record := truth.at(book["sequence"]))]
    assert known
    for book, record in known:
        assert list(zip(book["b"], book["bv"], strict=True)) == [(float(p), float(s)) for p, s in record["bids"]]
        assert list(zip(book["a"], book["av"], strict=True)) == [(float(p), float(s)) for p, s in record["asks"]]


async def test_a_tape_begins_with_the_instrument_list_and_is_in_order_of_receipt(tmp_path: Path) -> None:
    async with recorded("binance", tmp_path / "tape.gz", 5):
        entries = list(parse(read_lines(tmp_path / "tape.gz")))
    assert all(isinstance(entry, Entry) for entry in entries)
    assert b'"symbols"' in entries[0].frame
    times = [entry.received_ns for entry in entries]
    assert times == sorted(times)


async def test_the_same_tape_gives_the_same_messages() -> None:
    buses = MemoryBus(), MemoryBus()
    for bus in buses:
        await play(Player("binance"), simulated_lines(), bus, Topics(), asyncio.Event())
    assert buses[0].topics == buses[1].topics
    assert buses[0].topics["md.orderbook.normalized"]


async def test_a_replay_is_what_normalize_writes() -> None:
    bus = MemoryBus()
    end = await play(Player("binance"), simulated_lines(), bus, Topics(), asyncio.Event())
    printed = [json.loads(message) for message in normalize("binance", simulated_lines())]
    books = [{k: v for k, v in message.items() if k != "type"} for message in printed if message["type"] == "book"]
    assert [json.loads(message.value) for message in bus.topics["md.orderbook.normalized"]] == books
    assert end.accepted == end.acknowledged == len(printed)


async def test_a_bus_without_room_holds_the_replay_back() -> None:
    bus = MemoryBus(bound=10)
    bus.answering = False
    playing = asyncio.create_task(play(Player("binance"), simulated_lines(), bus, Topics(), asyncio.Event()))
    await eventually(lambda: not bus.has_room)
    held = bus.queue
    await asyncio.wait((playing,), timeout=0.05)
    assert bus.queue == held < 20
    bus.answering = True
    assert (await playing).accepted > 20


async def test_a_given_speed_keeps_the_tapes_pace() -> None:
    lines = [tape_line(START + n * SECOND, b"{}") for n in range(4)]
    begun = asyncio.get_running_loop().time()
    await play(Player("binance"), lines, MemoryBus(), Topics(), asyncio.Event(), speed=10)
    assert asyncio.get_running_loop().time() - begun >= 0.29


async def test_long_pauses_and_times_that_go_back_do_not_hold_it() -> None:
    lines = [tape_line(START + n * SECOND, b"{}") for n in (0, 10_000_000, 5)]
    async with asyncio.timeout(5):
        end = await play(Player("binance"), lines, MemoryBus(), Topics(), asyncio.Event(), speed=1)
    assert end.frames == 3


async def test_a_replay_that_is_stopped_still_delivers_what_it_published() -> None:
    stop, bus = asyncio.Event(), MemoryBus()
    playing = asyncio.create_task(play(Player("binance"), simulated_lines(), bus, Topics(), stop, speed=1))
    await eventually(lambda: bus.topics)
    stop.set()
    end = await playing
    assert 0 < end.accepted == end.acknowledged
    assert end.frames < len(simulated_lines())


async def test_a_tape_that_ends_too_early_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read tape"):
        await play(Player("binance"), read_lines(tmp_path / "none"), MemoryBus(), Topics(), asyncio.Event())


def test_every_message_of_a_replay_arrives_in_kafka(kafka_settings: Settings) -> None:
    lines = simulated_lines()
    end = replay(Player("binance"), "binance", lines, kafka_settings, None, lambda progress: None)
    printed = [json.loads(message) for message in normalize("binance", lines)]
    assert end.accepted == end.acknowledged == len(printed)
    with Reader(kafka_settings) as reader:
        stored = [json.loads(message.value) for message in reader.tail(kafka_settings.topic_books, 100_000)]
    books = [message["sequence"] for message in printed if message["type"] == "book"]
    assert [book["sequence"] for book in stored] == books
