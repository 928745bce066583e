"""The best prices of a market at one moment, from a book or a quote."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from mdplatform.core.bounds import LEAST
from mdplatform.core.measures import mid
from mdplatform.core.messages import BookMessage, QuoteMessage, best

Source = Literal["book", "quote"]
SOURCES: tuple[Source, ...] = get_args(Source)
Market = tuple[str, str, Source]  # exchange, symbol, and which of its feeds: each is in order only within itself


class Touch(msgspec.Struct, frozen=True, gc=False):
    """Both sides are there. ``continues``: nothing is missing between this one and the one before it."""

    exchange: str
    symbol: str
    source: Source
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    sequence: int
    venue_ns: int
    received_ns: int
    continues: bool

    @property
    def market(self) -> Market:
        return self.exchange, self.symbol, self.source

    @property
    def mid(self) -> float:
        return mid(self.bid, self.ask)


def of_book(book: BookMessage) -> Touch | None:
    """None while a side is empty. Raises as ``best`` does."""
    found = best(book)
    if found is None:
        return None
    bid, bid_size, ask, ask_size = found
    return Touch(
        book.exchange,
        book.symbol,
        "book",
        bid,
        bid_size if bid_size >= LEAST else 0.0,
        ask,
        ask_size if ask_size >= LEAST else 0.0,
        book.sequence,
        book.venue_ns,
        book.received_ns,
        book.previous_sequence is not None,
    )


def of_quote(quote: QuoteMessage) -> Touch | None:
    """None while a side is empty."""
    bid, bid_size, ask, ask_size = quote.bid_price, quote.bid_size, quote.ask_price, quote.ask_size
    if not (bid and ask):
        return None
    return Touch(
        quote.exchange,
        quote.symbol,
        "quote",
        bid,
        bid_size if bid_size and bid_size >= LEAST else 0.0,
        ask,
        ask_size if ask_size and ask_size >= LEAST else 0.0,
        quote.sequence,
        quote.venue_ns,
        quote.received_ns,
        True,
    )
