"""One symbol on a feed whose every message is a whole book."""

from __future__ import annotations

from mdplatform.book import OrderBook
from mdplatform.decimals import Levels, check_levels
from mdplatform.errors import FrameError
from mdplatform.events import Book
from mdplatform.intervals import Feed
from mdplatform.session import Output


class WholeBook:
    """Events carry at most ``depth`` levels a side."""

    def __init__(self, feed: Feed, depth: int) -> None:
        self.feed = feed
        self.depth = depth
        self._book = OrderBook()
        self._last: int | None = None

    def restart(self) -> None:
        self._last = None

    def take(self, sequence: int, bids: Levels, asks: Levels, venue_ns: int, received_ns: int) -> list[Output]:
        """A book; none where it repeats the one before. Raises FrameError when it is no sound book."""
        check_levels([*bids, *asks])
        book, last = self._book, self._last
        book.replace(bids, asks)
        if book.bids.levels() != bids or book.asks.levels() != asks:
            raise FrameError("unsorted_levels", "levels are out of order, doubled or of size zero")
        if book.is_crossed():
            raise FrameError("crossed_book", f"best bid {book.bids.best()} at or above best ask {book.asks.best()}")
        out: list[Output] = []
        if last is not None and sequence < last:
            out += self.feed.invalid("gap", "sequence_back", received_ns)
            last = None
        out += self.feed.valid("resumed" if self.feed.state == "stale" else "whole_book", sequence, received_ns)
        self.feed.proven(sequence, received_ns)
        self._last = sequence
        if sequence == last:
            return out
        tops = *book.bids.top(self.depth), *book.asks.top(self.depth)
        out.append(Book(self.feed.exchange, self.feed.symbol, *tops, venue_ns, sequence, last, received_ns))
        return out
