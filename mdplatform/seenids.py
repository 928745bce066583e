"""Trades whose ids are unique but not consecutive: what repeats is known, what is missing is not."""

from __future__ import annotations

from collections import deque

from mdplatform.events import FeedStatus
from mdplatform.intervals import Feed

_REMEMBERED = 5000  # ids kept a symbol: more than any venue repeats on subscription or lists by REST


class SeenIds:
    """The latest ids of one feed of prints. It outlives connections: what a new one repeats is dropped."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.duplicates = 0
        self.added = 0  # ids ever added
        self._seen: dict[str, int] = {}  # id -> how many were added before it
        self._order: deque[str] = deque()

    def __contains__(self, trade_id: str) -> bool:
        return trade_id in self._seen

    def rank(self, trade_id: str) -> int | None:
        """How many ids were added before this one; None where it is not among those remembered."""
        return self._seen.get(trade_id)

    def take(self, trade_id: str, now_ns: int) -> tuple[bool, list[FeedStatus]]:
        """(whether the print is new, what it says about the feed)."""
        if not self.add(trade_id):
            return False, []
        opened = self.feed.valid("received", None, now_ns)
        self.feed.proven(None, now_ns)
        return True, opened

    def add(self, trade_id: str) -> bool:
        """Remember it; whether it was new. Says nothing about the feed."""
        if trade_id in self._seen:
            self.duplicates += 1
            return False
        self._seen[trade_id] = self.added
        self.added += 1
        self._order.append(trade_id)
        if len(self._order) > _REMEMBERED:
            del self._seen[self._order.popleft()]
        return True
