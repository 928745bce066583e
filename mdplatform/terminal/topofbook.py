"""The best bid and ask of every symbol and venue, from order books as they arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from decimal import Decimal
from fnmatch import fnmatchcase

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.legible import legible
from mdplatform.core.market_room import MarketRoom
from mdplatform.core.measures import imbalance, mid
from mdplatform.core.messages import REFUSALS, BookMessage, PassedOver, best, decode_book

COLUMNS = ("symbol", "venue", "bid", "bid size", "ask", "ask size", "mid", "spread", "spread %", "imbalance", "age s")
# What a narrow terminal leaves out, first to last; symbol, venue, bid, ask and spread stay.
LEFT_OUT = ("bid size", "ask size", "imbalance", "spread %", "mid", "age s")
TEXTUAL = ("symbol", "venue")
MOST_ROWS = 10_000
MOST_SHOWN = 40  # characters of a name


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
        names = legible(self.symbol, MOST_SHOWN), legible(self.exchange, MOST_SHOWN)
        return *names, *sides, mid, spread, *last


# By which value a column sorts: the oldest row first, by when its frame was received.
_FIELDS: dict[str, Callable[[Top], str | float]] = {
    "symbol": lambda top: top.symbol,
    "venue": lambda top: top.exchange,
    "bid": lambda top: top.bid,
    "bid size": lambda top: top.bid_size,
    "ask": lambda top: top.ask,
    "ask size": lambda top: top.ask_size,
    "mid": lambda top: top.mid,
    "spread": lambda top: top.spread,
    "spread %": lambda top: top.spread_pct,
    "imbalance": lambda top: top.imbalance,
    "age s": lambda top: top.received_ns,
}


class TopOfBook:
    """The newest touch of every book seen. ``symbols`` or ``venues`` empty: of all; symbols may be patterns: BTC-*."""

    def __init__(
        self,
        symbols: Collection[str] = (),
        venues: Collection[str] = (),
        most: int = MOST_ROWS,
        now_ns: Callable[[], int] = time.time_ns,
        sort: str | None = None,
    ) -> None:
        self._wanted = frozenset(symbols)
        self._patterns = [name for name in symbols if set(name) & set("*?[")]
        self._sort = sort
        self._venues = frozenset(venues)
        self._tops: dict[tuple[str, str], Top] = {}
        self.passed_over = PassedOver()
        self.updates = 0
        self._room, self._now_ns = MarketRoom(most), now_ns

    def take(self, value: bytes) -> None:
        """One message of an order-book topic; one that is not a book, or is impossible, is passed over."""
        try:
            self._take(value)
        except REFUSALS as error:
            self.passed_over.note("books", error)

    def _take(self, value: bytes) -> None:
        book = decode_book(value)
        if not self._wants(book.symbol) or (self._venues and book.exchange not in self._venues):
            return
        key, top = (book.symbol, book.exchange), touch(book)
        gone = self._room.admit((book.exchange, book.symbol), self._now_ns())
        if gone is not None:
            self._tops.pop((gone[1], gone[0]), None)
        self.updates += 1
        if top is None:
            # An empty side has no touch: better no row than an outdated one.
            self._tops.pop(key, None)
        else:
            self._tops[key] = top

    def _wants(self, symbol: str) -> bool:
        return not self._wanted or symbol in self._wanted or any(fnmatchcase(symbol, each) for each in self._patterns)

    def rows(self) -> list[Top]:
        """By symbol, then venue; or first by the column ``sort``, of numbers the largest first."""
        rows = [self._tops[key] for key in sorted(self._tops)]
        if self._sort is not None:
            rows.sort(key=_FIELDS[self._sort], reverse=self._sort not in TEXTUAL and self._sort != "age s")
        return rows

    def complete(self) -> bool:
        """Whether every requested symbol was seen on every requested venue; never where one of them is not given, or
        where more than those that are there may fit."""
        is_known = bool(self._wanted and self._venues) and not self._patterns
        return is_known and len(self._tops) == len(self._wanted) * len(self._venues)


def touch(book: BookMessage) -> Top | None:
    """The best level of each side with what follows from it; None when a side is empty. Raises as ``best`` does."""
    found = best(book)
    if found is None:
        return None
    bid, bid_size, ask, ask_size = found
    middle, spread = mid(bid, ask), ask - bid
    return Top(
        symbol=book.symbol,
        exchange=book.exchange,
        bid=bid,
        bid_size=bid_size,
        ask=ask,
        ask_size=ask_size,
        mid=middle,
        spread=spread,
        spread_pct=100 * spread / middle,
        imbalance=imbalance(bid_size, ask_size) or 0.0,
        received_ns=book.received_ns,
    )
