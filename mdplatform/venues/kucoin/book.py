"""A book from diffs and a snapshot of its best levels only, which is all that KuCoin's spot shows without a key.

Behind the snapshot's last level (its reach) nothing is known, so nothing is kept there. While the best prices move, the
known levels grow fewer: then a new snapshot is taken beside the running book, which stays proven meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from mdplatform.book import OrderBook
from mdplatform.decimals import Levels
from mdplatform.diffbook import Diff, DiffBook, Snapshot, Verdict
from mdplatform.diffmarket import DiffMarket, check_snapshot
from mdplatform.errors import FrameError
from mdplatform.intervals import Feed
from mdplatform.session import Output, Request
from mdplatform.units import Units

LIMIT = 100  # levels a side in a spot snapshot


class ReachBook(DiffBook):
    """A side with just ``LIMIT`` levels in its snapshot ends there; one with fewer or more is whole."""

    def __init__(self, joins: Callable[[Diff, int], bool], depth: int) -> None:
        super().__init__(joins)
        self._enough = (depth + LIMIT) // 2  # levels under which a new snapshot is due
        self._floor: float | None = None  # worst bid and ask that are known; None: all are
        self._ceiling: float | None = None
        self._since: deque[Diff] = deque()  # applied while a snapshot is on its way
        self._ahead: Snapshot | None = None  # it came before the diffs that it holds already

    def wants_snapshot(self, now_ns: int) -> bool:
        if self.last is None:
            return super().wants_snapshot(now_ns)
        is_due = self._ahead is None and not self.asked and self.pause.is_over(now_ns)
        return is_due and self._is_short(self._enough)

    def offer(self, snapshot: Snapshot, now_ns: int) -> bool:
        self._reach_to(snapshot)
        return super().offer(snapshot, now_ns)

    def restart(self) -> None:
        super().restart()
        self._since.clear()
        self._ahead = None

    def renew(self, snapshot: Snapshot, now_ns: int) -> None:
        """Go on from a newer snapshot; one from before it was asked for is of no use."""
        newest = self.last or 0
        oldest = self._since[0].previous if self._since else newest
        if snapshot.last < oldest:
            self.delay(now_ns)
        elif snapshot.last > newest:
            self._ahead = snapshot
        else:
            self._go_on_from(snapshot)
            self.pause.whole(now_ns)

    def _go_on_from(self, snapshot: Snapshot) -> None:
        self._reach_to(snapshot)
        self.book = OrderBook()
        self.book.replace(snapshot.bids, snapshot.asks)
        for diff in self._since:
            if diff.last > snapshot.last:
                known = self._known(diff)
                self.book.apply(known.bids, known.asks)
        self._ahead = None

    def _apply(self, diff: Diff) -> Verdict:
        verdict = super()._apply(self._known(diff))
        self._latest = diff
        if self.asked or self._ahead is not None:
            self._since.append(diff)
        else:
            self._since.clear()
        if self._ahead is not None and self._ahead.last <= diff.last:
            self._go_on_from(self._ahead)
        return "spent" if verdict == "applied" and self._is_short(1) else verdict

    def _reach_to(self, snapshot: Snapshot) -> None:
        self._floor = _worst(snapshot.bids, min)
        self._ceiling = _worst(snapshot.asks, max)

    def _known(self, diff: Diff) -> Diff:
        floor, ceiling = self._floor, self._ceiling
        if floor is not None and diff.bids:
            diff = diff._replace(bids=[level for level in diff.bids if float(level[0]) >= floor])
        if ceiling is not None and diff.asks:
            diff = diff._replace(asks=[level for level in diff.asks if float(level[0]) <= ceiling])
        return diff

    def _is_short(self, levels: int) -> bool:
        bids, asks = self.book.bids, self.book.asks
        return (self._floor is not None and len(bids) < levels) or (self._ceiling is not None and len(asks) < levels)


class ReachMarket(DiffMarket):
    """As DiffMarket; a snapshot that comes while the book stands renews its reach."""

    def __init__(self, feed: Feed, request: Request, depth: int, units: Units | None) -> None:
        super().__init__(feed, request, joins, depth, units)
        self.diffs: ReachBook = ReachBook(joins, depth)

    def offer(self, snapshot: Snapshot, now_ns: int) -> list[Output]:
        if self.diffs.last is None:
            return super().offer(snapshot, now_ns)
        self.diffs.asked = False
        try:
            check_snapshot(snapshot)
        except FrameError:
            self.diffs.delay(now_ns)
            raise
        self.diffs.renew(snapshot, now_ns)
        return []


def joins(diff: Diff, snapshot_id: int) -> bool:
    """sequenceStart <= sequence + 1 <= sequenceEnd."""
    return diff.previous <= snapshot_id < diff.last


def _worst(levels: Levels, worst: Callable[[list[float]], float]) -> float | None:
    return worst([float(price) for price, _ in levels]) if len(levels) == LIMIT else None
