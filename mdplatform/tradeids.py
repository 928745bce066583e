"""Trades whose ids count up by one a symbol: what repeats, what is missing, what comes late."""

from __future__ import annotations

from typing import NamedTuple

from mdplatform.events import FeedStatus
from mdplatform.intervals import Feed

_REMEMBERED = 100  # ranges of missing ids kept a symbol, so that a late trade is told from a repeated one


class Missing(NamedTuple):
    """Ids ``first`` to ``last``, both included."""

    first: int
    last: int


class TradeIds:
    """The ids seen on one trades feed. It outlives connections: a reconnect must show what was missed meanwhile."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.last: int | None = None
        self.duplicates = 0
        self._missing: list[Missing] = []

    def take(self, trade_id: int, now_ns: int) -> tuple[bool, list[FeedStatus]]:
        """(whether the trade is new, what it says about the feed)."""
        last = self.last
        if last is not None and trade_id <= last:
            late = self._fill(trade_id)
            self.duplicates += not late
            return late, []
        self.last = trade_id
        if last is not None and trade_id != last + 1:
            return True, self._skip(Missing(last + 1, trade_id - 1), trade_id, now_ns)
        opened = self.feed.valid("in_sequence", trade_id, now_ns)
        self.feed.proven(trade_id, now_ns)
        return True, opened

    def reached(self, trade_id: int, now_ns: int) -> list[FeedStatus]:
        """The venue says that ids up to ``trade_id`` were sent: those not seen are missing."""
        last = self.last
        self.last = trade_id if last is None else max(last, trade_id)
        if last is None or trade_id <= last:
            return []
        return self._skip(Missing(last + 1, trade_id), trade_id, now_ns)

    def _skip(self, missing: Missing, trade_id: int, now_ns: int) -> list[FeedStatus]:
        self._missing = [*self._missing, missing][-_REMEMBERED:]
        count = missing.last - missing.first + 1
        return self.feed.lost("trade_id_gap", missing.first, count, trade_id, now_ns)

    def _fill(self, trade_id: int) -> bool:
        """Whether ``trade_id`` was missing; it no longer is."""
        for index, (first, last) in enumerate(self._missing):
            if first <= trade_id <= last:
                rest = [Missing(first, trade_id - 1), Missing(trade_id + 1, last)]
                self._missing[index : index + 1] = [part for part in rest if part.first <= part.last]
                return True
        return False
