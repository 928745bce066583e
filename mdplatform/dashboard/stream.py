"""What a browser is sent: the whole state first, then what changed, at most five times a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from mdplatform.dashboard.board import Board, Key, Seen
from mdplatform.dashboard.connections import Sent
from mdplatform.dashboard.feed import NOTHING, Since
from mdplatform.dashboard.health import Health, Reach

PUSH_EVERY_S = 0.2
# Sent even when nothing changes: the header's ages, and proof that the page's own connection lives.
HEARTBEAT_MS = 1000


class Sources:
    """Where the page's facts come from."""

    def __init__(self, board: Board, broker: Health, warehouse: Reach) -> None:
        self.board, self.broker, self.warehouse = board, broker, warehouse

    def summary(self) -> dict[str, Any]:
        """The header's facts, as in ``/healthz``."""
        return {
            **self.broker.shown(),
            "warehouse": self.warehouse.shown(),
            "feeds": len(self.board),
            "messages": self.board.messages,
            "refused": self.board.refused,
            "passed_over": self.board.passed_over.counts(),
            "left_out": self.board.left_out,
        }


class Panel:
    """What a browser has of one feed that it looks at closely."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self._mark: tuple[int, str] | None = None
        self._sent = NOTHING

    def update(self, board: Board, mark: tuple[int, str] | None, now_ms: int) -> dict[str, Any] | None:
        """What is new, None when nothing is; ``mark`` is the feed's version and state."""
        if mark is None or mark == self._mark:
            return None
        self._mark = mark
        detail = board.detail(self.key, now_ms, self._sent)
        if detail is not None:
            sample, bar = (
                parts[-1][0] if parts else before
                for parts, before in zip((detail["samples"], detail["bars"]), self._sent, strict=False)
            )
            self._sent = Since(sample, bar, detail["print_count"])
        return detail


class Stream:
    """The state as one browser knows it. ``selected``: the feeds of its panels; ``base``: the asset it compares."""

    def __init__(self, sources: Sources, selected: Sequence[Key] = (), base: str = "") -> None:
        self._sources = sources
        self._panels = [Panel(key) for key in selected]
        self._base = base
        self._compared: dict[Key, float] = {}  # newest second sent of each feed of the base
        self._seen: Seen = {}
        self._sent: Sent = {}
        self._sent_ms: int | None = None
        self._signals = 0  # findings sent

    def update(self, now_ms: int) -> dict[str, Any] | None:
        """What has changed since the last call; None when nothing has and no heartbeat is due."""
        board = self._sources.board
        rows, gone = board.changes(self._seen, now_ms)
        first = self._sent_ms is None
        if not (first or rows or gone or now_ms - (self._sent_ms or 0) >= HEARTBEAT_MS):
            return None
        self._sent_ms = now_ms
        connections, ended = board.connections(self._sent)
        signals, self._signals = board.signals(self._signals)
        details = [panel.update(board, self._seen.get(panel.key), now_ms) for panel in self._panels]
        return {
            "now_ms": now_ms,
            "full": first,
            "health": self._sources.summary(),
            "rows": rows,
            "gone": gone,
            "connections": connections,
            "ended": ended,
            "details": [detail for detail in details if detail is not None],
            "compared": self._compare(),
            "signals": signals,
        }

    def _compare(self) -> list[tuple[str, str, list[Any]]]:
        """(exchange, symbol, [second, bid, ask] of each new sample) of the feeds of the base."""
        if not self._base:
            return []
        found = self._sources.board.samples(self._base, self._compared)
        self._compared = {key: samples[-1][0] or 0 for key, samples in found.items() if samples}
        return [(*key, [sample[:3] for sample in samples]) for key, samples in found.items()]


async def server_sent_events(
    stream: Stream, now_ms: Callable[[], int], stopping: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """The stream as an SSE body. A slow browser gets fewer updates, never a queue of old ones."""
    yield b"retry: 1000\n\n"
    while not stopping():
        message = stream.update(now_ms())
        if message is not None:
            yield b"data: " + msgspec.json.encode(message) + b"\n\n"
        await asyncio.sleep(PUSH_EVERY_S)
