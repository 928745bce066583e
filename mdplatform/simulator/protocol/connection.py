"""One client's WebSocket: reads into its exchange, writes its peer's outbox, pings."""

from __future__ import annotations

import asyncio
import contextlib

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from mdplatform.core.clock import Clock
from mdplatform.simulator.protocol.exchange import Exchange
from mdplatform.simulator.protocol.peer import Peer


class Connection:
    """The link of a peer to its socket."""

    def __init__(self, socket: ServerConnection, clock: Clock) -> None:
        self._socket, self._clock = socket, clock
        self._work = asyncio.Event()
        self._muted = False

    def wake(self) -> None:
        self._work.set()

    def cut(self) -> None:
        self._socket.transport.abort()

    def mute(self) -> None:
        self._muted = True
        self._socket.transport.pause_reading()  # not even the protocol's own pongs

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

    async def _read(self, exchange: Exchange, peer: Peer) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._socket:
                data = message.encode() if isinstance(message, str) else message
                exchange.message(peer, data, self._clock.now_ns())

    async def _write(self, peer: Peer) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._work.wait()
                self._work.clear()
                while peer.outbox and not self._muted:
                    data = peer.outbox.popleft()
                    # garbage that begins with NUL is not UTF-8 and leaves as a binary frame
                    await self._socket.send(data, text=data[:1] != b"\0" and not peer.binary)
                if peer.closing and not self._muted:
                    await self._socket.close(*peer.closing)

    async def _ping(self, every_s: float, within_s: float | None) -> None:
        """Ping as the venue does; who does not answer in time is let go."""
        with contextlib.suppress(ConnectionClosed):
            while not self._muted:
                await asyncio.sleep(every_s)
                if self._muted:
                    return
                pong = await self._socket.ping(str(self._clock.now_ns() // 1_000_000))
                try:
                    await asyncio.wait_for(pong, within_s)
                except TimeoutError:
                    if not self._muted:
                        await self._socket.close(1008, "Pong timeout")
