"""Reading the head of an HTTP request: of bounded length, in bounded time. uvicorn bounds neither with httptools."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 1 << 20  # request line and headers; of them the URL has at most 64 KiB, by httptools
HEAD_SECONDS = 30.0  # from its first byte to its last
TOO_LONG = f"The request line and headers have more than {MOST_HEAD_BYTES} bytes\n".encode()
ANSWER = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\nconnection: close\r\n"


class BoundedHeads(HttpToolsProtocol):
    """A connection that is closed where a head is too long (with an answer) or does not end (without)."""

    _reading_head = True
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reading_head:
            if self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)
            self._head_bytes += len(data)
        super().data_received(data)
        if self._reading_head and self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(ANSWER + b"content-length: %d\r\n\r\n%b" % (len(TOO_LONG), TOO_LONG))
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._reading_head, self._head_bytes = False, 0
        self._in_time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reading_head = True
        super().on_message_complete()

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
