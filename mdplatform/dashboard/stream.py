"""What a browser is sent: the whole state first, then what changed, at most four times a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from mdplatform.dashboard.board import Board, Key, Seen
from mdplatform.dashboard.health import Health

PUSH_EVERY_SECONDS = 0.25
# Sent even when nothing changes: the header's ages, and proof that the page's own connection lives.
HEARTBEAT_MS = 1000


class Stream:
    """The state as one browser knows it. ``selected`` is the feed whose ladder it looks at."""

    def __init__(self, board: Board, health: Health, selected: Key | None) -> None:
        self._board, self._health, self._selected = board, health, selected
        self._seen: Seen = {}
        self._detail_mark: tuple[int, str] | None = None
        self._sent_ms: int | None = None

    def update(self, now_ms: int) -> dict[str, Any] | None:
        """What has changed since the last call; None when nothing has and no heartbeat is due."""
        rows, gone = self._board.changes(self._seen, now_ms)
        first = self._sent_ms is None
        if not (first or rows or gone or now_ms - (self._sent_ms or 0) >= HEARTBEAT_MS):
            return None
        self._sent_ms = now_ms
        message: dict[str, Any] = {
            "now_ms": now_ms,
            "full": first,
            "health": summary(self._board, self._health),
            "rows": rows,
            "gone": gone,
            "connections": self._board.connections(),
        }
        mark = self._seen.get(self._selected) if self._selected else None
        if self._selected and mark != self._detail_mark:
            self._detail_mark = mark
            message["detail"] = self._board.detail(self._selected, now_ms)
        return message


async def server_sent_events(
    stream: Stream, now_ms: Callable[[], int], stopping: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """The stream as an SSE body. A slow browser gets fewer updates, never a queue of old ones."""
    yield b"retry: 1000\n\n"
    while not stopping():
        message = stream.update(now_ms())
        if message is not None:
            yield b"data: " + msgspec.json.encode(message) + b"\n\n"
        await asyncio.sleep(PUSH_EVERY_SECONDS)


def summary(board: Board, health: Health) -> dict[str, Any]:
    """The header's facts, as in ``/healthz``."""
    return {
        **health.shown(),
        "feeds": len(board),
        "messages": board.messages,
        "refused": board.refused,
        "left_out": board.left_out,
    }
