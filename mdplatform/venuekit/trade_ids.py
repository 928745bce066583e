"""Trades whose ids count up by one a symbol: repeated, missing and late ones, and numbering that starts again.

A message may stand for several matches with consecutive ids, while the venue lists each match by itself by REST. So ids
are known by ranges: what falls into a known one repeats it.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from msgspec.structs import replace

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState

_RESUMED_WITHIN = 1_000_000  # ids further on than this are another numbering, or more than anybody would ask for
_REMEMBERED = 100  # gaps kept a symbol, to distinguish a late trade from a repeated one
_SAME_NS = MS  # by so much the times of one trade that is sent twice may differ
_SKEW_NS = 5 * SECOND  # by so much a venue's clock may be ahead of ours


class Missing(NamedTuple):
    """Ids ``first`` to ``last``, both included."""

    first: int
    last: int


class _Gap:
    """The status that was published for a run of missing ids, and which of them are still missing."""

    def __init__(self, status: FeedStatus, missing: Missing) -> None:
        self.status = status
        self.left = [missing]

    def count(self) -> int:
        return sum(last - first + 1 for first, last in self.left)

    def fill(self, first: int, last: int) -> bool:
        """Whether all of these ids were missing; they no longer are."""
        for index, missing in enumerate(self.left):
            if missing.first <= first and last <= missing.last:
                rest = [Missing(missing.first, first - 1), Missing(last + 1, missing.last)]
                self.left[index : index + 1] = [part for part in rest if part.first <= part.last]
                return True
        return False


class TradeIds:
    """The ids seen on one trades feed. It outlives connections: a reconnect must show what was missed meanwhile.

    An id that is not above the last one but later in venue time belongs to a numbering that the venue began again.
    """

    def __init__(self, feed: FeedState) -> None:
        self.feed = feed
        self.last: int | None = None
        self.latest_ns = 0  # venue time of the latest trade
        self.since_ns = 0  # venue time at which the numbering began again; 0: it never did
        self.resets = 0
        self.duplicates = 0
        self._before: int | None = None  # the last id that an earlier collector saw
        self._before_ns = 0  # no trade that it saw is later
        self._gaps: deque[_Gap] = deque(maxlen=_REMEMBERED)
        self._is_revised = False  # a gap has fewer missing ids than its published status states

    @property
    def missing(self) -> list[Missing]:
        """What was lost and has not come since, oldest first."""
        return [missing for gap in self._gaps for missing in gap.left]

    def is_missing(self, trade_id: int) -> bool:
        return any(first <= trade_id <= last for first, last in self.missing)

    def resume(self, last: int, until_ns: int = 0) -> None:
        """An earlier collector saw ids up to ``last``: what comes first shows how many were missed since.

        ``until_ns``: the receive time until when it saw all trades; 0 where nobody knows.
        """
        self._before = last
        self._before_ns = until_ns + _SKEW_NS if until_ns else 0

    def _begin(self, trade_id: int) -> None:
        """``trade_id`` is the first that is seen. Where it cannot follow the id of before, numbers begin again."""
        if self._before is not None:
            ahead = trade_id - self._before
            if 0 <= ahead <= _RESUMED_WITHIN or (ahead < 0 and self._before_ns):
                self.last, self.latest_ns = self._before, self._before_ns
        self._before = None

    def take(
        self, trade_id: int, venue_ns: int, now_ns: int, first: int | None = None
    ) -> tuple[bool, list[FeedStatus]]:
        """(whether the trade is new, the feed's statuses that follow). ``first``: id of its first match."""
        if first is None:
            first = trade_id
        if self.last is None:
            self._begin(trade_id)
        last = self.last
        if last is not None and first <= last:
            return self._behind(first, trade_id, venue_ns, now_ns)
        if venue_ns > self.latest_ns:
            self.latest_ns = venue_ns
        elif venue_ns < self.since_ns:  # of the numbers before they began again
            self.duplicates += 1
            return False, []
        self.last = trade_id
        if last is not None and first != last + 1:
            opened = self._skip(Missing(last + 1, first - 1), first, now_ns)
        else:
            opened = [] if self.feed.state == "valid" else self.feed.valid("in_sequence", first, now_ns)
        self.feed.proven(trade_id, now_ns)
        return True, self.revised() + opened if self._is_revised else opened

    def reached(self, trade_id: int, now_ns: int, venue_ns: int = 0) -> list[FeedStatus]:
        """The venue says that ids up to ``trade_id`` were sent: those not seen are missing.

        ``venue_ns``: when that one was traded, where it says so.
        """
        if self.last is None:
            self._begin(trade_id)
        last = self.last
        if last is None or trade_id > last:
            self.latest_ns = max(self.latest_ns, venue_ns)
        if last is not None and not 0 < trade_id - last <= _RESUMED_WITHIN:
            return []
        self.last = trade_id
        return [] if last is None else self._skip(Missing(last + 1, trade_id), trade_id, now_ns)

    def revised(self) -> list[FeedStatus]:
        """Of gaps that were filled in part: the interval with what is still missing."""
        out = []
        for gap in self._gaps if self._is_revised else ():
            count = gap.count()
            if count and count != gap.status.missed:
                gap.status = replace(gap.status, missed=count, ended_ns=_longer(gap.status))
                out.append(gap.status)
        self._is_revised = False
        return out

    def _behind(self, first: int, last: int, venue_ns: int, now_ns: int) -> tuple[bool, list[FeedStatus]]:
        """A trade that begins at or below the last id: late, repeated, or of another numbering."""
        seen = self.last
        if seen is not None and last > seen:  # an earlier collector saw a part of it: the rest is to be had by REST
            said = self._skip(Missing(seen + 1, last), last, now_ns)
            self.last, self.latest_ns = last, max(self.latest_ns, venue_ns)
            return False, said
        late, filled = self._fill(first, last)
        if late:
            return True, filled
        if self.latest_ns and venue_ns > self.latest_ns + (_SAME_NS if last == seen else 0):
            return True, self._reset(last, venue_ns, now_ns)
        self.duplicates += 1
        return False, []

    def _reset(self, trade_id: int, venue_ns: int, now_ns: int) -> list[FeedStatus]:
        """The venue numbers from the start: what was missing of the old numbers cannot be asked for any more."""
        revised = self.revised()
        self._gaps.clear()
        self.last, self.latest_ns, self.since_ns = trade_id, venue_ns, venue_ns
        self.resets += 1
        return revised + self.feed.reset(trade_id, now_ns)

    def _skip(self, missing: Missing, trade_id: int, now_ns: int) -> list[FeedStatus]:
        count = missing.last - missing.first + 1
        said = self.feed.lost("trade_id_gap", missing.first, count, trade_id, now_ns)
        self._gaps += [_Gap(status, missing) for status in said if status.state == "gap"]
        return said

    def _fill(self, first: int, last: int) -> tuple[bool, list[FeedStatus]]:
        """(whether the ids were missing, the statuses that follow where nothing of their gap is missing any more)."""
        for gap in self._gaps:
            if gap.fill(first, last):
                if gap.left:
                    self._is_revised = True
                    return True, []
                return True, [filled(gap.status)]
        return False, []


def filled(status: FeedStatus) -> FeedStatus:
    """The interval once its missing trades have arrived; a nanosecond longer, so that it replaces the published one."""
    return replace(status, cause=f"{status.cause}_filled", missed=0, ended_ns=_longer(status))


def _longer(status: FeedStatus) -> int:
    return (status.ended_ns or status.started_ns) + 1
