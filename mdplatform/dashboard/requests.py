"""A browser's connection: its request within a few seconds and not endless, its answers taken in time."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = logging.getLogger(__name__)

REQUEST_S = 10.0  # from the connection, or the first byte of another request on it, to the last byte
MOST_REQUEST_BYTES = 64 * 1024  # the page takes nothing but GET
# From when the buffers towards a browser are full until it has taken some of it. A stream waits meanwhile, and goes on
# with what is new then: it never queues.
SLOW_S = 20.0


class BoundedRequests(HttpToolsProtocol):
    """A connection that is closed where a request does not end or is too long, or where an answer is not taken."""

    _deadline: asyncio.TimerHandle | None = None
    _patience: asyncio.TimerHandle | None = None
    _read = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self._taken()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._patience = self.loop.call_later(SLOW_S, self._cut)

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._deadline is None:
            self._begin()
        self._read += len(data)
        if self._read > MOST_REQUEST_BYTES:
            self.transport.close()
            return
        super().data_received(data)

    def on_message_complete(self) -> None:
        self._end()
        super().on_message_complete()

    def _cut(self) -> None:
        log.warning("a browser took nothing for %.0f s and is cut off", SLOW_S)
        self.transport.abort()

    def _taken(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _begin(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_S, self.transport.close)

    def _end(self) -> None:
        self._read = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
