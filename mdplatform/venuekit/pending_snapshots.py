"""Snapshots in a recording. A REST answer does not name its symbol: it is whose diffs it joins, now or later."""

from __future__ import annotations

from collections.abc import Iterable

from mdplatform.core.session import Output
from mdplatform.venuekit.books.diff import Diff, DiffBook, Snapshot, check_snapshot

_KEPT = 64


class PendingSnapshots:
    """The snapshots that no diff has claimed yet, at most 64."""

    def __init__(self) -> None:
        self._snapshots: list[Snapshot] = []

    def __bool__(self) -> bool:
        return bool(self._snapshots)

    def give(self, snapshot: Snapshot, markets: Iterable[DiffBook], now_ns: int) -> list[Output]:
        """Hand it to the market that waits for it, or keep it. Raises FrameError when it is no book."""
        check_snapshot(snapshot)
        for market in markets:
            if market.chain.last is None and any(market.joins(diff, snapshot.last) for diff in market.chain.buffer):
                return market.offer(snapshot, now_ns)
        self._keep(snapshot)
        return []

    def _keep(self, snapshot: Snapshot) -> None:
        self._snapshots = [*self._snapshots, snapshot][-_KEPT:]

    def claim(self, market: DiffBook, diff: Diff, now_ns: int) -> list[Output]:
        """What follows when ``diff``, just taken by ``market``, joins one of those kept."""
        for index, snapshot in enumerate(self._snapshots):
            if market.chain.last is None and market.joins(diff, snapshot.last):
                del self._snapshots[index]
                return market.offer(snapshot, now_ns)
        return []
