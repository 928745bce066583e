"""One WebSocket to a venue: open, receive, send within the venue's limit, detect that it is dead, close.

Compression is not offered: inflating cost 4-5 us of CPU a frame on top of 5.8 us for receiving it (recorded frames
of 240 bytes, websockets 17.4 under uvloop), and market data is read next to where it is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Self, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import CloseCode

from mdplatform.core.errors import ConfigError, FeedError
from mdplatform.core.settings import hide
from mdplatform.feed import websocket
from mdplatform.feed.backoff import retry_after_s
from mdplatform.feed.rate_limit import Budget
from mdplatform.feed.websocket import WebSocket

# At DEBUG the library logs frames, and what we send may hold a password.
_quiet = logging.getLogger(f"{__name__}.frames")
_quiet.setLevel(logging.INFO)

OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
PING_EVERY_S = 4.0
PONG_WITHIN_S = 5.0  # with PING_EVERY_S: a half-open connection is found within 9 s
# The strictest venue disconnects a client above 5 messages a second, pings and pongs counted.
SENDS_PER_S = 3
# Causes of a loss: the venue sent more than any of its frames can be.
TOO_LARGE = ("frame_too_large", "too_many_fragments")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Lost(FeedError):
    """A connection could not be opened or is gone; ``cause`` is a short stable word, ``detail`` what was seen.

    ``status``: of the HTTP answer that refused it; ``retry_after_s``: how long it asks us to wait.
    """

    def __init__(self, cause: str, detail: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(cause, detail)
        self.cause, self.detail = cause, detail
        self.status, self.retry_after_s = status, retry_after_s

    def __str__(self) -> str:
        return f"{self.cause}: {self.detail}"


class Connection:
    """An open WebSocket. Leaving its context closes it; ``drop`` ends it at once."""

    def __init__(self, socket: WebSocket, ping_every_s: float, pong_within_s: float) -> None:
        self._socket = socket
        self._ping_every_s, self._pong_within_s = ping_every_s, pong_within_s
        self._lost: Lost | None = None
        self._receipts = 0
        self._reading = False
        self._outbox: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._keep_sending())]

    async def receive(self) -> deque[bytes]:
        """The frames that have come, text or binary, oldest first, as soon as there is one; raises Lost.

        The caller takes them out, and may find more of them before it has taken all, or none: ``drop`` takes out the
        rest. While nobody calls it the socket is not read.
        """
        if self._lost is not None:
            raise self._lost
        self._reading = True
        try:
            await self._socket.wait()
        except ConnectionClosed as error:
            raise self._lost or self._why(error) from None
        finally:
            self._reading = False
        self._receipts += 1
        return self._socket.frames

    def _why(self, error: ConnectionClosed) -> Lost:
        if self._socket.is_overlong:
            return Lost("too_many_fragments", f"a frame came in more than {websocket.MOST_FRAGMENTS} pieces")
        return _lost(error)

    def send(self, frame: bytes, paced: bool = False) -> None:
        """Write a text frame: as soon as ``SENDS_PER_S`` allows, or at once where the sender keeps a pace itself."""
        self._outbox.put_nowait((frame, paced))

    def drop(self, cause: str, detail: str) -> None:
        """End it without a closing handshake: ``receive`` raises Lost with this cause."""
        if self._lost is None:
            self._lost = Lost(cause, detail)
            self._socket.frames.clear()  # what was not taken yet belongs to a connection that was given up
            self._socket.transport.abort()

    async def close(self) -> None:
        """Close with a handshake, which the other side has ``CLOSE_TIMEOUT_S`` to answer. What is unread is dropped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        closing = asyncio.create_task(self._socket.close())
        with contextlib.suppress(ConnectionClosed):
            while True:  # the answer comes behind whatever the other side has sent before it
                await self._socket.wait()
                self._socket.frames.clear()
        await closing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _keep_sending(self) -> None:
        budget = Budget(SENDS_PER_S, 1.0)
        while True:
            frame, paced = await self._outbox.get()
            if paced:
                budget.take()
            else:
                await budget.spend()
            try:
                await self._socket.send(frame, text=True)
            except ConnectionClosed:
                return  # ``receive`` raises it

    async def _keep_alive(self) -> None:
        """Ping regularly; a venue that neither answers nor sends anything else is gone.

        While the socket is paused on purpose, pongs wait unread like everything else: then nothing is concluded.
        """
        while True:
            await asyncio.sleep(self._ping_every_s)
            receipts, reading = self._receipts, self._reading
            try:
                pong = asyncio.ensure_future(await self._socket.ping())
            except ConnectionClosed:
                return
            await asyncio.wait((pong,), timeout=self._pong_within_s)
            if not pong.done():
                # If our own loop was blocked, the answer is in the buffer: give it a chance to be read.
                await asyncio.sleep(self._pong_within_s / 50)
            if pong.done():
                pong.cancelled() or pong.exception()  # retrieved: ``receive`` reports a connection lost meanwhile
            elif reading and self._reading and self._receipts == receipts:
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
    try:
        socket = await connect(
            url,
            create_connection=partial(WebSocket, most_bytes=max_frame_bytes),  # type: ignore[arg-type]
            compression=None,
            logger=_quiet,
            additional_headers=headers,
            max_size=max_frame_bytes,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,  # our own pings know when the socket is paused on purpose
            proxy=None if urlsplit(url).hostname in LOOPBACK else True,
        )
    except InvalidURI as error:
        raise ConfigError(f"not a WebSocket address: {shown!r}") from error
    except TimeoutError as error:
        raise Lost("unreachable", f"no answer from {shown} within {OPEN_TIMEOUT_S:g} s") from error
    except InvalidStatus as error:
        answer = error.response
        wait_s = retry_after_s(answer.headers.get("Retry-After"))
        raise Lost("handshake_refused", f"{shown}: {error}", answer.status_code, wait_s) from error
    except InvalidHandshake as error:
        raise Lost("handshake_refused", f"{shown}: {error}") from error
    except (OSError, EOFError) as error:
        raise Lost("unreachable", f"{shown}: {error}") from error
    return Connection(cast("WebSocket", socket), ping_every_s, pong_within_s)


def _lost(error: ConnectionClosed) -> Lost:
    if error.sent is not None and not error.rcvd_then_sent:
        cause = TOO_LARGE[0] if error.sent.code == CloseCode.MESSAGE_TOO_BIG else "protocol_error"
        return Lost(cause, f"we closed with {error.sent.code} {error.sent.reason}".rstrip())
    if error.rcvd is not None:
        return Lost("closed_by_venue", f"closed with {error.rcvd.code} {error.rcvd.reason}".rstrip())
    return Lost("cut", "connection ended without a closing handshake")
