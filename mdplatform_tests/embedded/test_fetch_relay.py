"""The relay in front of the broker, through a raw connection and a real client."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from mdplatform.embedded import fetch_relay
from mdplatform.embedded.fetch_relay import Relay, Streams, Waiting
from mdplatform.embedded.kafka_frames import client_id, is_empty, max_wait_s, topics_fetched, topics_produced
from mdplatform.embedded.ports import LOOPBACK
from mdplatform_tests.eventually import eventually

CORRELATION = 77


def fetch_request(topic: str, wait_ms: int, version: int = 4, client: bytes = b"c") -> bytes:
    """A Fetch v4 of partition 0 from offset 0."""
    name = topic.encode()
    header = struct.pack(">hhih", 1, version, CORRELATION, len(client)) + client
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


def fetch_answer(records: bytes) -> bytes:
    """To a Fetch v4 of one partition."""
    head = struct.pack(">iiih", CORRELATION, 0, 1, 1) + b"t"
    return head + struct.pack(">iihqqii", 1, 0, 0, 5, 5, 0, len(records)) + records


class Line:
    """A relay between a client and a broker that has data for every question after the first ``in_vain``.

    While it looks for the first of these, messages come.
    """

    def __init__(self, waiting: Waiting) -> None:
        self.waiting, self.questions, self.in_vain = waiting, 0, 0
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    def ask(self, client: bytes, wait_ms: int = 500) -> None:
        request = fetch_request("t", wait_ms, client=client)
        self.writer.write(struct.pack(">i", len(request)) + request)

    async def answer(self) -> bytes:
        async with asyncio.timeout(30):
            (size,) = struct.unpack(">i", await self.reader.readexactly(4))
            return await self.reader.readexactly(size)

    async def broker(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        while size := await reader.read(4):
            await reader.readexactly(struct.unpack(">i", size)[0])
            self.questions += 1
            answer = fetch_answer(b"data" if self.questions > self.in_vain else b"")
            if self.questions == 1:
                self.waiting.produced(frozenset({b"t"}))
            writer.write(struct.pack(">i", len(answer)) + answer)
        writer.close()


@asynccontextmanager
async def relayed() -> AsyncIterator[Line]:
    line = Line(Waiting())

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = Streams(*await asyncio.open_connection(LOOPBACK, broker_port))
        await Relay(0, broker_port, Streams(reader, writer), behind, line.waiting).run()

    async with await asyncio.start_server(line.broker, LOOPBACK, 0) as broker:
        broker_port = broker.sockets[0].getsockname()[1]
        async with await asyncio.start_server(attend, LOOPBACK, 0) as relay:
            line.reader, line.writer = await asyncio.open_connection(*relay.sockets[0].getsockname())
            yield line
            line.writer.close()


async def test_while_nobody_asks_clickhouse_it_gets_messages_by_the_handful(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fetch_relay, "QUIET_S", 3600.0)
    monkeypatch.setattr(fetch_relay, "ASKED_WITHIN_S", 0.0)
    monkeypatch.setattr(fetch_relay, "LOOK_EVERY_S", 0.01)
    asked_file = tmp_path / "asked"
    async with relayed() as line:
        watching = asyncio.create_task(line.waiting.watch(asked_file))
        await eventually(lambda: line.waiting.is_quiet)
        line.ask(b"ClickHouse-host")
        assert not is_empty(await line.answer(), 4)  # what comes after a pause is not kept back
        line.ask(b"ClickHouse-host")
        await eventually(lambda: line.waiting.relays)
        assert line.questions == 1
        line.waiting.produced(frozenset({b"t"}))
        asked_file.touch()
        assert not is_empty(await line.answer(), 4)
        watching.cancel()
    assert line.questions == 2


async def test_what_comes_while_the_broker_looks_is_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_relay, "LONGEST_WAIT_S", 3600.0)
    async with relayed() as line:
        line.in_vain = 1
        line.ask(b"mdplatform", wait_ms=3_600_000)
        assert not is_empty(await line.answer(), 4)
    assert line.questions == 2


async def test_other_consumers_never_wait_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_relay, "QUIET_S", 3600.0)
    async with relayed() as line:
        line.waiting.is_quiet = True
        for _ in range(2):
            line.ask(b"mdplatform")
            assert not is_empty(await line.answer(), 4)


async def test_a_question_that_is_kept_back_goes_out_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_relay, "QUIET_S", 3600.0)
    async with relayed() as line:
        line.waiting.is_quiet = True
        for _ in range(3):
            line.ask(b"ClickHouse-host")
        for _ in range(2):
            assert not is_empty(await line.answer(), 4)


def test_the_client_of_a_request_is_read() -> None:
    assert client_id(fetch_request("t", wait_ms=1, client=b"ClickHouse-host")) == b"ClickHouse-host"
    assert client_id(struct.pack(">hhih", 1, 4, CORRELATION, -1)) == b""


def test_the_wait_of_a_request_is_read_behind_its_client_name() -> None:
    assert max_wait_s(fetch_request("t", wait_ms=1500)) == 1.5


def test_an_answer_that_cannot_be_read_counts_as_data() -> None:
    assert not is_empty(b"\0" * 9, 4)
