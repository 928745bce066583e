"""A relay in front of the embedded broker that makes an idle consumer wait, as Kafka's protocol says it should.

The broker answers a Fetch at once even when there is nothing to send (it ignores ``max_wait_ms``), so each idle
consumer would ask again some ten thousand times a second and take a core. The relay keeps an empty answer back and
asks again on the client's behalf when messages were produced to one of its topics, which it sees, or when the client's
own ``max_wait_ms`` is over. Everything else passes unchanged, but for the broker's address in Metadata and
FindCoordinator answers, which becomes the relay's, and the newest versions of Fetch and Produce, which are lowered to
the last ones without compact encoding.

To store messages costs ClickHouse about as much for one as for a thousand. While nobody asks it anything it gets what
has come every three seconds, instead of as it comes: it says by the time of a file when it was asked last
(``--asked-file``).

Protocol: kafka.apache.org/protocol (request header v1; ApiVersions, Fetch v4 to v11, Produce v3 to v8).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import struct
import sys
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvloop

from mdplatform.embedded.kafka_frames import (
    client_id,
    is_empty,
    max_wait_s,
    topics_fetched,
    topics_produced,
    with_newest_versions,
)
from mdplatform.embedded.ports import LOOPBACK

# The least time between two questions for a Fetch: a busy topic's messages are handed over by the handful.
RETRY_S = 0.02
# The longest: for messages that no Produce was seen to bring, as one without acknowledgement.
LONGEST_WAIT_S = 2.0
# Larger frames are passed on piece by piece; an empty Fetch answer is far smaller.
WHOLE_FRAME_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024

# For who asks ClickHouse less often than this, it makes no difference whether a row came at once.
ASKED_WITHIN_S = 2.0
LOOK_EVERY_S = 0.2
# Of ClickHouse's consumers, while nobody asks it: from one handful of messages to the next.
QUIET_S = 3.0
WAREHOUSE = b"ClickHouse-"  # how its consumers' names begin

PRODUCE, FETCH, METADATA, FIND_COORDINATOR, API_VERSIONS, DESCRIBE_CLUSTER = 0, 1, 3, 10, 18, 60
_WITH_ADDRESS = (METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER)
NEWEST_VERSIONS = {PRODUCE: 8, FETCH: 11}


@dataclass(frozen=True)
class Asked:
    """A request that awaits its answer; ``frame`` only of a Fetch that may be asked again.

    ``topics``: of a Produce, to which it brings messages. ``since``: how many of these had been answered before a Fetch
    was asked.
    """

    correlation: int
    api: int
    version: int
    frame: bytes | None = None
    deadline: float = 0.0
    topics: frozenset[bytes] = frozenset()
    since: int = 0


@dataclass
class Held:
    """A Fetch of ``topics`` that is kept back: its empty ``answer``, or the question itself where there is none yet.

    It is asked, again or at last, at ``due``, and not before ``earliest``.
    """

    asked: Asked
    frame: bytes
    topics: frozenset[bytes]
    answer: bytes | None
    earliest: float
    due: float
    timer: asyncio.TimerHandle


@dataclass
class Waiting:
    """Who keeps back a Fetch of which topic, and when messages last came to it."""

    relays: defaultdict[bytes, set[Relay]] = field(default_factory=lambda: defaultdict(set))
    answered: int = 0  # of all Produces
    last: dict[bytes, int] = field(default_factory=dict)  # by topic: which of these brought it messages last
    is_quiet: bool = False  # nobody asks ClickHouse

    def add(self, relay: Relay, topics: frozenset[bytes]) -> None:
        for topic in topics:
            self.relays[topic].add(relay)

    def remove(self, relay: Relay, topics: frozenset[bytes]) -> None:
        for topic in topics:
            self.relays[topic].discard(relay)
            if not self.relays[topic]:
                del self.relays[topic]

    def produced(self, topics: frozenset[bytes]) -> None:
        """Messages have come to ``topics``."""
        self.answered += 1
        for topic in topics:
            self.last[topic] = self.answered
            for relay in self.relays.get(topic, ()):
                relay.hasten()

    def came(self, topics: frozenset[bytes], since: int) -> bool:
        """Whether one of ``topics`` got messages after the first ``since`` Produces."""
        return any(self.last.get(topic, 0) > since for topic in topics)

    async def watch(self, asked_file: Path) -> None:
        """Know whether somebody asks ClickHouse, until cancelled. When one begins to, what was kept back goes out."""
        seen = _changed_ns(asked_file)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now, changed = loop.time(), _changed_ns(asked_file)
            if changed != seen:
                seen, asked_at = changed, now
            was_quiet, self.is_quiet = self.is_quiet, now - asked_at > ASKED_WITHIN_S
            if was_quiet and not self.is_quiet:
                for relay in {relay for relays in self.relays.values() for relay in relays}:
                    relay.hurry()


class Relay:
    """One client connection and its connection to the broker."""

    def __init__(self, port: int, broker_port: int, client: Streams, broker: Streams, waiting: Waiting) -> None:
        self._client, self._broker, self._waiting = client, broker, waiting
        self._address = _address(broker_port), _address(port)
        self._asked: deque[Asked] = deque()
        self._held: Held | None = None
        self._data_at = -math.inf  # when messages were last handed over
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Until either side closes."""
        tasks = [asyncio.create_task(self._requests()), asyncio.create_task(self._answers())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._let_go()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._client.close()
            self._broker.close()

    async def _requests(self) -> None:
        while True:
            size = await self._client.size()
            head = await self._client.reader.readexactly(min(size, WHOLE_FRAME_BYTES))
            self._release()  # answers go out in the order of their requests
            api, version, correlation = struct.unpack_from(">hhi", head)
            asked = Asked(correlation, api, version)
            if api == FETCH and 4 <= version <= NEWEST_VERSIONS[FETCH] and size == len(head):
                deadline = self._loop.time() + max_wait_s(head)
                asked = Asked(correlation, api, version, head, deadline, since=self._waiting.answered)
                if self._is_early(head) and not self._asked:
                    self._hold(asked, head, None)
                    continue
            elif api == PRODUCE and 3 <= version <= NEWEST_VERSIONS[PRODUCE]:
                asked = Asked(correlation, api, version, topics=topics_produced(head))
            self._asked.append(asked)
            await self._broker.send(size, head)
            await self._client.pass_on(size - len(head), self._broker)

    async def _answers(self) -> None:
        while True:
            size = await self._broker.size()
            head = await self._broker.reader.readexactly(min(size, WHOLE_FRAME_BYTES))
            asked = self._answered(struct.unpack_from(">i", head)[0])
            if asked.api == PRODUCE:
                self._waiting.produced(asked.topics)
            if size == len(head):
                if asked.frame is not None and self._may_wait(asked) and is_empty(head, asked.version):
                    self._hold(asked, asked.frame, head)
                    continue
                head = self._corrected(asked, head)
            if asked.api == FETCH:
                self._data_at = self._loop.time()
            await self._client.send(size, head)
            await self._broker.pass_on(size - len(head), self._client)

    def _answered(self, correlation: int) -> Asked:
        """The request of an answer; those that get none (a produce without acknowledgement) are passed over."""
        while self._asked:
            asked = self._asked.popleft()
            if asked.correlation == correlation:
                return asked
        return Asked(correlation, -1, 0)

    def _may_wait(self, asked: Asked) -> bool:
        return not self._asked and self._loop.time() + RETRY_S < asked.deadline

    def _is_early(self, fetch: bytes) -> bool:
        """Whether it is ClickHouse's, which got messages a moment ago and for which nobody waits."""
        return (
            self._waiting.is_quiet
            and self._loop.time() < self._data_at + QUIET_S
            and client_id(fetch).startswith(WAREHOUSE)
        )

    def _hold(self, asked: Asked, frame: bytes, answer: bytes | None) -> None:
        topics, now = topics_fetched(frame, asked.version), self._loop.time()
        earliest, due = now + RETRY_S, min(now + LONGEST_WAIT_S, asked.deadline - RETRY_S)
        if answer is not None and self._waiting.came(topics, asked.since):  # while the broker looked
            due = earliest
        if self._is_early(frame):
            earliest = self._data_at + QUIET_S
            due = earliest if answer is None else max(due, earliest)
        timer = self._loop.call_at(due, self._ask_again)
        self._held = Held(asked, frame, topics, answer, earliest, due, timer)
        self._waiting.add(self, topics)

    def hasten(self) -> None:
        """Ask soon for the Fetch that is kept back: there is something for it."""
        held = self._held
        if held is not None and (due := max(held.earliest, self._loop.time())) < held.due:
            held.timer.cancel()
            held.due, held.timer = due, self._loop.call_at(due, self._ask_again)

    def hurry(self) -> None:
        """Somebody waits for what ClickHouse stores: ask soon for the Fetch that is kept back."""
        if self._held is not None:
            self._held.earliest = self._loop.time()
            self.hasten()

    def _let_go(self) -> Held | None:
        """The Fetch that is kept back, if there is one: nothing is to become of it any more."""
        held, self._held = self._held, None
        if held is not None:
            held.timer.cancel()
            self._waiting.remove(self, held.topics)
        return held

    def _release(self) -> None:
        """Hand over the empty answer that was kept back, or ask what was not asked yet."""
        if self._held is not None and self._held.answer is None:
            self._ask_again()
        elif (held := self._let_go()) is not None and held.answer is not None:
            self._client.writer.write(struct.pack(">i", len(held.answer)) + held.answer)

    def _ask_again(self) -> None:
        if (held := self._let_go()) is not None:
            self._asked.append(replace(held.asked, since=self._waiting.answered))
            self._broker.writer.write(struct.pack(">i", len(held.frame)) + held.frame)

    def _corrected(self, asked: Asked, answer: bytes) -> bytes:
        if asked.api in _WITH_ADDRESS:
            return answer.replace(*self._address)
        if asked.api == API_VERSIONS:
            return with_newest_versions(answer, asked.version, NEWEST_VERSIONS)
        return answer


class Streams:
    """The two directions of a connection, framed by a 4-byte size."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def size(self) -> int:
        size: int = struct.unpack(">i", await self.reader.readexactly(4))[0]
        return size

    async def send(self, size: int, head: bytes) -> None:
        self.writer.write(struct.pack(">i", size) + head)
        await self.writer.drain()

    async def pass_on(self, count: int, to: Streams) -> None:
        """The rest of a frame, ``count`` bytes."""
        while count:
            piece = await self.reader.read(min(count, PIECE_BYTES))
            if not piece:
                raise EOFError
            count -= len(piece)
            to.writer.write(piece)
            await to.writer.drain()

    def close(self) -> None:
        self.writer.close()


async def serve(port: int, broker_port: int, listens: Callable[[], object], asked_file: Path | None = None) -> None:
    """Relay ``port`` of loopback to ``broker_port`` until cancelled; ``listens`` is called once clients can connect."""
    waiting = Waiting()
    watching = asyncio.create_task(waiting.watch(asked_file)) if asked_file is not None else None

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Streams(reader, writer)
        try:
            broker = Streams(*await asyncio.open_connection(LOOPBACK, broker_port))
        except OSError:
            client.close()
            return
        with contextlib.suppress(EOFError, OSError):
            await Relay(port, broker_port, client, broker, waiting).run()

    try:
        async with await asyncio.start_server(attend, LOOPBACK, port) as server:
            listens()
            await server.serve_forever()
    finally:
        if watching is not None:
            watching.cancel()


def _changed_ns(file: Path) -> int:
    """When it was written or touched last; 0 before it is there."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _address(port: int) -> bytes:
    """How a broker's host and port stand in an answer, in every version."""
    return LOOPBACK.encode() + struct.pack(">i", port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--pid-file", type=Path, required=True)
    parser.add_argument("--asked-file", type=Path, help="touched whenever ClickHouse is asked about market data")
    options = parser.parse_args()

    def listens() -> None:
        options.pid_file.write_text(str(os.getpid()))

    serving = serve(options.port, options.broker_port, listens, options.asked_file)
    try:
        uvloop.run(serving)
    except OSError as error:
        sys.exit(f"port {options.port} cannot be listened on: {error.strerror}")


if __name__ == "__main__":
    main()
