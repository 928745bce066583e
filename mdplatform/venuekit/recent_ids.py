"""Trades whose ids are unique but not consecutive: what repeats is known, what is missing is not."""

from __future__ import annotations

from collections import deque

from mdplatform.core.clock import MS
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState

_REMEMBERED = 5000  # ids kept a symbol: more than any venue repeats on subscription or lists by REST
_SAME_NS = MS  # by so much the time of one trade may differ between a socket and REST


class RecentIds:
    """The latest ids of one feed of trades, each with its venue time: the same id at another time is another trade.

    It outlives connections: what a new one repeats is dropped.
    """

    def __init__(self, feed: FeedState) -> None:
        self.feed = feed
        self.duplicates = 0
        self.added = 0  # ids ever added
        self._seen: dict[str, tuple[int, int]] = {}  # id -> how many were added before it, its venue time
        self._again: dict[str, list[tuple[int, int]]] = {}  # the same of an id's later trades
        self._order: deque[str] = deque()

    def __contains__(self, trade_id: str) -> bool:
        return trade_id in self._seen

    def rank(self, trade_id: str, venue_ns: int) -> int | None:
        """How many ids were added before this one; None where it is not among those remembered."""
        seen = self._seen.get(trade_id)
        alike = [] if seen is None else [seen, *self._again.get(trade_id, ())]
        return next((rank for rank, time_ns in alike if abs(time_ns - venue_ns) <= _SAME_NS), None)

    def take(self, trade_id: str, venue_ns: int, now_ns: int) -> tuple[bool, list[FeedStatus]]:
        """(whether the trade is new, the statuses that follow for the feed)."""
        if not self.add(trade_id, venue_ns):
            return False, []
        opened = self.feed.valid("received", None, now_ns)
        self.feed.proven(None, now_ns)
        return True, opened

    def add(self, trade_id: str, venue_ns: int) -> bool:
        """Remember it; whether it was new. The feed is left as it is."""
        if trade_id not in self._seen:
            self._seen[trade_id] = self.added, venue_ns
        elif self.rank(trade_id, venue_ns) is not None:
            self.duplicates += 1
            return False
        else:
            self._again.setdefault(trade_id, []).append((self.added, venue_ns))
        self.added += 1
        self._order.append(trade_id)
        if len(self._order) > _REMEMBERED:
            self._forget(self._order.popleft())
        return True

    def _forget(self, trade_id: str) -> None:
        """The oldest trade of this id."""
        later = self._again.get(trade_id)
        if later is None:
            del self._seen[trade_id]
            return
        self._seen[trade_id] = later.pop(0)
        if not later:
            del self._again[trade_id]
