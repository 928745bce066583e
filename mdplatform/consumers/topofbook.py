"""The best bid and ask of every symbol and venue, from books as they come."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import msgspec

from mdplatform.clock import SECOND
from mdplatform.codec import BookMessage, decode_book
from mdplatform.errors import UNREADABLE

COLUMNS = ("symbol", "venue", "bid", "bid size", "ask", "ask size", "mid", "spread", "spread %", "imbalance", "age s")
NARROW = tuple(name for name in COLUMNS if name not in ("bid size", "ask size"))


class Top(msgspec.Struct, frozen=True):
    """The touch of one book. ``imbalance``: (bid size - ask size) / (bid size + ask size), from -1 to 1."""

    symbol: str
    exchange: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    mid: float
    spread: float
    spread_pct: float
    imbalance: float
    received_ns: int

    def cells(self, now_ns: int) -> tuple[str, ...]:
        """One text a column of COLUMNS; the age counts from our receiving the venue's frame."""
        bid, ask, mid = (f"{price:.10g}" for price in (self.bid, self.ask, self.mid))
        spread = f"{float(Decimal(ask) - Decimal(bid)):.10g}"  # what floats leave over in 0.3 - 0.1 is not the venue's
        sides = bid, f"{self.bid_size:.6g}", ask, f"{self.ask_size:.6g}"  # a size is looked at, a price is used
        age_s = max(0, now_ns - self.received_ns) / SECOND
        last = f"{self.spread_pct:.4f}", f"{self.imbalance:+.2f}", f"{age_s:.1f}"
        return self.symbol, self.exchange, *sides, mid, spread, *last


class TopOfBook:
    """The newest touch of every book seen. ``symbols`` or ``venues`` empty: of all."""

    def __init__(self, symbols: Collection[str] = (), venues: Collection[str] = ()) -> None:
        self._wanted = frozenset(symbols)
        self._venues = frozenset(venues)
        self._tops: dict[tuple[str, str], Top] = {}
        self.unreadable = 0
        self.updates = 0

    def take(self, value: bytes) -> None:
        """One message of an order-book topic; what is none is counted as unreadable."""
        try:
            book = decode_book(value)
        except UNREADABLE:
            self.unreadable += 1
            return
        if (self._wanted and book.symbol not in self._wanted) or (self._venues and book.exchange not in self._venues):
            return
        self.updates += 1
        key, top = (book.symbol, book.exchange), touch(book)
        if top is None:
            # An empty side has no touch: better no row than one that is over.
            self._tops.pop(key, None)
        else:
            self._tops[key] = top

    def rows(self) -> list[Top]:
        """By symbol, then venue."""
        return [self._tops[key] for key in sorted(self._tops)]

    def complete(self) -> bool:
        """Whether every wanted symbol was seen, on every wanted venue; without a wish for both, never."""
        return bool(self._wanted and self._venues) and len(self._tops) == len(self._wanted) * len(self._venues)


def touch(book: BookMessage) -> Top | None:
    """The best level of each side with what follows from it; None when a side is empty."""
    if not (book.b and book.a and book.bv and book.av):
        return None
    bid, bid_size, ask, ask_size = book.b[0], book.bv[0], book.a[0], book.av[0]
    mid, spread, shown = (bid + ask) / 2, ask - bid, bid_size + ask_size
    return Top(
        symbol=book.symbol,
        exchange=book.exchange,
        bid=bid,
        bid_size=bid_size,
        ask=ask,
        ask_size=ask_size,
        mid=mid,
        spread=spread,
        spread_pct=100 * spread / mid if mid else 0.0,
        imbalance=(bid_size - ask_size) / shown if shown else 0.0,
        received_ns=book.received_ns,
    )
