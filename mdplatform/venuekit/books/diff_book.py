"""A book from a stream of diffs and a snapshot that is asked for: buffer, join, apply in sequence, or say what broke.

The venue's own rule enters as two numbers a diff (``previous``: the id that it follows; ``last``: its own) and a
function that says whether a diff may be the first after a snapshot.

Where a snapshot ends after so many levels, its book is known no further, and the market may walk out of it. Before it
does, a new snapshot is asked for: the diffs go on chaining meanwhile, and the book stays proven.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from mdplatform.core.bounds import MOST_BOOK_LEVELS
from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import Levels
from mdplatform.venuekit.contract_sizes import Units, book_in
from mdplatform.venuekit.pause import Pause

# Diffs kept while a snapshot is awaited. Dropping the oldest loses nothing: a snapshot older than the first one kept
# does not join and is asked for again. They hold no more levels than the largest book has, both sides together.
_BUFFERED = 2000
_FIRST_RETRY_NS = SECOND // 2
_LAST_RETRY_NS = 32 * SECOND
_LAST_RENEWAL_NS = 4 * SECOND  # while the market runs away: the book holds, it is only about to end

Verdict = Literal["applied", "waiting", "repeated", "broken", "crossed", "beyond_snapshot", "too_many_levels"]


class Diff(NamedTuple):
    """Absolute sizes at some prices: the book goes from ``previous`` to ``last``, or anything from there on."""

    previous: int
    last: int
    bids: Levels
    asks: Levels
    venue_ns: int
    received_ns: int


class Buffer:
    """The newest diffs, in order: at most ``_BUFFERED``, with ``MOST_BOOK_LEVELS`` in all but the last one."""

    def __init__(self) -> None:
        self._diffs: deque[Diff] = deque()
        self._levels = 0

    def __len__(self) -> int:
        return len(self._diffs)

    def __iter__(self) -> Iterator[Diff]:
        return iter(self._diffs)

    def __getitem__(self, place: int) -> Diff:
        return self._diffs[place]

    def append(self, diff: Diff) -> None:
        self._diffs.append(diff)
        self._levels += len(diff.bids) + len(diff.asks)
        while len(self._diffs) > _BUFFERED or (self._levels > MOST_BOOK_LEVELS and len(self._diffs) > 1):
            self.popleft()

    def extend(self, diffs: Iterable[Diff]) -> None:
        for diff in diffs:
            self.append(diff)

    def popleft(self) -> Diff:
        diff = self._diffs.popleft()
        self._levels -= len(diff.bids) + len(diff.asks)
        return diff

    def clear(self) -> None:
        self._diffs.clear()
        self._levels = 0


class Snapshot(NamedTuple):
    """The book as it was after the update ``last``."""

    last: int
    bids: Levels
    asks: Levels


class DiffBook:
    """One symbol's book. ``joins(diff, snapshot_id)``: whether ``diff`` leads on from the snapshot.

    ``limit``: levels a side that a snapshot is asked for, None: all of them. ``depth``: levels a side that are wanted
    of the book; a new snapshot is due well before fewer are known. ``keep``: diffs are of the best so many levels, of
    which each that goes is replaced by another.
    """

    def __init__(
        self,
        joins: Callable[[Diff, int], bool],
        depth: int = 0,
        limit: int | None = None,
        keep: int | None = None,
        units: Units | None = None,
    ) -> None:
        self._units = units
        self.book = book_in(units)
        self._limit, self._keep = limit, keep
        self._enough = 0 if limit is None else max(1, min((depth + limit) // 2, limit * 3 // 4))
        self.is_short = False  # so few levels are known that a new snapshot is due
        self._renewals = Pause(_FIRST_RETRY_NS, _LAST_RENEWAL_NS)
        self._since = Buffer()  # applied while another snapshot is on its way
        self._ahead: Snapshot | None = None  # it came before the diffs that it holds already
        self.last: int | None = None  # id of the last update applied; None until a diff joined the snapshot
        self.buffer = Buffer()
        self.asked = False  # a snapshot is on its way
        self.stale = 0  # diffs that a snapshot held already
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
        self.book = book_in(self._units)
        self.last = self._snapshot = self._latest = self._ahead = None
        self.buffer.clear()
        self._since.clear()

    @property
    def since(self) -> list[Diff]:
        """What was applied since the snapshot was asked for that is on its way."""
        return [*self._since]

    def forget(self) -> None:
        """A new connection: nothing was asked for yet."""
        self.pause.forget()
        self._renewals.forget()

    def wants_snapshot(self, now_ns: int) -> bool:
        """Whether one is to be asked for now; there is never more than one on its way."""
        if self.asked:
            return False
        if self.last is not None:
            return self.is_short and self._ahead is None and self._renewals.is_over(now_ns)
        return self._snapshot is None and bool(self.buffer) and self.pause.is_over(now_ns)

    def ask(self, now_ns: int) -> None:
        """A snapshot was asked for."""
        self.asked = True
        (self.pause if self.last is None else self._renewals).asked(now_ns)

    def delay(self, now_ns: int) -> None:
        """The last request was in vain: wait before the next, longer every time."""
        (self.pause if self.last is None else self._renewals).failed(now_ns)

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
        self._begin(snapshot)
        return True

    def begin(self, snapshot: Snapshot, now_ns: int) -> None:
        """Become this book, which the venue sent in place of a diff."""
        self.restart()
        self._begin(snapshot)
        self.last = snapshot.last
        self.pause.whole(now_ns)

    def renew(self, snapshot: Snapshot, now_ns: int) -> None:
        """Go on from a newer snapshot; one from before it was asked for is of no use."""
        newest = self.last or 0
        oldest = self._since[0].previous if self._since else newest
        if snapshot.last < oldest:
            self.delay(now_ns)
            return
        self._renewals.whole(now_ns)
        if snapshot.last > newest:
            self._ahead = snapshot
        else:
            self._go_on_from(snapshot)

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
            else:
                self.stale += 1

    def _apply(self, diff: Diff) -> Verdict:
        book = self.book
        book.apply(diff.bids, diff.asks)
        self.last, self._latest = diff.last, diff
        if self._keep is not None:
            book.prune(self._keep)
        elif book.is_overfull():
            return "too_many_levels"
        if self._limit is not None:
            if self.asked or self._ahead is not None:
                self._since.append(diff)
                if self._ahead is not None and self._ahead.last <= diff.last:
                    self._go_on_from(self._ahead)
                    book = self.book
            elif self._since:
                self._since.clear()
            self.is_short = book.is_short(self._enough)
            if self.is_short and book.is_short(1):
                return "beyond_snapshot"
        return "crossed" if book.is_crossed() else "applied"

    def _begin(self, snapshot: Snapshot) -> None:
        self.book.replace(snapshot.bids, snapshot.asks, None if self._keep is not None else self._limit)
        if self._keep is not None:
            self.book.prune(self._keep)

    def _go_on_from(self, snapshot: Snapshot) -> None:
        self._begin(snapshot)
        for diff in self._since:
            if diff.last > snapshot.last:
                self.book.apply(diff.bids, diff.asks)
                if self._keep is not None:
                    self.book.prune(self._keep)
        self._ahead = None
