"""TLS and SASL in front of servers that have neither: what a client meets is a real listener on loopback.

Kafka's login is spoken as the protocol has it (kafka.apache.org/protocol: SaslHandshake v0-1, SaslAuthenticate v0-1);
behind it everything is passed to the embedded broker, whose address in answers becomes the front's.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from mdplatform.embedded.fetch_relay import Relay, Streams, Waiting
from mdplatform.embedded.ports import LOOPBACK

API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE = 18, 17, 36
SASL_AUTHENTICATION_FAILED = 58
Attend = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Front:
    """A listener in front of the server at ``behind``; counts whom it let in and whom it did not."""

    behind: int
    login: tuple[str, str] | None = None  # user and password of SASL/PLAIN; None: Kafka without a login
    port: int = 0
    let_in: int = 0
    refused: int = 0

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def kafka(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection of a Kafka client."""
        client = Streams(reader, writer)
        broker = Streams(*await asyncio.open_connection(LOOPBACK, self.behind))
        try:
            if self.login is not None and not await self._logged_in(client, broker):
                self.refused += 1
                return
            self.let_in += 1
            await Relay(self.port, self.behind, client, broker, Waiting()).run()
        finally:
            client.close()
            broker.close()

    async def bytes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection of anything else."""
        self.let_in += 1
        behind_reader, behind_writer = await asyncio.open_connection(LOOPBACK, self.behind)
        ways = [_pass_on(reader, behind_writer), _pass_on(behind_reader, writer)]
        await asyncio.gather(*ways, return_exceptions=True)

    async def _logged_in(self, client: Streams, broker: Streams) -> bool:
        """Answer until the client has logged in; False for a wrong password, or for anything asked before."""
        while True:
            frame = await client.reader.readexactly(await client.size())
            api, version, correlation, name = struct.unpack_from(">hhih", frame)
            body = frame[10 + max(0, name) :]
            if api == API_VERSIONS:
                await broker.send(len(frame), frame)
                answer = await broker.reader.readexactly(await broker.size())
                await client.send(len(answer), answer)
            elif api == SASL_HANDSHAKE:
                await _answer(client, correlation, struct.pack(">hih", 0, 1, 5) + b"PLAIN")
            elif api == SASL_AUTHENTICATE:
                is_right = self._is_right(body[4:])
                error = struct.pack(">hhi", 0 if is_right else SASL_AUTHENTICATION_FAILED, -1, 0)
                await _answer(client, correlation, error + (struct.pack(">q", 0) if version else b""))
                return is_right
            else:
                return False

    def _is_right(self, token: bytes) -> bool:
        """PLAIN (RFC 4616): authorization id, user and password, with zero bytes between them."""
        _, user, password = token.decode().split("\0")
        return (user, password) == self.login


@contextlib.contextmanager
def listening(front: Front, attend: Attend, tls: ssl.SSLContext | None) -> Iterator[Front]:
    """Serve ``front`` on a free port of loopback, from a thread that ends with the block."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    over = asyncio.Event()

    async def attended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(EOFError, OSError):
            await attend(reader, writer)

    async def serve() -> None:
        async with await asyncio.start_server(attended, LOOPBACK, 0, ssl=tls) as server:
            front.port = server.sockets[0].getsockname()[1]
            ready.set()
            await over.wait()
            attending = asyncio.all_tasks() - {asyncio.current_task()}
            for task in attending:
                task.cancel()
            await asyncio.gather(*attending, return_exceptions=True)

    # A client that breaks off its handshake is what some of the tests are about.
    loop.set_exception_handler(lambda *_: None)
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield front
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()


async def _answer(client: Streams, correlation: int, body: bytes) -> None:
    await client.send(4 + len(body), struct.pack(">i", correlation) + body)
