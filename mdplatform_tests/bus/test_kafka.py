"""What only the bus on Kafka can meet: messages that can never be taken, and a broker that forgot."""

import asyncio
import base64
import json
import random
import time
from hashlib import sha256
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from mdplatform.bus import kafka, partitions
from mdplatform.bus.admin import Admin
from mdplatform.bus.config import LARGEST_MESSAGE_BYTES
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.collector.publisher import EventPublisher
from mdplatform.core.clock import SystemClock
from mdplatform.core.errors import BrokenBus, BusError
from mdplatform.core.events import DeadLetter, Event, RawFrame
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.embedded.broker import start_broker
from mdplatform_tests.eventually import eventually

DAY_NS = 86_400 * 1_000_000_000


def test_a_message_too_large_for_kafka_is_counted_as_failed_and_the_next_one_arrives(kafka_settings: Settings) -> None:
    topic = kafka_settings.topic_books
    Admin(kafka_settings).ensure([topic])
    with KafkaBus(kafka_settings) as bus:
        bus.publish(topic, b"k", b"x" * (LARGEST_MESSAGE_BYTES + 1), time.time_ns())
        bus.publish(topic, b"k", b"small", time.time_ns())
        bus.flush(20)
        stats = bus.stats()
    assert (stats.acknowledged, stats.failures) == (1, {"MSG_SIZE_TOO_LARGE": 1})


