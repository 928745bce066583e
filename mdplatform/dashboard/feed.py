"""The last state of one feed: an exchange's symbol."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from mdplatform.core.measures import imbalance, mid, spread_bps
from mdplatform.dashboard.intervals import Intervals
from mdplatform.dashboard.messages import (
    BookMessage,
    FeedMessage,
    FundingMessage,
    Levels,
    LiquidationMessage,
    OpenInterestMessage,
    QuoteMessage,
    StatusMessage,
    TradeMessage,
    check_prices,
    check_sizes,
    plain,
)
from mdplatform.dashboard.samples import Bars, Samples
from mdplatform.dashboard.tape import PrintKind, Tape

REPEATED_WITHIN_NS = 10_000_000_000  # a second collector is no further behind


class Since(NamedTuple):
    """What a browser has of a feed: the newest second of samples and of bars, and how many trades."""

    sample: float = 0
    bar: float = 0
    prints: int = 0


NOTHING = Since()


class Feed:
    """Book, trades, funding and intervals as last received. Times named ``stamp_ms`` are the broker's, in ms."""

    def __init__(self, exchange: str, symbol: str) -> None:
        self.exchange, self.symbol = exchange, symbol
        self.version = 0  # grows with whatever is shown
        self._made: dict[str, tuple[tuple[int, str], dict[str, Any]]] = {}  # what all browsers are shown of a version
        self.stamp_ms = 0
        self.book: BookMessage | None = None
        self.samples = Samples()
        self.bars = Bars()
        self._last: str | None = None  # price of the last trade
        self._quote: QuoteMessage | None = None
        self._funding: dict[str, str | int] = {}
        self._open_interest: OpenInterestMessage | None = None
        self._tape = Tape()
        self._intervals = Intervals()

    def take(self, message: FeedMessage, stamp_ms: int) -> None:
        """May raise one of ``REFUSALS``; the feed is then as it was."""
        match message:
            case BookMessage():
                new = self._take_book(message)
            case QuoteMessage():
                new = self._take_quote(message)
            case TradeMessage():
                new = self._take_print("trade", message)
            case LiquidationMessage():
                new = self._take_print("liquidation", message)
            case FundingMessage():
                new = self._take_funding(message)
            case OpenInterestMessage():
                new = self._take_open_interest(message)
            case StatusMessage():
                new = self._intervals.take(message, stamp_ms)
        if new:
            self.version += 1
            self.stamp_ms = max(self.stamp_ms, stamp_ms)

    def forget(self) -> None:
        """Book and quote, until the next ones."""
        self.book = self._quote = None
        self._made.clear()

    def state(self, now_ms: int) -> tuple[str, str]:
        """(state, cause) of the book; of the quotes where there is no word of a book."""
        channel = "bbo" if "bbo" in (said := self._intervals.channels()) and "book" not in said else "book"
        return self._intervals.state(channel, now_ms)

    def row(self, now_ms: int) -> dict[str, Any]:
        """The feed's line in the table; raises as ``BookMessage.bids`` does."""
        return self._shared("row", now_ms, self._row)

    def _shared(self, name: str, now_ms: int, make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
        """What ``make`` gives: made once a version and state, however many browsers are shown it."""
        mark = (self.version, self.state(now_ms)[0])
        if name not in self._made or self._made[name][0] != mark:
            self._made[name] = (mark, make(now_ms))
        return self._made[name][1]

    def _row(self, now_ms: int) -> dict[str, Any]:
        state, cause = self.state(now_ms)
        row: dict[str, Any] = {"exchange": self.exchange, "symbol": self.symbol, "state": state, "cause": cause}
        row["gaps"] = self._intervals.gaps()
        if self._last is not None:
            row["last"] = self._last
        if self.book is not None:
            return {**row, **_sent(self.book), **_top(self.book.bids()[:1], self.book.asks()[:1])}
        if self._quote is not None:
            return {**row, **_sent(self._quote), **_top(*_sides(self._quote))}
        return row

    def detail(self, now_ms: int, since: Since) -> dict[str, Any]:
        """Ladder, and what came after what the browser has; raises as ``BookMessage.bids``."""
        return {
            **self._shared("book", now_ms, self._book),
            "samples": self.samples.since(since.sample),
            "bars": self.bars.since(since.bar),
            "prints": self._tape.since(since.prints),
        }

    def _book(self, now_ms: int) -> dict[str, Any]:
        return {
            "exchange": self.exchange,
            "symbol": self.symbol,
            "bids": _texts(self.book.bids()) if self.book else [],
            "asks": _texts(self.book.asks()) if self.book else [],
            "print_count": self._tape.count,
            "funding": dict(self._funding),
            "open_interest": self._open_interest and plain(self._open_interest.open_interest),
            "quote": _top(*_sides(self._quote)) if self._quote else {},
            "channels": {channel: self._intervals.state(channel, now_ms) for channel in self._intervals.channels()},
            "breaks": self._intervals.breaks(),
        }

    def _take_book(self, message: BookMessage) -> bool:
        # A second collector says the same a little later; a book that starts a chain may begin at any number.
        if self.book is not None and message.previous_sequence is not None and _repeats(message, self.book):
            return False
        self.samples.take(message)  # raises before a malformed book replaces a good one
        self.book = message
        return True

    def _take_print(self, kind: PrintKind, message: TradeMessage | LiquidationMessage) -> bool:
        check_prices(message.price)
        check_sizes(message.qty)
        if not self._tape.take(kind, message):
            return False
        if isinstance(message, TradeMessage):
            self.bars.take(message)
            self._last = plain(message.price)
        return True

    def _take_quote(self, message: QuoteMessage) -> bool:
        check_prices(message.bid_price, message.ask_price)
        check_sizes(message.bid_size, message.ask_size)
        if self._quote is not None and message.received_ns < self._quote.received_ns:
            return False
        self._quote = message
        return True

    def _take_open_interest(self, message: OpenInterestMessage) -> bool:
        check_sizes(message.open_interest)
        if self._open_interest is not None and message.ts < self._open_interest.ts:
            return False
        self._open_interest = message
        return True

    def _take_funding(self, message: FundingMessage) -> bool:
        check_sizes(message.mark_price, message.index_price)
        # Venues may send only what has changed.
        if message.ts < int(self._funding.get("ts", 0)):
            return False
        for name in ("rate", "mark_price", "index_price"):
            number = getattr(message, name)
            if number is not None:
                self._funding[name] = plain(number)
        if message.next_funding_ts is not None:
            self._funding["next_funding_ts"] = message.next_funding_ts
        self._funding["ts"] = message.ts
        return True


def _texts(levels: Levels) -> list[tuple[str, str]]:
    return [(plain(price), plain(size)) for price, size in levels]


def _sides(quote: QuoteMessage) -> tuple[Levels, Levels]:
    bids = [] if quote.bid_price is None else [(quote.bid_price, quote.bid_size or Decimal(0))]
    asks = [] if quote.ask_price is None else [(quote.ask_price, quote.ask_size or Decimal(0))]
    return bids, asks


def _repeats(message: BookMessage, before: BookMessage) -> bool:
    """Whether it says nothing new; by far the later one does: then the number of the book before was none."""
    is_later = message.received_ns > before.received_ns + REPEATED_WITHIN_NS
    return message.sequence <= before.sequence and not is_later


def _sent(message: BookMessage | QuoteMessage) -> dict[str, Any]:
    return {"sequence": str(message.sequence), "received_ms": message.received_ns // 1_000_000}


def _top(bids: Levels, asks: Levels) -> dict[str, Any]:
    """Best bid and ask and what follows from them; what is missing is left out."""
    top: dict[str, Any] = {}
    if bids:
        top |= {"bid": plain(bids[0][0]), "bid_size": plain(bids[0][1])}
    if asks:
        top |= {"ask": plain(asks[0][0]), "ask_size": plain(asks[0][1])}
    if bids and asks:
        (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
        middle, of_sizes = mid(bid, ask), imbalance(bid_size, ask_size)
        top |= {"mid": plain(middle), "spread": plain(ask - bid)}
        top["spread_bps"] = _bps(spread_bps(bid, ask)) if middle else None
        top["imbalance"] = None if of_sizes is None else f"{of_sizes:+.2f}"
    return top


def _bps(number: Decimal) -> str:
    # A tick on an expensive asset is thousandths of a basis point; on a cheap one tens.
    return f"{number:.4f}" if abs(number) < 1 else f"{number:.2f}"
