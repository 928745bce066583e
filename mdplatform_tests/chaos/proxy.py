"""A TCP proxy that can be cut, or fall silent with its connections open. Runs in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
PIECE = 256 * 1024


class Proxy:
    """On a free port of loopback, in front of ``port``. A context manager; every method is safe from any thread.

    ``as_broker``: what is behind gives clients its own address, which becomes the proxy's.
    """

    def __init__(self, port: int, as_broker: bool = False) -> None:
        self._behind = port
        self._as_broker = as_broker
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_cut = False
        self._flows = _set()
        self.port = 0

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def cut(self) -> None:
        """Reset every connection, and every new one, until ``mend``."""
        self._call(self._cut())

    def mend(self) -> None:
        self._call(self._mend())

    def silence(self) -> None:
        """Half-open: what is connected now hears nothing more forever, and learns nothing of it; new ones work."""
        self._call(self._silence())

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _mend(self) -> None:
        self._is_cut = False

    async def _cut(self) -> None:
        self._is_cut = True
        for writer in list(self._writers):
            writer.transport.abort()

    async def _silence(self) -> None:
        # Those that run keep waiting for the event they have; later ones are given another.
        self._flows.clear()
        self._flows = _set()

    async def _close(self) -> None:
        self._server.close()
        await self._cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            return writer.transport.abort()
        flows = self._flows
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(LOOPBACK, self._behind)
            self._writers |= {writer, back}
            own, other = (_address(port) for port in (self._behind, self.port))
            swap = (own, other) if self._as_broker else (b"", b"")
            for task in (self._pump(reader, back, flows, (b"", b"")), self._pump(there, writer, flows, swap)):
                running = asyncio.create_task(task)
                self._tasks.add(running)
                running.add_done_callback(self._tasks.discard)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        flows: asyncio.Event,
        swap: tuple[bytes, bytes],
    ) -> None:
        """Until either side ends; what is read while silent is never passed on."""
        try:
            while piece := await reader.read(PIECE):
                await flows.wait()
                writer.write(piece.replace(*swap) if swap[0] else piece)
                await writer.drain()
            await flows.wait()  # an end does not get through either
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


def _address(port: int) -> bytes:
    """The end of a host's name and the port, as the Kafka protocol writes them in answers of any version."""
    return LOOPBACK.encode() + struct.pack(">i", port)
