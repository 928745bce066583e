"""Topics are created as set and never altered; watermarks, times and lag are reported as they are."""

import contextlib
import dataclasses
import time
from pathlib import Path

import pytest

from mdplatform.bus.admin import Admin, Difference, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.core.errors import BusError
from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import start_broker


def test_the_platform_has_one_topic_a_dataset_and_venue_where_the_name_says_so() -> None:
    topics = platform_topics(Settings(topic_books="orderbook.{exchange}"), ["binance", "okx"])
    assert topics[:4] == ["orderbook.binance", "orderbook.okx", "md.orderbook.increments", "quotes.binance"]
    assert topics.count("md.feed.status") == 1


@pytest.mark.parametrize("kept", [False, True])
def test_raw_topics_exist_only_when_raw_frames_are_kept(kept: bool) -> None:
    assert ("md.raw.binance" in platform_topics(Settings(keep_raw=kept), ["binance"])) is kept


def test_a_missing_topic_is_created_with_the_partitions_set(kafka_settings: Settings) -> None:
    admin = Admin(kafka_settings)
    assert admin.ensure([kafka_settings.topic_books]) == []
    assert admin.topics()[kafka_settings.topic_books] == kafka_settings.kafka_partitions


def test_ensuring_twice_finds_nothing_to_do(kafka_settings: Settings) -> None:
    admin = Admin(kafka_settings)
    admin.ensure([kafka_settings.topic_books])
    assert admin.ensure([kafka_settings.topic_books]) == []


def test_an_existing_topic_that_differs_is_reported_and_left_alone(kafka_settings: Settings) -> None:
    topic = kafka_settings.topic_books
    Admin(kafka_settings).ensure([topic])
    other = Admin(dataclasses.replace(kafka_settings, kafka_partitions=2, kafka_retention_ms=1000))
    differences = [
        Difference(topic, "partitions", "2", "4"),
        Difference(topic, "retention.ms", "1000", str(kafka_settings.kafka_retention_ms)),
    ]
    assert other.ensure([topic]) == differences
    assert other.ensure([topic]) == differences


def test_the_offset_at_a_time_is_the_first_message_not_older(kafka_settings: Settings) -> None:
    topic, admin, first_ms = kafka_settings.topic_books, Admin(kafka_settings), time.time_ns() // 1_000_000 - 60_000
    admin.ensure([topic])
    with KafkaBus(kafka_settings) as bus:
        for n in range(10):
            bus.publish(topic, b"k", b"v", (first_ms + n) * 1_000_000)
    at, past_the_end = admin.offsets_at([topic], first_ms + 4), admin.offsets_at([topic], first_ms + 60_000)
    assert (sorted(at.values()), sorted(past_the_end.values())) == ([0, 0, 0, 4], [0, 0, 0, 10])


def test_watermarks_of_a_topic_that_does_not_exist_are_none(kafka_settings: Settings) -> None:
    assert Admin(kafka_settings).watermarks([kafka_settings.topic_books]) == {}


def test_a_broker_that_is_not_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdplatform.bus.admin.TIMEOUT_S", 0.5)
    with pytest.raises(BusError, match=r"Kafka at 127\.0\.0\.1:9 does not answer"):
        Admin(Settings(kafka_brokers="127.0.0.1:9")).topics()


def test_a_group_is_found_again_once_its_broker_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdplatform.bus.admin.TIMEOUT_S", 1.0)
    broker = start_broker(tmp_path)
    admin = Admin(Settings(kafka_brokers=broker.brokers))
    assert admin.committed("g") == {}
    broker.stop()
    with start_broker(tmp_path, broker.port):
        with contextlib.suppress(BusError):  # the client library asks on a connection that is gone
            admin.committed("g")
        assert admin.committed("g") == {}


def test_forgetting_a_group_that_nobody_knows_is_no_error(kafka_settings: Settings) -> None:
    Admin(kafka_settings).forget("nobody")


def test_raw_frames_have_a_retention_of_their_own(kafka_settings: Settings) -> None:
    settings = dataclasses.replace(kafka_settings, keep_raw=True, retention_raw=2)
    topic = settings.topic_raw.replace("{exchange}", "okx")
    Admin(settings).ensure([topic, settings.topic_books])
    found = Admin(dataclasses.replace(settings, retention_raw=3)).ensure([topic, settings.topic_books])
    assert found == [Difference(topic, "retention.ms", str(3 * 86_400_000), str(2 * 86_400_000))]
