"""One client's WebSocket: reads into its exchange, writes its peer's outbox, pings."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import WSCloseCode, WSMsgType, web

from mdplatform.core.clock import Clock
from mdplatform.simulator.protocol.exchange import Exchange
from mdplatform.simulator.protocol.peer import Peer


class Connection:
    """The link of a peer to its socket. ``socket`` must not answer pings itself: one that is half-open answers none."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, clock: Clock) -> None:
        self._socket, self._transport, self._clock = socket, transport, clock
        self._work = asyncio.Event()
        self._pong = asyncio.Event()
        self._muted = False
        self._closing: asyncio.Task[bool] | None = None

    def wake(self) -> None:
        self._work.set()

    def cut(self) -> None:
        self._transport.abort()

    def mute(self) -> None:
        self._muted = True
        self._transport.pause_reading()

    async def end(self) -> None:
        """The server shuts down."""
        if not self._muted:
            await self._close(WSCloseCode.GOING_AWAY, "")

    async def run(self, exchange: Exchange, peer: Peer) -> None:
        """Serve the peer until its connection is gone."""
        limits = exchange.limits
        tasks = [asyncio.create_task(self._write(peer))]
        if limits.ping_every_s is not None:
            tasks.append(asyncio.create_task(self._ping(limits.ping_every_s, limits.pong_within_s)))
        try:
            await self._read(exchange, peer)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._closing is not None:  # a client must have read the close frame before its socket is gone
                await self._closing

    def _close(self, code: int, reason: str) -> asyncio.Task[bool]:
        """Start the closing handshake, once; it ends the reading."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._socket.close(code=code, message=reason.encode()))
        return self._closing

    async def _read(self, exchange: Exchange, peer: Peer) -> None:
        async for message in self._socket:
            if self._muted:  # what had arrived before
                continue
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
                exchange.message(peer, data, self._clock.now_ns())
            elif message.type is WSMsgType.PING:
                with contextlib.suppress(ConnectionError):
                    await self._socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self._pong.set()

    async def _write(self, peer: Peer) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self._work.wait()
                self._work.clear()
                while peer.outbox and not self._muted:
                    data = peer.outbox.popleft()
                    # garbage that starts with NUL is not UTF-8 and leaves as a binary frame
                    is_text = data[:1] != b"\0" and not peer.binary
                    await self._socket.send_frame(data, WSMsgType.TEXT if is_text else WSMsgType.BINARY)
                if peer.closing and not self._muted:
                    self._close(*peer.closing)
                    return

    async def _ping(self, every_s: float, within_s: float | None) -> None:
        """Ping as the venue does, and close the connection of a client that does not answer in time."""
        with contextlib.suppress(ConnectionError):
            while not self._muted:
                await asyncio.sleep(every_s)
                if self._muted:
                    return
                self._pong.clear()
                await self._socket.ping(str(self._clock.now_ns() // 1_000_000).encode())
                try:
                    await asyncio.wait_for(self._pong.wait(), within_s)
                except TimeoutError:
                    if not self._muted:
                        self._close(WSCloseCode.POLICY_VIOLATION, "Pong timeout")
                    return
