"""Stored messages are found by place, from the end, and by feed."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mdplatform.bus import reader as reader_module
from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Follower, Reader
from mdplatform.bus.subscription import topic_names
from mdplatform.core.codec import encode
from mdplatform.core.errors import BusError
from mdplatform.core.events import FeedStatus
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics

Publish = Callable[[str, list[tuple[bytes, bytes]]], None]


@pytest.fixture
def publish(kafka_settings: Settings) -> Publish:
    """Send (key, value) pairs to a topic and have them acknowledged."""

    def send(topic: str, pairs: list[tuple[bytes, bytes]]) -> None:
        Admin(kafka_settings).ensure([topic])
        with KafkaBus(kafka_settings) as bus:
            for key, value in pairs:
                bus.publish(topic, key, value, time.time_ns())

    return send


@pytest.fixture
def reader(kafka_settings: Settings) -> Iterator[Reader]:
    with Reader(kafka_settings) as reader:
        yield reader


def status(symbol: str, started: int, ended: int | None, exchange: str = "binance") -> tuple[bytes, bytes]:
    return encode(FeedStatus(exchange, symbol, "book", "valid", "snapshot", started, ended))


def test_the_tail_is_the_newest_messages_oldest_first(
    kafka_settings: Settings, publish: Publish, reader: Reader
) -> None:
    publish(kafka_settings.topic_books, [(b"k", b"%d" % n) for n in range(20)])
    assert [m.value for m in reader.tail(kafka_settings.topic_books, 3)] == [b"17", b"18", b"19"]


def test_the_tail_of_a_topic_that_does_not_exist_is_empty(reader: Reader) -> None:
    assert reader.tail("there.is.no.such.topic", 3) == []


def test_a_range_holds_its_first_offset_and_not_its_last(
    kafka_settings: Settings, publish: Publish, reader: Reader
) -> None:
    topic = kafka_settings.topic_books
    publish(topic, [(b"k", b"%d" % n) for n in range(20)])
    (partition,) = (p for (_, p), (_, end) in Admin(kafka_settings).watermarks([topic]).items() if end)
    assert [m.offset for m in reader.read_range(topic, partition, 5, 9)] == [5, 6, 7, 8]
    assert [m.offset for m in reader.read_range(topic, partition, 18, 900)] == [18, 19]


def test_the_last_status_of_each_feed_is_the_one_that_reaches_furthest(
    kafka_settings: Settings, publish: Publish, reader: Reader
) -> None:
    topic = kafka_settings.topic_status
    publish(topic, [status("BTC-USDT", 10, None), status("BTC-USDT", 10, 20), status("ETH-USDT", 15, 18)])
    found = reader.last_status(topic, "binance", {("BTC-USDT", "book"), ("ETH-USDT", "book")})
    assert {feed: s.ended_ns for feed, s in found.items()} == {("BTC-USDT", "book"): 20, ("ETH-USDT", "book"): 18}


def test_the_status_of_another_exchange_is_not_taken_for_ours(
    kafka_settings: Settings, publish: Publish, reader: Reader
) -> None:
    publish(kafka_settings.topic_status, [status("BTC-USDT", 10, 20, exchange="okx")])
    assert reader.last_status(kafka_settings.topic_status, "binance", {("BTC-USDT", "book")}) == {}


def test_a_status_far_from_the_end_is_found_in_an_earlier_window(
    kafka_settings: Settings, publish: Publish, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "FIRST_WINDOW", 10)
    topic = kafka_settings.topic_status
    publish(topic, [status("OLD-USDT", 1, 2), *(status(f"S{n % 7}-USDT", n, n) for n in range(2000))])
    wanted = {("OLD-USDT", "book"), ("S3-USDT", "book")}
    found = reader.last_status(topic, "binance", wanted)
    assert {feed: s.started_ns for feed, s in found.items()} == {("OLD-USDT", "book"): 1, ("S3-USDT", "book"): 1998}


def test_what_is_no_status_is_passed_over(kafka_settings: Settings, publish: Publish, reader: Reader) -> None:
    topic = kafka_settings.topic_status
    publish(topic, [status("BTC-USDT", 1, 2), (b"BTC-USDT", b"garbage")])
    assert set(reader.last_status(topic, "binance", {("BTC-USDT", "book")})) == {("BTC-USDT", "book")}


def test_a_feed_without_any_status_is_left_out(kafka_settings: Settings, publish: Publish, reader: Reader) -> None:
    publish(kafka_settings.topic_status, [status("BTC-USDT", 1, 2)])
    assert reader.last_status(kafka_settings.topic_status, "binance", {("NEW-USDT", "book")}) == {}


@pytest.fixture
def follower(kafka_settings: Settings) -> Iterator[Follower]:
    names = {"trades": topic_names(kafka_settings.topic_trades)}
    follower = Follower(kafka_settings, names, tail=2, client="follower-of-a-test")
    yield follower
    follower.close()


def followed(follower: Follower, count: int) -> list[tuple[str, bytes]]:
    """Until so many messages have come."""
    taken: list[tuple[str, bytes]] = []
    while len(taken) < count:
        taken += [(dataset, message.value) for dataset, message in follower.take(0.5, 100)]
    return taken


def test_a_follower_begins_shortly_before_the_end_and_goes_on_with_what_comes(
    kafka_settings: Settings, publish: Publish, follower: Follower
) -> None:
    topic = Topics.from_settings(kafka_settings).expand("trades", ["binance"])[0]
    publish(topic, [(b"k", b"%d" % n) for n in range(5)])
    follower.look()
    assert followed(follower, 2) == [("trades", b"3"), ("trades", b"4")]
    publish(topic, [(b"k", b"5")])
    assert followed(follower, 1) == [("trades", b"5")]


def test_an_idle_follower_awaits_the_first_message_of_a_batch(
    kafka_settings: Settings, publish: Publish, follower: Follower
) -> None:
    topic = Topics.from_settings(kafka_settings).expand("trades", ["binance"])[0]
    publish(topic, [(b"k", b"before")])
    follower.look()
    assert followed(follower, 1) == [("trades", b"before")]
    with ThreadPoolExecutor() as pool:
        taking = pool.submit(follower.take, 0.05, 100, 30.0)
        time.sleep(0.2)  # longer than a batch
        publish(topic, [(b"k", b"late")])
        assert [message.value for _, message in taking.result()] == [b"late"]


def test_a_follower_finds_a_topic_that_appears_later_and_no_other(
    kafka_settings: Settings, publish: Publish, follower: Follower
) -> None:
    follower.look()
    assert follower.partitions == 0
    publish(kafka_settings.topic_books, [(b"k", b"of another dataset")])
    topic = Topics.from_settings(kafka_settings).expand("trades", ["okx"])[0]
    publish(topic, [(b"k", b"new")])
    follower.look()
    assert followed(follower, 1) == [("trades", b"new")]


def test_a_follower_joins_no_group(kafka_settings: Settings, publish: Publish, follower: Follower) -> None:
    publish(Topics.from_settings(kafka_settings).expand("trades", ["binance"])[0], [(b"k", b"v")])
    follower.look()
    followed(follower, 1)
    assert "follower-of-a-test" not in Admin(kafka_settings).groups()


def test_a_follower_says_that_the_broker_does_not_answer() -> None:
    follower = Follower(Settings(kafka_brokers="127.0.0.1:1"), {}, tail=2, client="follower-of-a-test")
    with pytest.raises(BusError):
        follower.look()
    follower.close()
