"""Reading a request for the page: all of it within a few seconds, and no more of it than a browser sends."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_S = 10.0  # from the connection, or the first byte of another request on it, to the last byte
MOST_REQUEST_BYTES = 64 * 1024  # the page takes nothing but GET


class BoundedRequests(HttpToolsProtocol):
    """A connection that is closed where a request does not end, or is longer than any of ours."""

    _deadline: asyncio.TimerHandle | None = None
    _read = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

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

    def _begin(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_S, self.transport.close)

    def _end(self) -> None:
        self._read = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
