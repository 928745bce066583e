"""Lets the WebSocket server take POST requests, which its own parser refuses for their bodies."""

from __future__ import annotations

from typing import Any

from websockets.asyncio.server import ServerConnection

_MOST = 1 << 20  # bytes of a request; more is cut off


class PostingConnection(ServerConnection):
    """Holds a POST back until it is whole, keeps its body as `posted`, and hands on a GET without one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.posted: bytes | None = None
        self._held: bytes | None = b""  # None: what the request was is settled

    def data_received(self, data: bytes) -> None:
        if self._held is None:
            super().data_received(data)
            return
        self._held += data
        if self._held.startswith(b"POST "):
            whole = _split(self._held)
            if whole is None:
                if len(self._held) > _MOST:
                    self.transport.abort()
                return
            head, self.posted = whole
            self._held = b"GET" + head.removeprefix(b"POST")
        elif b"POST ".startswith(self._held):
            return
        first, self._held = self._held, None
        super().data_received(first)


def _split(request: bytes) -> tuple[bytes, bytes] | None:
    """Head without its Content-Length, and body; None while something is missing."""
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return None
    lines = head.split(b"\r\n")
    lengths = [int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:")]
    if len(body) < sum(lengths[:1]):
        return None
    kept = [line for line in lines if not line.lower().startswith(b"content-length:")]
    return b"\r\n".join(kept) + end, body
