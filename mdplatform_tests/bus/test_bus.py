"""One suite for every bus: the real one on a broker that can be frozen, and its double in memory."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mdplatform.bus import Bus, Message
from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.memory import MemoryBus
from mdplatform.bus.reader import Reader
from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import Broker, start_broker

BOUND = 100


@dataclass
class Rig:
    """A bus, a topic of this test, ways to make what is behind it stop answering, and what it has stored."""

    bus: Bus
    topic: str
    freeze: Callable[[], Any]
    thaw: Callable[[], Any]
    stored: Callable[[], list[Message]]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with start_broker(tmp_path_factory.mktemp("bus")) as broker:
        yield broker


@pytest.fixture(params=["memory", "kafka"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "memory":
        yield _in_memory()
        return
    yield from _on_kafka(request.getfixturevalue("broker"), f"books.{request.node.originalname}")


def _in_memory() -> Rig:
    bus = MemoryBus(BOUND)

    def answer(yes: bool) -> None:
        bus.answering = yes

    return Rig(bus, "books", lambda: answer(False), lambda: answer(True), lambda: bus.topics.get("books", []))


def _on_kafka(broker: Broker, topic: str) -> Iterator[Rig]:
    settings = Settings(kafka_brokers=broker.brokers, queue_messages=BOUND)
    Admin(settings).ensure([topic])
    bus = KafkaBus(settings)

    def stored() -> list[Message]:
        with Reader(settings) as reader:
            return reader.tail(topic, 100_000)

    bus.publish(topic, b"warm-up", b"", time.time_ns())
    bus.flush(10)
    try:
        yield Rig(bus, topic, broker.pause, broker.resume, lambda: [m for m in stored() if m.value])
    finally:
        broker.resume()
        bus.close(10)


def send(rig: Rig, count: int, first: int = 0) -> list[bytes]:
    values = [b"%d" % n for n in range(first, first + count)]
    for value in values:
        rig.bus.publish(rig.topic, b"BTC-USDT", value, time.time_ns())
    return values


def test_what_was_published_is_stored_in_order(rig: Rig) -> None:
    values = send(rig, 500)
    assert rig.bus.flush(20) == 0
    assert [m.value for m in rig.stored()] == values


def test_a_message_carries_its_key_and_the_time_it_was_received(rig: Rig) -> None:
    received_ns = time.time_ns() - 60_000_000_000
    rig.bus.publish(rig.topic, b"ETH-USDT", b"v", received_ns)
    rig.bus.flush(20)
    assert [(m.key, m.timestamp_ms) for m in rig.stored()] == [(b"ETH-USDT", received_ns // 1_000_000)]


def test_every_message_is_counted_as_acknowledged_once_it_is(rig: Rig) -> None:
    before = rig.bus.stats().acknowledged
    send(rig, 50)
    rig.bus.flush(20)
    after = rig.bus.stats()
    assert (after.acknowledged - before, after.failed, after.queue) == (50, 0, 0)


def test_latency_covers_only_what_was_acknowledged_since_the_last_snapshot(rig: Rig) -> None:
    send(rig, 20)
    rig.bus.flush(20)
    first, second = rig.bus.stats(), rig.bus.stats()
    assert first.latency_p50_ms is not None
    assert second.latency_p50_ms is None


def test_there_is_no_room_once_the_queue_reaches_its_bound(rig: Rig) -> None:
    rig.freeze()
    send(rig, BOUND - 1)
    assert rig.bus.has_room
    send(rig, 1, first=BOUND - 1)
    assert not rig.bus.has_room


async def test_room_is_awaited_until_the_broker_answers_and_nothing_is_lost(rig: Rig) -> None:
    rig.freeze()
    values = send(rig, BOUND + 20)
    waiter = asyncio.create_task(rig.bus.room())
    done, _ = await asyncio.wait({waiter}, timeout=0.2)
    assert not done
    rig.thaw()
    await asyncio.wait_for(waiter, 30)
    assert rig.bus.flush(30) == 0
    assert [m.value for m in rig.stored()] == values


async def test_room_returns_at_once_when_there_is_some(rig: Rig) -> None:
    await asyncio.wait_for(rig.bus.room(), 1)


async def test_the_time_without_room_is_counted(rig: Rig) -> None:
    rig.freeze()
    send(rig, BOUND)
    await asyncio.wait({asyncio.create_task(rig.bus.room())}, timeout=0.1)
    assert rig.bus.stats().paused_ms >= 50


async def test_serving_takes_in_acknowledgements_without_anybody_publishing(rig: Rig) -> None:
    serving = asyncio.create_task(rig.bus.serve())
    send(rig, 10)
    async with asyncio.timeout(20):
        while rig.bus.queue:  # noqa: ASYNC110 - the bus has no event to wait for, being polled is its contract
            await asyncio.sleep(0.005)
    serving.cancel()


def test_flush_says_how_many_are_still_waiting_when_its_time_is_over(rig: Rig) -> None:
    rig.freeze()
    send(rig, 7)
    assert rig.bus.flush(0.2) == 7


def test_closing_gives_up_what_is_left_and_counts_it_as_failed(rig: Rig) -> None:
    rig.freeze()
    send(rig, 7)
    assert rig.bus.close(0.2) == 7
    stats = rig.bus.stats()
    assert (stats.failed, stats.queue, sum(stats.failures.values())) == (7, 0, 7)
