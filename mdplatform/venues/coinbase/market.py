"""What both feeds of Coinbase share: their times, their sides, and one product's book and trades."""

from __future__ import annotations

from typing import Literal

from mdplatform.clock import SECOND, rfc3339_ns
from mdplatform.decimals import Levels, check_positive
from mdplatform.errors import FrameError
from mdplatform.events import FeedStatus, Side, Trade
from mdplatform.intervals import Feed
from mdplatform.session import Channel, Output
from mdplatform.streambook import StreamBook
from mdplatform.symbols import Instrument
from mdplatform.tradeids import TradeIds

EXCHANGE = "coinbase"
_YEAR_NS = 365 * 24 * 3600 * SECOND

MakerSide = Literal["buy", "sell", "BUY", "SELL"]
# The venue states the side of the maker's order; ours is the taker's.
TAKER: dict[str, Side] = {"buy": "sell", "sell": "buy", "BUY": "sell", "SELL": "buy"}


def venue_ns(text: str | None, fallback_ns: int) -> int:
    """RFC 3339 text; ``fallback_ns`` where it is absent or one of the venue's null times (year 1, 1970).

    Raises FrameError when it is no time, or beyond what 64 bits of nanoseconds hold.
    """
    if text is None:
        return fallback_ns
    try:
        time = rfc3339_ns(text)
    except ValueError as error:
        raise FrameError("bad_time", str(error)) from None
    if time >= 2**63:
        raise FrameError("bad_time", f"beyond the year 2262: {text}")
    return time if time > _YEAR_NS else fallback_ns


class Product:
    """One product on one connection."""

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        self.venue_symbol = instrument.venue_symbol
        self.symbol = instrument.symbol
        self.book = StreamBook(Feed(EXCHANGE, self.symbol, "book", 5 * SECOND), depth)
        self.trades = TradeIds(Feed(EXCHANGE, self.symbol, "trades"))
        feeds = (self.book.feed, self.trades.feed)
        self._feeds = [feed for feed in feeds if any(channel.kind == feed.channel for channel in channels)]
        self._sequence = 0

    def snapshot(self, bids: Levels, asks: Levels, time_ns: int, received_ns: int) -> list[Output]:
        return self.book.snapshot(bids, asks, self._next(time_ns), time_ns, received_ns)

    def update(self, bids: Levels, asks: Levels, time_ns: int, received_ns: int) -> list[Output]:
        return self.book.update(bids, asks, self._next(time_ns), time_ns, received_ns)

    def _next(self, time_ns: int) -> int:
        """The venue numbers no book update: its time in us, made to rise, stands for the number."""
        self._sequence = max(time_ns // 1000, self._sequence + 1)
        return self._sequence

    def trade(self, trade_id: int, price: str, size: str, maker: str, time_ns: int, received_ns: int) -> list[Output]:
        """A print; nothing where it repeats one. Raises FrameError."""
        check_positive(price, size)
        new, events = self.trades.take(trade_id, received_ns)
        if not new:
            return []
        trade = Trade(EXCHANGE, self.symbol, str(trade_id), price, size, TAKER[maker], time_ns, received_ns)
        return [*events, trade]

    def alive(self, now_ns: int, last_trade_id: int | None = None) -> list[FeedStatus]:
        """A heartbeat came: nothing sent before it on this socket is outstanding.

        Trades are proven by it only where it states an id that was seen.
        """
        trades, book = self.trades.feed, self.book.feed
        if trades.state == "valid" and last_trade_id is not None and last_trade_id == self.trades.last:
            trades.proven(last_trade_id, now_ns)
        if not self.book.is_whole:
            return []
        resumed = book.valid("resumed", book.last_sequence, now_ns) if book.state == "stale" else []
        book.proven(book.last_sequence, now_ns)
        return resumed

    def connected(self, now_ns: int) -> list[FeedStatus]:
        self.book.awaits(now_ns)
        return [event for feed in self._feeds for event in feed.invalid("resync", "subscribing", now_ns)]

    def subscribed(self, now_ns: int) -> list[FeedStatus]:
        """The venue acknowledged: trades need no more than that."""
        feed = self.trades.feed
        return feed.valid("subscribed", None, now_ns) if feed.state == "resync" else []

    def tick(self, now_ns: int) -> list[Output]:
        return [*self.book.feed.tick(now_ns), *self.trades.feed.tick(now_ns)]

    def closed(self, cause: str, now_ns: int) -> list[FeedStatus]:
        self.book.is_whole = False
        return [event for feed in self._feeds for event in feed.closed(cause, now_ns)]
