"""A relay in front of the embedded broker that makes an idle consumer wait, as Kafka's protocol says it should.

The broker answers a Fetch at once even when there is nothing to send (it ignores ``max_wait_ms``), so each idle
consumer would ask again some ten thousand times a second and take a core. The relay keeps an empty answer back and
asks again on the client's behalf every RETRY_S until there is data or the client's own ``max_wait_ms`` is over.
Everything else passes unchanged, but for the broker's address in Metadata and FindCoordinator answers, which becomes
the relay's, and the newest Fetch version, which is lowered to the last one without compact encoding.

Protocol: kafka.apache.org/protocol (request header v1; ApiVersions, Fetch v4 to v11).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import struct
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvloop

from mdplatform.embedded.kafka_fetch import is_empty, max_wait_s
from mdplatform.embedded.ports import LOOPBACK

RETRY_S = 0.02
# Larger frames are passed on piece by piece; an empty Fetch answer is far smaller.
WHOLE_FRAME_BYTES = 64 * 1024
PIECE_BYTES = 256 * 1024

FETCH, METADATA, FIND_COORDINATOR, API_VERSIONS, DESCRIBE_CLUSTER = 1, 3, 10, 18, 60
_WITH_ADDRESS = (METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER)
_FETCH_RANGE = struct.Struct(">hhh")  # key, lowest, highest version in an ApiVersions answer
NEWEST_FETCH = 11


@dataclass(frozen=True)
class Asked:
    """A request that awaits its answer; ``frame`` only of a Fetch that may be asked again."""

    correlation: int
    api: int
    version: int
    frame: bytes | None = None
    deadline: float = 0.0


class Relay:
    """One client connection and its connection to the broker."""

    def __init__(self, port: int, broker_port: int, client: Streams, broker: Streams) -> None:
        self._client, self._broker = client, broker
        self._address = _address(broker_port), _address(port)
        self._asked: deque[Asked] = deque()
        self._held: tuple[Asked, bytes] | None = None
        self._is_over = False
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Until either side closes."""
        tasks = [asyncio.create_task(self._requests()), asyncio.create_task(self._answers())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._is_over = True
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
            if api == FETCH and 4 <= version <= NEWEST_FETCH and size == len(head):
                asked = Asked(correlation, api, version, head, self._loop.time() + max_wait_s(head))
            self._asked.append(asked)
            await self._broker.send(size, head)
            await self._client.pass_on(size - len(head), self._broker)

    async def _answers(self) -> None:
        while True:
            size = await self._broker.size()
            head = await self._broker.reader.readexactly(min(size, WHOLE_FRAME_BYTES))
            asked = self._answered(struct.unpack_from(">i", head)[0])
            if size == len(head):
                if self._may_wait(asked) and is_empty(head, asked.version):
                    self._held = asked, head
                    self._loop.call_later(RETRY_S, self._ask_again, asked)
                    continue
                head = self._corrected(asked.api, head)
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
        return asked.frame is not None and not self._asked and self._loop.time() + RETRY_S < asked.deadline

    def _release(self) -> None:
        """Hand over the empty answer that was kept back, if there is one."""
        if self._held is not None:
            _, answer = self._held
            self._held = None
            self._client.writer.write(struct.pack(">i", len(answer)) + answer)

    def _ask_again(self, asked: Asked) -> None:
        if self._held is not None and self._held[0] is asked and asked.frame is not None and not self._is_over:
            self._held = None
            self._asked.append(asked)
            self._broker.writer.write(struct.pack(">i", len(asked.frame)) + asked.frame)

    def _corrected(self, api: int, answer: bytes) -> bytes:
        if api in _WITH_ADDRESS:
            return answer.replace(*self._address)
        if api == API_VERSIONS:
            return _with_older_fetch(answer)
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


async def serve(port: int, broker_port: int, listens: Callable[[], object]) -> None:
    """Relay ``port`` of loopback to ``broker_port`` until cancelled; ``listens`` is called once clients can connect."""

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Streams(reader, writer)
        try:
            broker = Streams(*await asyncio.open_connection(LOOPBACK, broker_port))
        except OSError:
            client.close()
            return
        with contextlib.suppress(EOFError, OSError):
            await Relay(port, broker_port, client, broker).run()

    async with await asyncio.start_server(attend, LOOPBACK, port) as server:
        listens()
        await server.serve_forever()


def _address(port: int) -> bytes:
    """How a broker's host and port stand in an answer, in every version."""
    return LOOPBACK.encode() + struct.pack(">i", port)


def _with_older_fetch(answer: bytes) -> bytes:
    for newest in range(NEWEST_FETCH + 1, 32):
        answer = answer.replace(_FETCH_RANGE.pack(FETCH, 0, newest), _FETCH_RANGE.pack(FETCH, 0, NEWEST_FETCH))
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--broker-port", type=int, required=True)
    parser.add_argument("--pid-file", type=Path, required=True)
    options = parser.parse_args()
    serving = serve(options.port, options.broker_port, lambda: options.pid_file.write_text(str(os.getpid())))
    try:
        uvloop.run(serving)
    except OSError as error:
        sys.exit(f"port {options.port} cannot be listened on: {error.strerror}")


if __name__ == "__main__":
    main()
