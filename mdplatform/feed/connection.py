"""One WebSocket to a venue: open, receive, send within the venue's limit, notice that it is dead, close.

aiohttp's reader takes 1 us of CPU a frame where the websockets package takes 4.6 us (recorded frames of 150 bytes,
under uvloop). Compression is not offered: inflating costs 4-5 us more, and market data is read next to where it is
written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import WSMessage, WSMsgType

from mdplatform.errors import ConfigError, FeedError
from mdplatform.feed.budget import Budget
from mdplatform.settings import hide

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
PING_EVERY_S = 4.0
PONG_WITHIN_S = 5.0  # with PING_EVERY_S: a half-open connection is found within 9 s
# The strictest venue disconnects a client above 5 messages a second, pings and pongs counted.
SENDS_PER_S = 3
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Lost(FeedError):
    """A connection could not be opened or is gone; ``cause`` is a short stable word, ``detail`` what was seen."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(cause, detail)
        self.cause, self.detail = cause, detail

    def __str__(self) -> str:
        return f"{self.cause}: {self.detail}"


class _Socket(aiohttp.ClientWebSocketResponse[Any]):
    def abort(self) -> None:
        """End the TCP connection at once; whoever receives is told."""
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()


class Connection:
    """An open WebSocket. Leaving its context closes it; ``drop`` ends it at once."""

    def __init__(self, http: aiohttp.ClientSession, socket: _Socket, ping_every_s: float, pong_within_s: float) -> None:
        self._http, self._socket = http, socket
        self._ping_every_s, self._pong_within_s = ping_every_s, pong_within_s
        self._lost: Lost | None = None
        self._frames = 0
        self._reading = False
        self._pong = asyncio.Event()
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._keep_sending())]

    async def receive(self) -> bytes:
        """The next frame, text or binary, as bytes; raises Lost. While nobody calls it the socket is not read."""
        if self._lost is not None:
            raise self._lost  # what is buffered belongs to a connection that was given up
        self._reading = True
        try:
            while True:
                message = await self._socket.receive()
                if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                    self._frames += 1
                    return bytes(message.data)
                await self._control(message)
        finally:
            self._reading = False

    def send(self, frame: bytes) -> None:
        """Write a text frame as soon as the venue's limit of incoming messages allows."""
        self._outbox.put_nowait(frame)

    def drop(self, cause: str, detail: str) -> None:
        """End it without a closing handshake: ``receive`` raises Lost with this cause."""
        if self._lost is None:
            self._lost = Lost(cause, detail)
            self._socket.abort()

    async def close(self) -> None:
        """Close with a handshake, which the other side has ``CLOSE_TIMEOUT_S`` to answer. What is unread is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            # The answer comes behind whatever the other side has sent before it.
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._socket.close()
        except TimeoutError:
            self._socket.abort()
        finally:
            await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _control(self, message: WSMessage) -> None:
        """What is no frame of data. Raises Lost where it is the end."""
        match message.type:
            case WSMsgType.PONG:
                self._pong.set()
            case WSMsgType.PING:
                with contextlib.suppress(ConnectionError):  # whoever receives next is told
                    await self._socket.pong(message.data)
            case _:
                raise self._lost or _lost(message)

    async def _keep_sending(self) -> None:
        budget = Budget(SENDS_PER_S, 1.0)
        while True:
            frame = await self._outbox.get()
            await budget.spend()
            try:
                await self._socket.send_frame(frame, WSMsgType.TEXT)
            except ConnectionError:
                return  # whoever receives is told

    async def _keep_alive(self) -> None:
        """Ping regularly; a side that neither answers nor sends anything else is gone.

        While the socket is not read on purpose, pongs wait unread like everything else: then nothing is concluded.
        """
        while True:
            await asyncio.sleep(self._ping_every_s)
            frames, reading = self._frames, self._reading
            self._pong.clear()
            try:
                await self._socket.ping()
            except ConnectionError:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._pong.wait(), self._pong_within_s)
            if not self._pong.is_set():
                # If it was us who stood still, the answer is in the buffer: give it a chance to be read.
                await asyncio.sleep(self._pong_within_s / 50)
            if not self._pong.is_set() and reading and self._reading and self._frames == frames:
                self.drop("half_open", f"no frame and no pong for {self._pong_within_s:g} s")


async def open_connection(
    url: str,
    max_frame_bytes: int | None,
    ping_every_s: float = PING_EVERY_S,
    pong_within_s: float = PONG_WITHIN_S,
    *,
    headers: Mapping[str, str] | None = None,
) -> Connection:
    """Connect to ``url``; raises Lost when the venue cannot be reached or refuses, ConfigError for a wrong URL."""
    shown = hide(url.partition("?")[0])  # behind it there may be a token
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ConfigError(f"not a WebSocket address: {shown!r}")
    # How long an answer may take is said below, for all of the handshake.
    proxied, endless = parts.hostname not in LOOPBACK, aiohttp.ClientTimeout(total=None)
    http = aiohttp.ClientSession(trust_env=proxied, timeout=endless, ws_response_class=_Socket)
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            socket: Any = await http.ws_connect(
                url, headers=headers, max_msg_size=max_frame_bytes or 0, autoping=False, decode_text=False
            )
    except (aiohttp.ClientError, OSError) as error:
        await http.close()
        raise _unopened(error, shown) from error
    except BaseException:
        await http.close()
        raise
    return Connection(http, socket, ping_every_s, pong_within_s)


def _unopened(error: aiohttp.ClientError | OSError, shown: str) -> Exception:
    """What is to be raised where no connection came about. The library's own text may hold the whole URL."""
    match error:
        case aiohttp.InvalidURL():
            return ConfigError(f"not a WebSocket address: {shown!r}")
        case aiohttp.ClientResponseError():
            return Lost("refused", f"{shown}: HTTP {error.status}, {error.message}")
        case TimeoutError():
            return Lost("unreachable", f"no answer from {shown} within {OPEN_TIMEOUT_S:g} s")
    return Lost("unreachable", f"{shown}: {error}")


def _lost(end: WSMessage) -> Lost:
    match end.type, end.data:
        case WSMsgType.CLOSE, code:
            return Lost("closed_by_venue", f"closed with {code} {end.extra or ''}".rstrip())
        case WSMsgType.ERROR, aiohttp.WebSocketError() as error:
            return Lost("protocol_error", f"we closed with {error.code} {error}".rstrip())
    return Lost("cut", "connection ended without a closing handshake")