@pytest.mark.parametrize("byte", [b'"', b"\xff", b"x", "\u00e9".encode()], ids=["escaped", "base64", "plain", "wide"])
@pytest.mark.parametrize("kind", ["dead_letter", "raw"])
def test_a_frame_larger_than_kafka_takes_is_cut_with_its_length_and_hash(
    kafka_settings: Settings, byte: bytes, kind: str
) -> None:
    frame, now_ns = byte * (17_000_000 // len(byte)), time.time_ns()
    events: dict[str, Event] = {
        "dead_letter": DeadLetter("binance", "not_json", "broken", frame, now_ns, "c#1"),
        "raw": RawFrame("binance", "c#1", 1, now_ns, frame),
    }
    topics = Topics.from_settings(kafka_settings)
    Admin(kafka_settings).ensure([topics.of(events[kind])])
    with KafkaBus(kafka_settings) as bus:
        outlet = EventPublisher(bus, topics, SystemClock())
        outlet.publish(events[kind])
        outlet.publish(DeadLetter("binance", "not_json", "the next one", b"{", now_ns, "c#1"))
        bus.flush(20)
        assert (bus.stats().acknowledged, bus.stats().failed) == (2, 0)
    with Reader(kafka_settings) as reader:
        messages = [json.loads(message.value) for message in reader.tail(topics.of(events[kind]), 10)]
    kept = next(message for message in messages if "frame_bytes" in message)
    assert (kept["frame_bytes"], kept["frame_sha256"]) == (len(frame), sha256(frame).hexdigest())
    head = base64.b64decode(kept["frame"]) if kept.get("encoding") else kept["frame"].encode()
    assert frame.startswith(head)
    assert len(head) > 200_000


def test_a_topic_that_takes_less_than_ours_is_given_the_head(kafka_settings: Settings) -> None:
    topics, now_ns = Topics.from_settings(kafka_settings), time.time_ns()
    rng = random.Random(7)
    letter = DeadLetter("binance", "not_json", "broken", bytes(rng.randbytes(3_000_000)), now_ns, "c#1")
    client = AdminClient({"bootstrap.servers": kafka_settings.kafka_brokers})
    small = NewTopic(topics.of(letter), 1, config={"max.message.bytes": "1000000"})
    client.create_topics([small])[small.topic].result(10)
    with KafkaBus(kafka_settings) as bus:
        EventPublisher(bus, topics, SystemClock()).publish(letter)
        bus.flush(20)
        assert (bus.stats().acknowledged, bus.stats().failed) == (1, 0)
    with Reader(kafka_settings) as reader:
        (message,) = reader.tail(topics.of(letter), 10)
    # A stamp of 1969 lets the broker delete the message a moment later.
    assert (json.loads(message.value)["frame_bytes"], message.timestamp_ms) == (3_000_000, now_ns // 1_000_000)


def test_what_the_broker_refuses_is_not_among_the_acknowledged(kafka_settings: Settings) -> None:
    client = AdminClient({"bootstrap.servers": kafka_settings.kafka_brokers})
    client.create_topics([NewTopic("small", 1, config={"max.message.bytes": "100000"})])["small"].result(10)
    noise = random.Random(7).randbytes
    with KafkaBus(kafka_settings) as bus:
        for size in (10, 300_000, 200_000, 10, 300_000):  # some beyond what could hold a frame to be cut
            bus.publish("small", b"k", noise(size), time.time_ns())
            bus.flush(20)
        stats = bus.stats()
        assert (stats.accepted, stats.acknowledged, stats.queue) == (5, 2, 0)
        assert stats.failures == {"MSG_SIZE_TOO_LARGE": 3}
    with Reader(kafka_settings) as reader:
        assert [len(message.value) for message in reader.tail("small", 10)] == [10, 10]


def test_a_replayed_message_is_stamped_with_the_time_of_the_replay(kafka_settings: Settings) -> None:
    topic, before_ms = kafka_settings.topic_books, time.time_ns() // 1_000_000
    Admin(kafka_settings).ensure([topic])
    with KafkaBus(kafka_settings) as bus:
        bus.publish(topic, b"k", b"recorded long ago", time.time_ns() - 400 * DAY_NS)
    with Reader(kafka_settings) as reader:
        assert [m.timestamp_ms >= before_ms for m in reader.tail(topic, 1)] == [True]


def test_a_broker_that_lost_its_state_breaks_the_idempotent_bus(tmp_path: Path) -> None:
    before = start_broker(tmp_path / "before")
    bus = KafkaBus(Settings(kafka_brokers=before.brokers))
    bus.publish("t", b"k", b"1", time.time_ns())
    bus.flush(20)
    before.kill()
    with start_broker(tmp_path / "after", before.port):
        bus.publish("t", b"k", b"2", time.time_ns())
        with pytest.raises(BusError, match=r"the Kafka producer is broken for good: .+sequence"):
            bus.flush(30)
        with pytest.raises(BusError, match="broken for good"):
            bus.publish("t", b"k", b"3", time.time_ns())
        bus.close(1)
        assert bus.stats().acknowledged == 1


async def test_a_broker_that_came_back_without_a_partition_breaks_the_bus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "LOOK_S", 0.2)
    before = start_broker(tmp_path / "before")
    settings = Settings(kafka_brokers=before.brokers)
    Admin(settings).ensure(["t"])
    bus = KafkaBus(settings)
    bus.publish("t", b"BTC-USDT", b"1", time.time_ns())  # to the third of four partitions
    serving = asyncio.create_task(bus.serve())
    await eventually(lambda: bus.stats().acknowledged == 1)
    before.kill()
    with start_broker(tmp_path / "after", before.port):  # which makes a topic of one partition when it is asked for it
        bus.publish("t", b"BTC-USDT", b"2", time.time_ns())
        with pytest.raises(BrokenBus, match=r"lost partitions of 1 topics: t has [01] of 4"):
            await asyncio.wait_for(serving, 30)
        bus.close(1)


def test_a_publisher_that_ignores_the_bound_is_refused_before_anything_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "FULL_BUFFER_S", 0.2)
    with start_broker(tmp_path) as broker:
        settings = Settings(kafka_brokers=broker.brokers, queue_messages=10)
        Admin(settings).ensure(["t"])
        bus = KafkaBus(settings)
        broker.pause()
        with pytest.raises(BusError, match="messages wait for the broker"):
            publish_for_ever(bus)
        broker.resume()
        assert bus.close(30) == 0
        stats = bus.stats()
    assert stats.acknowledged == stats.accepted > 10


def publish_for_ever(bus: KafkaBus) -> None:
    while True:
        bus.publish("t", b"k", b"v", time.time_ns())
