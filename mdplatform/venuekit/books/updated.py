"""A book that updates keep up to date: what is published after each of them."""

from __future__ import annotations

from mdplatform.core.decimals import Levels
from mdplatform.core.events import Book
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import Output
from mdplatform.venuekit.books.changes import BookChanges
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venuekit.contract_sizes import ContractSizes


class UpdatedBook:
    """Of one symbol. Events carry ``depth`` levels a side, their sizes in ``units``."""

    def __init__(self, feed: FeedState, depth: int, units: ContractSizes | None) -> None:
        self.feed = feed
        self.depth = depth
        self.units = units
        self.changes: BookChanges | None = None  # where those are published, too
        self._published: int | None = None  # sequence of the last event; None where a chain starts

    def publish_changes(self) -> None:
        """From now on each update also gives what it changed."""
        self.changes = BookChanges(self.feed, self.units)

    def _events(
        self,
        book: OrderBook,
        bids: Levels,
        asks: Levels,
        first: int | None,
        sequence: int,
        venue_ns: int,
        received_ns: int,
    ) -> list[Output]:
        """The book after an update of these levels and, where they are published, what it changed.

        ``first``: the number of the first of the changes that the update holds, where the venue states it.
        """
        feed = self.feed
        feed.proven(sequence, received_ns)
        previous, self._published = self._published, sequence
        tops = *book.bids.top(self.depth), *book.asks.top(self.depth)
        near = book.near()
        event = Book(feed.exchange, feed.symbol, *tops, venue_ns, sequence, previous, received_ns, None, None, *near)
        out: list[Output] = [event if self.units is None else self.units.book(event)]
        if self.changes is not None:
            out.append(self.changes.event(book, bids, asks, first, sequence, previous, venue_ns, received_ns))
        return out
