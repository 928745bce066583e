"""A proven book as its changes: a whole snapshot where a chain starts, then what each update changed.

Whoever applies them in order holds, after each, every level that is known of the book, and no other: what a feed of the
best levels pushed out of its reach is deleted, what lies beyond a snapshot that was cut is left out. Sizes are in base
units, absolute; 0 deletes.
"""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import Levels
from mdplatform.core.events import BookChange
from mdplatform.core.feed_status import FeedState
from mdplatform.venuekit.books.order_book import BookSide, OrderBook
from mdplatform.venuekit.contract_sizes import ContractSizes

# Between two snapshots of one chain: a reader of any instant reads at most so much.
SNAPSHOT_EVERY_NS = 600 * SECOND

_Place = tuple[int, int, int, int]


class BookChanges:
    """Of one symbol's book, whose events are of ``feed``."""

    def __init__(self, feed: FeedState, units: ContractSizes | None) -> None:
        self._feed, self._units = feed, units
        self._book: OrderBook | None = None  # that the last message was of
        self._place: _Place = 0, 0, 0, 0  # changes where levels become known, or unknown, without an update
        self._snapshot_ns = 0

    def event(
        self,
        book: OrderBook,
        bids: Levels,
        asks: Levels,
        first: int | None,
        sequence: int,
        previous: int | None,
        venue_ns: int,
        received_ns: int,
    ) -> BookChange:
        """The message of an update that was just applied to ``book``; ``previous`` None where a chain starts.

        Raises FrameError where a size in base units has too many digits.
        """
        place = book.bids.replaced, book.asks.replaced, book.bids.hidden, book.asks.hidden
        is_due = received_ns - self._snapshot_ns >= SNAPSHOT_EVERY_NS
        is_start = previous is None or sequence < previous  # a count that began again is a chain of its own
        is_snapshot = is_start or book is not self._book or place != self._place or is_due
        if is_snapshot:
            bids, asks = self._begin(book.bids), self._begin(book.asks)
            first = None
        else:
            bids, asks = book.bids.changes(bids), book.asks.changes(asks)
        event = BookChange(
            self._feed.exchange,
            self._feed.symbol,
            "snapshot" if is_snapshot else "update",
            *self._base(bids),
            *self._base(asks),
            first,
            sequence,
            previous,
            venue_ns,
            received_ns,
        )
        self._book, self._place = book, place
        if is_snapshot:
            self._snapshot_ns = received_ns
        return event

    def _begin(self, side: BookSide) -> Levels:
        side.follow()
        prices, sizes = side.top(len(side))
        return list(zip(prices, sizes, strict=True))

    def _base(self, levels: Levels) -> tuple[list[str], list[str]]:
        """(prices, sizes in base units)."""
        prices, sizes = [level[0] for level in levels], [level[1] for level in levels]
        return prices, sizes if self._units is None else self._units.changed(prices, sizes)
