"""One symbol on a feed that sends its snapshot on subscription and then updates, on the same socket."""

from __future__ import annotations

from collections.abc import Callable

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import Levels, check_levels
from mdplatform.core.errors import FrameError
from mdplatform.core.events import FeedStatus, State
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venuekit.books.updated import UpdatedBook
from mdplatform.venuekit.contract_sizes import ContractSizes, book_in
from mdplatform.venuekit.pause import Pause

_FIRST_RETRY_NS = 10 * SECOND  # a snapshot of some MB may take that long
_LAST_RETRY_NS = 160 * SECOND


class TimeSequence:
    """The venue's time in us, made to rise: stands for the sequence where the venue numbers no book."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, venue_ns: int) -> int:
        self._last = max(venue_ns // 1000, self._last + 1)
        return self._last


Proof = Callable[[OrderBook], bool]
"""Whether the book is what the venue states of it, by a checksum."""


class StreamedBook(UpdatedBook):
    """``keep``: a feed of the best so many levels, which does not delete those that fall behind them: they are dropped.

    It names those that take the place of what went; where it does not, what it left open is not published.
    Continuity is the venue's affair: it calls ``lose`` when it breaks, or hands in a proof with each message.
    """

    def __init__(
        self, feed: FeedState, depth: int, units: ContractSizes | None = None, keep: int | None = None
    ) -> None:
        super().__init__(feed, depth, units)
        self.keep = keep
        self.is_whole = False  # a snapshot came and nothing was lost since
        self._book = book_in(units)
        self.pause = Pause(_FIRST_RETRY_NS, _LAST_RETRY_NS)

    @property
    def book(self) -> OrderBook:
        """All levels as the venue sent them, for checksums; sound only while ``is_whole``."""
        return self._book

    def connected(self, now_ns: int) -> None:
        """A new connection: nothing carries over, and what is subscribed brings a snapshot."""
        self.pause.forget()
        self.awaits(now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        return [*self.feed.tick(now_ns)]

    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]:
        """The connection is gone, and the book with it."""
        self.is_whole = False
        return self.feed.closed(cause, now_ns)

    def awaits(self, now_ns: int) -> None:
        """A subscription was sent: its snapshot is on its way."""
        self.is_whole = False
        self.pause.asked(now_ns)

    def wants_snapshot(self, now_ns: int) -> bool:
        """Whether to subscribe again now; call ``awaits`` when that was done."""
        return not self.is_whole and self.feed.state is not None and self.pause.is_over(now_ns)

    def lose(self, state: State, cause: str, now_ns: int, missed: int | None = None) -> list[Output]:
        """The book is not whole any more; it takes a new snapshot, when the pause since the last one is over."""
        if self.is_whole:
            self.is_whole = False
            self.pause.broke(now_ns)
        return [*self.feed.invalid(state, cause, now_ns, missed=missed)]

    def snapshot(
        self, bids: Levels, asks: Levels, sequence: int, venue_ns: int, received_ns: int, proof: Proof | None = None
    ) -> list[Output]:
        """The whole book. Raises FrameError when it is no sound one."""
        check_levels([*bids, *asks])
        book = book_in(self.units)
        book.replace(bids, asks)
        if book.is_crossed():
            raise FrameError("crossed_book", f"best bid {book.bids.best()} at or above best ask {book.asks.best()}")
        if proof is not None and not proof(book):
            self.is_whole = False  # the pause before the next request goes on: proofs may always fail
            return self.lose("gap", "checksum", received_ns)
        last = self.feed.last_sequence if self.is_whole and self.feed.state == "valid" else None
        if self.keep is not None:
            book.prune(self.keep)
        self._book, self._published, self.is_whole = book, None, True
        self.pause.whole(received_ns)
        if last is not None and sequence < last:
            opened: list[Output] = [*self.feed.reset(sequence, received_ns)]
        else:
            opened = [*self.feed.valid("snapshot", sequence, received_ns)]
        return [*opened, *self._events(book, [], [], None, sequence, venue_ns, received_ns)]

    def update(
        self,
        bids: Levels,
        asks: Levels,
        sequence: int,
        venue_ns: int,
        received_ns: int,
        proof: Proof | None = None,
        first: int | None = None,
    ) -> list[Output]:
        """Absolute sizes at some prices; without effect until there is a snapshot. Raises FrameError.

        ``first``: the number of the first of the changes that the update holds, where the venue states it.
        """
        numbers = check_levels([*bids, *asks])
        if not self.is_whole:
            if self.feed.state == "gap":
                return []
            return [*self.feed.invalid("resync", "no_snapshot", received_ns)]
        self._book.apply(bids, asks, numbers)
        fault = self._fault(proof)
        if fault is not None:
            return self.lose(*fault, received_ns)
        resumed: list[Output] = []
        if self.feed.state != "valid":
            resumed += self.feed.valid("resumed", sequence, received_ns)
        if self._published is not None and sequence < self._published:
            # It follows the one before by the venue's word, under a number of a new count.
            resumed += self.feed.reset(sequence, received_ns)
        return [*resumed, *self._events(self._book, bids, asks, first, sequence, venue_ns, received_ns)]

    def _fault(self, proof: Proof | None) -> tuple[State, str] | None:
        """Why the book does not stand after an update, as state and cause."""
        book = self._book
        if self.keep is not None:
            book.prune(self.keep)
        elif book.is_overfull():
            self._book = book_in(self.units)
            return "resync", "too_many_levels"
        if proof is not None and not proof(book):
            return "gap", "checksum"
        if book.is_crossed():
            return "resync", "crossed"
        if self.keep is not None and book.is_short(1):
            return "resync", "beyond_snapshot"
        return None
