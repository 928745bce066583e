"""What we require of any broker's log: exact, ordered, kept as long as set, and no message lost or doubled."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from mdplatform.bus.admin import Admin
from mdplatform.bus.config import LARGEST_MESSAGE_BYTES, producer_config
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import start_broker
from mdplatform_tests.contract.kafka.conftest import Fill

DAY_MS = 86_400_000


def test_watermarks_count_exactly_what_was_acknowledged(kafka_settings: Settings, topic: str, fill: Fill) -> None:
    fill(20_000)
    marks = Admin(kafka_settings).watermarks([topic])
    assert len(marks) == 4
    assert sum(end - start for start, end in marks.values()) == 20_000


def test_messages_of_one_key_keep_their_order_on_one_partition(
    kafka_settings: Settings, topic: str, fill: Fill
) -> None:
    fill(5_000)
    by_key: dict[bytes, list[int]] = {}
    partitions: dict[bytes, set[int]] = {}
    with Reader(kafka_settings) as reader:
        for (_, partition), (start, end) in Admin(kafka_settings).watermarks([topic]).items():
            for message in reader.read_range(topic, partition, start, end):
                by_key.setdefault(message.key, []).append(int(message.value))
                partitions.setdefault(message.key, set()).add(partition)
    assert {key: sorted(numbers) for key, numbers in by_key.items()} == by_key
    assert {len(found) for found in partitions.values()} == {1}


def test_idempotent_producers_side_by_side_lose_and_double_nothing(kafka_settings: Settings, topic: str) -> None:
    def produce(producer: int) -> None:
        with KafkaBus(kafka_settings) as bus:
            for n in range(5_000):
                bus.publish(topic, b"S%d" % (n % 20), b"%d:%d" % (producer, n), time.time_ns())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(produce, range(3)))
    with Reader(kafka_settings) as reader:
        values = [m.value for m in reader.tail(topic, 100_000)]
    assert sorted(values) == sorted(b"%d:%d" % (producer, n) for producer in range(3) for n in range(5_000))


def test_what_was_received_a_day_ahead_of_now_is_taken(kafka_settings: Settings, topic: str) -> None:
    with KafkaBus(kafka_settings) as bus:
        bus.publish(topic, b"k", b"replayed", time.time_ns() + DAY_MS * 10**6)
        assert bus.flush(60) == 0
        assert (bus.stats().acknowledged, bus.stats().failures) == (1, {})


def test_a_topic_of_ours_takes_messages_of_a_host_whose_clock_runs_a_day_ahead(
    kafka_settings: Settings, topic: str
) -> None:
    producer, errors = Producer(producer_config(kafka_settings)), []
    ahead_ms = time.time_ns() // 10**6 + DAY_MS
    producer.produce(topic, b"v", b"k", timestamp=ahead_ms, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(60) == 0
    assert errors == [None]


def test_a_message_as_large_as_a_venue_s_snapshot_passes(kafka_settings: Settings, topic: str) -> None:
    large = b"x" * (LARGEST_MESSAGE_BYTES - 4096)
    with KafkaBus(kafka_settings) as bus:
        bus.publish(topic, b"k", large, time.time_ns())
    with Reader(kafka_settings) as reader:
        assert [m.value == large for m in reader.tail(topic, 1)] == [True]


def test_deleted_records_move_the_start_of_the_log(
    kafka_settings: Settings, kafka_brokers: str, topic: str, fill: Fill
) -> None:
    fill(2_000)
    admin = Admin(kafka_settings)
    ends = {partition: end for (_, partition), (_, end) in admin.watermarks([topic]).items()}
    wanted = [TopicPartition(topic, partition, end // 2) for partition, end in ends.items()]
    client = AdminClient({"bootstrap.servers": kafka_brokers})
    for future in client.delete_records(wanted).values():
        future.result(20)
    assert admin.watermarks([topic]) == {(topic, p): (end // 2, end) for p, end in ends.items()}


# A real broker enforces retention by whole segments and looks every five minutes: these two are about the embedded one.
@pytest.mark.parametrize("limit", [{"kafka_retention_ms": 1_000}, {"kafka_retention_bytes": 2_000_000}])
def test_the_embedded_broker_forgets_what_retention_does_not_cover(tmp_path: Path, limit: dict[str, int]) -> None:
    with start_broker(tmp_path) as broker:
        settings = Settings(kafka_brokers=broker.brokers, kafka_partitions=1, **limit)
        admin = Admin(settings)
        admin.ensure(["t"])
        deadline = time.monotonic() + 60
        while admin.watermarks(["t"])["t", 0][0] == 0:
            assert time.monotonic() < deadline, "nothing was forgotten within 60 s"
            publish_noise(settings, "t", 500)


def test_a_few_messages_are_forgotten_in_time_but_not_when_feeds_were_proven(tmp_path: Path) -> None:
    with start_broker(tmp_path) as broker:
        settings = Settings(kafka_brokers=broker.brokers, kafka_partitions=1, kafka_retention_ms=1_000)
        admin, topics = Admin(settings), ["t", settings.topic_status]
        admin.ensure(topics)
        deadline = time.monotonic() + 60
        with KafkaBus(settings) as bus:
            while not (first := {topic: low for (topic, _), (low, _) in admin.watermarks(topics).items()})["t"]:
                assert time.monotonic() < deadline, "nothing was forgotten within 60 s"
                for topic in topics:
                    bus.publish(topic, b"k", b"v", time.time_ns())
                bus.flush(10)
                time.sleep(0.1)
        assert first[settings.topic_status] == 0


def publish_noise(settings: Settings, topic: str, count: int) -> None:
    """Messages of 1,000 bytes that no compression makes smaller."""
    rng = Random(1)
    with KafkaBus(settings) as bus:
        for _ in range(count):
            bus.publish(topic, b"k", rng.randbytes(1000), time.time_ns())
