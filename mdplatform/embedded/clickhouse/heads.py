"""Reading an HTTP request: a head of bounded length, all in bounded time. uvicorn bounds neither with httptools."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 1 << 20  # request line and headers; of them the URL has at most 64 KiB, by httptools
HEAD_S = 30.0  # from its first byte to its last
# A body may be long, and its sender slow; but in each such time some of it must come, unless we hold it back ourselves.
BODY_S, LEAST_BODY_BYTES = 30.0, 16 << 10
TOO_LONG = f"The request line and headers have more than {MOST_HEAD_BYTES} bytes\n".encode()
TOO_SLOW = f"Of the request's body fewer than {LEAST_BODY_BYTES} bytes came in {BODY_S:g} s\n".encode()


class BoundedHeads(HttpToolsProtocol):
    """A connection that is closed where a head is too long or a body stalls (answered), or a head does not end."""

    _reading_head = True
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _body_bytes = 0  # since `_deadline` was set

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_S, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._reading_head:
            if self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_S, self.transport.close)
            self._head_bytes += len(data)
        super().data_received(data)
        if self._reading_head and self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._end(b"431 Request Header Fields Too Large", TOO_LONG)

    def on_headers_complete(self) -> None:
        self._reading_head, self._head_bytes = False, 0
        self._in_time()
        super().on_headers_complete()
        self._await_body()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._reading_head = True
        self._in_time()
        super().on_message_complete()

    def _await_body(self) -> None:
        self._body_bytes = 0
        self._deadline = self.loop.call_later(BODY_S, self._look_at_body)

    def _look_at_body(self) -> None:
        if self._body_bytes >= LEAST_BODY_BYTES or self.flow.read_paused:
            self._await_body()
        elif self.cycle is not None and self.cycle.response_started:
            self.transport.close()
        else:
            self._end(b"408 Request Timeout", TOO_SLOW)

    def _end(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %b\r\ncontent-type: text/plain\r\nconnection: close\r\n" % status
        self.transport.write(head + b"content-length: %d\r\n\r\n%b" % (len(body), body))
        self.transport.close()

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
