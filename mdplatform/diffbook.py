"""A book from a stream of diffs and a snapshot that is asked for: buffer, join, apply in sequence, or say what broke.

The venue's own rule enters as two numbers a diff (``previous``: the id that it follows; ``last``: its own) and a
function that says whether a diff may be the first after a snapshot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from mdplatform.book import OrderBook
from mdplatform.clock import SECOND
from mdplatform.decimals import Levels
from mdplatform.pause import Pause

# Diffs kept while a snapshot is awaited. Dropping the oldest loses nothing: a snapshot older than the first one kept
# does not join and is asked for again.
_BUFFERED = 2000
_FIRST_RETRY_NS = SECOND // 2
_LAST_RETRY_NS = 32 * SECOND

Verdict = Literal["applied", "waiting", "repeated", "broken", "crossed", "spent"]


class Diff(NamedTuple):
    """Absolute sizes at some prices: the book goes from ``previous`` to ``last``, or anything from there on."""

    previous: int
    last: int
    bids: Levels
    asks: Levels
    venue_ns: int
    received_ns: int


class Snapshot(NamedTuple):
    """The book as it was after the update ``last``."""

    last: int
    bids: Levels
    asks: Levels


class DiffBook:
    """One symbol's book. ``joins(diff, snapshot_id)``: whether ``diff`` leads on from the snapshot."""

    def __init__(self, joins: Callable[[Diff, int], bool]) -> None:
        self.book = OrderBook()
        self.last: int | None = None  # id of the last update applied; None until a diff joined the snapshot
        self.buffer: deque[Diff] = deque(maxlen=_BUFFERED)
        self.asked = False  # a snapshot is on its way
        self.pause = Pause(_FIRST_RETRY_NS, _LAST_RETRY_NS)
        self._snapshot: Snapshot | None = None
        self._joins = joins
        self._latest: Diff | None = None

    @property
    def venue_ns(self) -> int:
        """Of the last diff applied; 0 before the first."""
        return 0 if self._latest is None else self._latest.venue_ns

    def restart(self) -> None:
        """Forget the book: it takes a new snapshot."""
        self.book = OrderBook()
        self.last = self._snapshot = self._latest = None
        self.buffer.clear()

    def wants_snapshot(self, now_ns: int) -> bool:
        """Whether one is to be asked for now; there is never more than one on its way."""
        needed = self.last is None and self._snapshot is None and bool(self.buffer)
        return needed and not self.asked and self.pause.is_over(now_ns)

    def ask(self, now_ns: int) -> None:
        """A snapshot was asked for."""
        self.asked = True
        self.pause.asked(now_ns)

    def delay(self, now_ns: int) -> None:
        """The last request was in vain: wait before the next, longer every time."""
        self.pause.failed(now_ns)

    def take(self, diff: Diff) -> Verdict:
        """Apply a diff in sequence. "broken": updates are missing before it, or it goes back."""
        if self.last is None:
            self.buffer.append(diff)
            return "waiting"
        if diff.previous != self.last:
            # Venues state overlaps to be harmless only for the diff that joins; a later one is a fault.
            return "repeated" if self._latest is not None and diff[:4] == self._latest[:4] else "broken"
        return self._apply(diff)

    def offer(self, snapshot: Snapshot, now_ns: int) -> bool:
        """Take a snapshot; False when it is older than what is buffered, so that another must be asked for."""
        if self.buffer and snapshot.last < self.buffer[0].previous:
            self.delay(now_ns)
            return False
        self._snapshot = snapshot
        self.book.replace(snapshot.bids, snapshot.asks)
        return True

    def drain(self, now_ns: int) -> Iterator[tuple[Diff, Verdict]]:
        """Apply what is buffered, as far as a snapshot allows; the book stands after each diff as it is yielded."""
        while self.buffer and (self.last is not None or self._snapshot is not None):
            diff = self.buffer.popleft()
            if self._snapshot is None:
                yield diff, self.take(diff)
            elif self._joins(diff, self._snapshot.last):
                self._snapshot = None
                self.pause.whole(now_ns)
                yield diff, self._apply(diff)
            elif diff.last > self._snapshot.last:
                yield diff, "broken"

    def _apply(self, diff: Diff) -> Verdict:
        self.book.apply(diff.bids, diff.asks)
        self.last, self._latest = diff.last, diff
        return "crossed" if self.book.is_crossed() else "applied"
