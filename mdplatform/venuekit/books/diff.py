"""A book from a stream of diffs and a snapshot by REST: buffer, join, apply in sequence, or say what broke.

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
from mdplatform.core.decimals import Levels, Numbers, check_levels
from mdplatform.core.errors import FrameError
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Fetch, Output, Request
from mdplatform.venuekit.books.updated import UpdatedBook
from mdplatform.venuekit.contract_sizes import ContractSizes, book_in
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
    first: int | None = None  # id of the first update that it holds, where the venue states it
    numbers: Numbers | None = None  # what ``check_levels`` gave of its bids and asks


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


class DiffChain:
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
        units: ContractSizes | None = None,
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
        """The last request brought no book: wait before the next one, longer every time."""
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
        book.apply(diff.bids, diff.asks, diff.numbers)
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
                self.book.apply(diff.bids, diff.asks, diff.numbers)
                if self._keep is not None:
                    self.book.prune(self._keep)
        self._ahead = None


class DiffBook(UpdatedBook):
    """``request`` is the REST call for its snapshot.

    ``limit``: levels a side that the request asks for; ``keep``: that diffs are of. None: all. See ``DiffChain``.
    """

    def __init__(
        self,
        feed: FeedState,
        request: Request,
        joins: Callable[[Diff, int], bool],
        depth: int,
        units: ContractSizes | None = None,
        limit: int | None = None,
        keep: int | None = None,
    ) -> None:
        super().__init__(feed, depth, units)
        self.request = request
        self.joins = joins
        self.chain = DiffChain(joins, depth, limit, keep, units)

    def connected(self, now_ns: int) -> None:
        """A new connection: nothing carries over."""
        self.restart()
        self.chain.forget()

    def restart(self) -> None:
        """A new subscription on the same connection: the book begins again, how often it was asked for stays known."""
        self.chain.restart()
        self.chain.asked = False
        self._published = None

    def take(self, diff: Diff) -> list[Output]:
        """A diff from the socket; its levels are checked already."""
        verdict = self.chain.take(diff)
        if verdict == "applied":
            return self._applied(diff)
        if verdict == "repeated":
            return []
        if verdict == "waiting":
            out: list[Output] = []
            if self.feed.state != "gap":
                out += self.feed.invalid("resync", "no_snapshot", diff.received_ns)
            return out + self._drain(diff.received_ns)
        return self._broken(diff, verdict, diff.received_ns)

    def offer(self, snapshot: Snapshot, now_ns: int) -> list[Output]:
        """A snapshot that was asked for; raises FrameError when it cannot be one."""
        was_asked, self.chain.asked = self.chain.asked, False
        if self.chain.last is not None and not was_asked:
            return []
        try:
            check_snapshot(snapshot)
        except FrameError:
            self.chain.delay(now_ns)
            raise
        if self.chain.last is not None:
            self.chain.renew(snapshot, now_ns)
            return []
        self.chain.offer(snapshot, now_ns)
        return self._drain(now_ns)

    def failed(self, now_ns: int) -> None:
        """The request for a snapshot failed."""
        self.chain.asked = False
        self.chain.delay(now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        """The interval as time passes, and the snapshot that is due.

        One that renews a book is asked for when a diff is taken, not here: so a replay asks where the collector did.
        """
        return [*self.feed.tick(now_ns), *([] if self.chain.last is not None else self._ask(now_ns))]

    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]:
        """The connection is gone."""
        return self.feed.closed(cause, now_ns)

    def _ask(self, now_ns: int) -> list[Output]:
        if not self.chain.wants_snapshot(now_ns):
            return []
        self.chain.ask(now_ns)
        return [Fetch(self.request)]

    def _drain(self, now_ns: int) -> list[Output]:
        out: list[Output] = []
        for diff, verdict in self.chain.drain(now_ns):
            out += self._applied(diff) if verdict == "applied" else self._broken(diff, verdict, now_ns)
        return out + self._ask(now_ns)

    def _broken(self, diff: Diff, verdict: Verdict, now_ns: int) -> list[Output]:
        """The book is not proven any more: say so, forget it and start from this diff with a new snapshot."""
        last, last_ns, following = self.chain.last, self.chain.venue_ns, list(self.chain.buffer)
        # The touch was faster than the snapshot that is on its way: what was applied since may yet lead on from that.
        since = self.chain.since[:-1] if verdict == "beyond_snapshot" else []
        self.chain.restart()
        self.chain.pause.broke(now_ns)
        self._published = None
        self.chain.buffer.extend([*since, diff, *following])
        out: list[Output] = []
        if verdict in ("crossed", "beyond_snapshot", "too_many_levels"):
            out += self.feed.invalid("resync", verdict, now_ns)
        elif last is None:
            out += self.feed.invalid("gap", "snapshot_ahead", now_ns)
        elif diff.previous <= last:
            is_reset = diff.last <= last and diff.venue_ns > last_ns
            out += self.feed.invalid("gap", "sequence_reset" if is_reset else "sequence_back", now_ns)
        else:
            out += self.feed.invalid("gap", "sequence_gap", now_ns, last + 1, diff.previous - last)
        return out + self._ask(now_ns)

    def _applied(self, diff: Diff) -> list[Output]:
        out: list[Output] = []
        feed, now_ns = self.feed, diff.received_ns
        if feed.state != "valid":
            cause = "resumed" if feed.state == "stale" else "joined"
            out += feed.valid(cause, diff.last, now_ns)
        if self._published is not None and diff.last < self._published:
            # It follows the one before by the venue's word, under a number of a new count.
            out += feed.reset(diff.last, now_ns)
        out += self._events(self.chain.book, diff.bids, diff.asks, diff.first, diff.last, diff.venue_ns, now_ns)
        return out + self._ask(now_ns) if self.chain.is_short else out


def joins(diff: Diff, snapshot_id: int) -> bool:
    """The rule of most venues: the update after the snapshot's (``snapshot_id`` + 1) lies within the diff."""
    return diff.previous <= snapshot_id < diff.last


def check_snapshot(snapshot: Snapshot) -> None:
    """Raises FrameError unless the levels are decimals and the best bid is below the best ask."""
    check_levels([*snapshot.bids, *snapshot.asks])
    bid = max((float(price) for price, _ in snapshot.bids), default=0.0)
    ask = min((float(price) for price, _ in snapshot.asks), default=float("inf"))
    if bid >= ask:
        raise FrameError("crossed_book", f"snapshot with bid {bid} at or above ask {ask}")
