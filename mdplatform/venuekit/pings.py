"""Pings as messages, where a venue wants them beside or in place of those of the WebSocket protocol."""

from __future__ import annotations


class Pings:
    """One every ``every_ns`` between ``begin`` and ``end``."""

    __slots__ = ("_due_ns", "every_ns")

    def __init__(self, every_ns: int) -> None:
        self.every_ns = every_ns
        self._due_ns: int | None = None  # when the next one is due

    @property
    def are_sent(self) -> bool:
        """Whether the venue takes them by now."""
        return self._due_ns is not None

    def begin(self, now_ns: int) -> None:
        self._due_ns = now_ns + self.every_ns

    def end(self) -> None:
        self._due_ns = None

    def tick(self, now_ns: int) -> bool:
        """Whether to send one now; the next is due ``every_ns`` later."""
        if self._due_ns is None or now_ns < self._due_ns:
            return False
        self._due_ns = now_ns + self.every_ns
        return True
