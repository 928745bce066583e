"""A book by each change whose snapshots come on a stream beside them."""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.session import Output
from mdplatform.venuekit.books.diff import DiffBook, Snapshot, check_snapshot

PARTIAL_LEVELS = 20
PATIENCE_NS = 3 * SECOND  # without a partial book, before a snapshot is asked for by REST


class JoinedBook(DiffBook):
    """Diffs whose snapshots come on a stream beside them, at no weight: partial books have the ids of diffs.

    Probed in autumn 2026: 40,200 partial books, each what the diffs had led to. Of their 20 levels those are known that
    no diff has taken away, so that at times there are fewer. REST is asked where the stream stays silent.
    """

    _beside_ns = 0  # when the stream beside last sent something

    def connected(self, now_ns: int) -> None:
        super().connected(now_ns)
        self._beside_ns = now_ns

    @property
    def is_due(self) -> bool:
        """Whether the next partial book is of use."""
        return self.chain.last is None or self.chain.is_short

    def beside(self, snapshot: Snapshot, now_ns: int) -> list[Output]:
        """A partial book; raises FrameError where it cannot be one."""
        self._beside_ns = now_ns
        if self.chain.last is None:
            return self.offer(snapshot, now_ns)
        check_snapshot(snapshot)
        self.chain.renew(snapshot, now_ns)
        return []

    def came(self, now_ns: int) -> None:
        """A partial book that is of no use now."""
        self._beside_ns = now_ns

    def _ask(self, now_ns: int) -> list[Output]:
        return super()._ask(now_ns) if now_ns - self._beside_ns > PATIENCE_NS else []
