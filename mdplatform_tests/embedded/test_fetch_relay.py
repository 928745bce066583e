"""The relay in front of the broker, through a raw connection and a real client."""

from __future__ import annotations

import socket
import struct
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from mdplatform.embedded.kafka_frames import is_empty, max_wait_s, topics_fetched, topics_produced

CORRELATION = 77


def fetch_request(topic: str, wait_ms: int, version: int = 4) -> bytes:
    """A Fetch v4 of partition 0 from offset 0."""
    name = topic.encode()
    header = struct.pack(">hhih", 1, version, CORRELATION, 1) + b"c"
    body = struct.pack(">iiiibi", -1, wait_ms, 1, 2**20, 0, 1) + struct.pack(">h", len(name)) + name
    return header + body + struct.pack(">iiqi", 1, 0, 0, 2**20)


def asked(brokers: str, request: bytes) -> bytes:
    """The answer to one request on a connection of its own, without its size."""
    host, _, port = brokers.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rb") as answers:
        connection.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", answers.read(4))
        return answers.read(size)


@pytest.fixture
def topic(kafka_brokers: str) -> str:
    """A topic with one message, read to its end by nobody."""
    name = f"longpoll-{time.time_ns()}"
    producer = Producer({"bootstrap.servers": kafka_brokers})
    producer.produce(name, b"first", partition=0)
    assert producer.flush(10) == 0
    return name


def test_an_idle_fetch_waits_as_long_as_the_client_asked(kafka_brokers: str, topic: str) -> None:
    request = fetch_request(topic, wait_ms=400).replace(
        struct.pack(">iiqi", 1, 0, 0, 2**20), struct.pack(">iiqi", 1, 0, 1, 2**20)
    )
    begun = time.monotonic()
    answer = asked(kafka_brokers, request)
    assert struct.unpack_from(">i", answer) == (CORRELATION,)
    assert is_empty(answer, 4)
    assert time.monotonic() - begun > 0.3


def test_a_fetch_with_data_carries_it(kafka_brokers: str, topic: str) -> None:
    answer = asked(kafka_brokers, fetch_request(topic, wait_ms=400))
    assert b"first" in answer
    assert not is_empty(answer, 4)


def test_a_waiting_consumer_gets_a_message_when_it_comes(kafka_brokers: str, topic: str) -> None:
    consumer = Consumer({"bootstrap.servers": kafka_brokers, "group.id": "longpoll", "fetch.wait.max.ms": 5000})
    consumer.assign([TopicPartition(topic, 0, 1)])
    assert consumer.poll(0.5) is None
    producer = Producer({"bootstrap.servers": kafka_brokers})
    producer.produce(topic, b"second", partition=0)
    assert producer.flush(10) == 0
    message = consumer.poll(10)
    consumer.close()
    assert message is not None
    assert message.value() == b"second"


def test_a_message_that_nobody_acknowledges_reaches_a_waiting_consumer(kafka_brokers: str, topic: str) -> None:
    consumer = Consumer({"bootstrap.servers": kafka_brokers, "group.id": "unseen", "fetch.wait.max.ms": 5000})
    consumer.assign([TopicPartition(topic, 0, 1)])
    assert consumer.poll(0.5) is None
    producer = Producer({"bootstrap.servers": kafka_brokers, "acks": 0})
    producer.produce(topic, b"unseen", partition=0)
    assert producer.flush(10) == 0
    message = consumer.poll(10)
    consumer.close()
    assert message is not None
    assert message.value() == b"unseen"


@pytest.mark.parametrize(("version", "size"), [(0, 6), (3, 7)])
def test_fetch_and_produce_are_offered_without_compact_encoding(kafka_brokers: str, version: int, size: int) -> None:
    compact = b"\0\x02c\x02c\0" if version >= 3 else b""
    answer = asked(kafka_brokers, struct.pack(">hhih", 18, version, CORRELATION, 1) + b"c" + compact)
    first = 7 if version >= 3 else 10
    entries = [struct.unpack_from(">hhh", answer, at) for at in range(first, len(answer) - size, size)]
    offered = {key: highest for key, _, highest in entries}
    assert (offered[0], offered[1]) == (8, 11)
    assert offered[3] > 8  # Metadata's is as the broker has it


def test_the_topics_of_a_fetch_are_read_in_each_version() -> None:
    assert topics_fetched(fetch_request("one", wait_ms=1), 4) == {b"one"}
    name = struct.pack(">h", 3)
    partitions = struct.pack(">i", 2) + 2 * struct.pack(">iiqqi", 0, 1, 5, 0, 9)
    head = struct.pack(">hhihiiiibii", 1, 11, CORRELATION, -1, -1, 500, 1, 9, 0, 0, -1)
    body = head + struct.pack(">i", 2) + name + b"one" + partitions + name + b"two" + partitions
    assert topics_fetched(body, 11) == {b"one", b"two"}


def test_the_topics_of_a_produce_are_read_as_far_as_it_is_there() -> None:
    def topic_of(name: bytes) -> bytes:
        return struct.pack(">h", len(name)) + name + struct.pack(">iii", 1, 0, 4) + b"data"

    head = struct.pack(">hhihhhi", 0, 8, CORRELATION, -1, -1, -1, 500)
    request = head + struct.pack(">i", 2) + topic_of(b"one") + topic_of(b"two")
    assert topics_produced(request) == {b"one", b"two"}
    assert topics_produced(request[: len(head) + 14]) == {b"one"}


def test_the_wait_of_a_request_is_read_behind_its_client_name() -> None:
    assert max_wait_s(fetch_request("t", wait_ms=1500)) == 1.5


def test_an_answer_that_cannot_be_read_counts_as_data() -> None:
    assert not is_empty(b"\0" * 9, 4)
