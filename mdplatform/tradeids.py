"""Trades whose ids count up by one a symbol: what repeats, what is missing, what comes late."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from msgspec.structs import replace

from mdplatform.events import FeedStatus
from mdplatform.intervals import Feed

_RESUMED_WITHIN = 1_000_000  # ids further on than this are another numbering, or more than anybody would ask for
_REMEMBERED = 100  # gaps kept a symbol, so that a late trade is told from a repeated one


class Missing(NamedTuple):
    """Ids ``first`` to ``last``, both included."""

    first: int
    last: int


class _Gap:
    """What was said of a run of missing ids, and which of them are still missing."""

    def __init__(self, status: FeedStatus, missing: Missing) -> None:
        self.status = status
        self.left = [missing]

    def fill(self, trade_id: int) -> bool:
        """Whether ``trade_id`` was missing; it no longer is."""
        for index, (first, last) in enumerate(self.left):
            if first <= trade_id <= last:
                rest = [Missing(first, trade_id - 1), Missing(trade_id + 1, last)]
                self.left[index : index + 1] = [part for part in rest if part.first <= part.last]
                return True
        return False


class TradeIds:
    """The ids seen on one trades feed. It outlives connections: a reconnect must show what was missed meanwhile."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.last: int | None = None
        self.duplicates = 0
        self._before: int | None = None  # the last id that an earlier collector saw
        self._gaps: deque[_Gap] = deque(maxlen=_REMEMBERED)

    @property
    def missing(self) -> list[Missing]:
        """What was lost and has not come since, oldest first."""
        return [missing for gap in self._gaps for missing in gap.left]

    def is_missing(self, trade_id: int) -> bool:
        return any(first <= trade_id <= last for first, last in self.missing)

    def resume(self, last: int) -> None:
        """An earlier collector saw ids up to ``last``: what comes first shows how many were missed since."""
        self._before = last

    def _begin(self, trade_id: int) -> None:
        """``trade_id`` is the first that is heard of. Where it cannot follow the id of before, numbers begin anew."""
        if self._before is not None and 0 <= trade_id - self._before <= _RESUMED_WITHIN:
            self.last = self._before
        self._before = None

    def take(self, trade_id: int, now_ns: int) -> tuple[bool, list[FeedStatus]]:
        """(whether the trade is new, what it says about the feed)."""
        if self.last is None:
            self._begin(trade_id)
        last = self.last
        if last is not None and trade_id <= last:
            late, filled = self._fill(trade_id)
            self.duplicates += not late
            return late, filled
        self.last = trade_id
        if last is not None and trade_id != last + 1:
            return True, self._skip(Missing(last + 1, trade_id - 1), trade_id, now_ns)
        opened = self.feed.valid("in_sequence", trade_id, now_ns)
        self.feed.proven(trade_id, now_ns)
        return True, opened

    def reached(self, trade_id: int, now_ns: int) -> list[FeedStatus]:
        """The venue says that ids up to ``trade_id`` were sent: those not seen are missing."""
        if self.last is None:
            self._begin(trade_id)
        last = self.last
        self.last = trade_id if last is None else max(last, trade_id)
        if last is None or trade_id <= last:
            return []
        return self._skip(Missing(last + 1, trade_id), trade_id, now_ns)

    def _skip(self, missing: Missing, trade_id: int, now_ns: int) -> list[FeedStatus]:
        count = missing.last - missing.first + 1
        said = self.feed.lost("trade_id_gap", missing.first, count, trade_id, now_ns)
        self._gaps += [_Gap(status, missing) for status in said if status.state == "gap"]
        return said

    def _fill(self, trade_id: int) -> tuple[bool, list[FeedStatus]]:
        """(whether ``trade_id`` was missing, what is to be said now that nothing of its gap is)."""
        for gap in self._gaps:
            if gap.fill(trade_id):
                return True, [] if gap.left else [filled(gap.status)]
        return False, []


def filled(status: FeedStatus) -> FeedStatus:
    """The interval once its trades were had after all; a nanosecond longer, so that it replaces what was said."""
    ended_ns = (status.ended_ns or status.started_ns) + 1
    return replace(status, cause=f"{status.cause}_filled", missed=0, ended_ns=ended_ns)
