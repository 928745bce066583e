"""One futures product: its book, numbered message by message, and its trades."""

from __future__ import annotations

from collections.abc import Iterable

from mdplatform.core.decimals import Levels
from mdplatform.core.events import Book, FeedStatus
from mdplatform.core.session import Channel, ChannelKind, Output
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.chained import ChainedBook
from mdplatform.venuekit.streamed_session import StreamedMarket
from mdplatform.venuekit.trade_ids import TradeIds
from mdplatform.venues.kraken.channels import BBO, TOUCH
from mdplatform.venues.kraken.futures.wire import Trade

Best = tuple[str, str] | None  # price and size


class Product(StreamedMarket):
    """Trades bear their number as id: it counts up by one a product, whatever the type of the trade."""

    stream: ChainedBook

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels, sequential_ids=True)
        self.ids = self.sequential_ids = TradeIds(self.feed("trades"))
        self.stream = ChainedBook(self.feed("book"), depth, self.units, counts=True)
        self.book = self.stream
        self._is_touch = TOUCH in channels  # quotes are the best levels of the book
        self.by_ticker = BBO in channels  # they are the ticker's; of both, those of the book from its first snapshot on
        self._best: tuple[Best, Best] = (None, None)
        self._tops: tuple[list[str], list[str]] = ([], [])  # the prices last published of the book
        self._start: int | None = None  # number of the last trade before we came

    def connected(self, now_ns: int) -> list[Output]:
        out = super().connected(now_ns)
        if self.book is None and self._is_touch:
            self.stream.connected(now_ns)
            self.stream.feed.invalid("resync", "subscribing", now_ns)
        return out

    def acknowledged(self, kind: ChannelKind, now_ns: int) -> list[Output]:
        """As a book, its best levels are not sound before there are some."""
        return [] if kind == "bbo" and self._is_touch else super().acknowledged(kind, now_ns)

    def tick(self, now_ns: int) -> list[Output]:
        out = super().tick(now_ns)
        if not self._is_touch:
            return out
        return out + self._follow(out if self.book is not None else self.stream.tick(now_ns), now_ns)

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        if self.book is None:
            self.stream.closed(cause, now_ns)
        return super().closed(cause, now_ns)

    def snapshot(self, bids: Levels, asks: Levels, seq: int, venue_ns: int, received_ns: int) -> list[Output]:
        """The whole book; raises FrameError."""
        out = self.stream.snapshot(bids, asks, seq, venue_ns, received_ns)
        if self._is_touch:
            self.by_ticker = False
            self._quoted = None  # the numbers begin here
        return self._published(out, seq, venue_ns, received_ns)

    def delta(self, side: str, level: tuple[str, str], seq: int, venue_ns: int, received_ns: int) -> list[Output]:
        """The absolute size at one price; raises FrameError."""
        bids, asks = ([level], []) if side == "buy" else ([], [level])
        out = self.stream.follow(bids, asks, seq - 1, seq, venue_ns, received_ns)
        return [] if out is None else self._published(out, seq, venue_ns, received_ns)

    def _published(self, out: list[Output], seq: int, venue_ns: int, received_ns: int) -> list[Output]:
        """What is published of a message of the book: the book, its best levels, or both."""
        if not self._is_touch:
            return out
        if not self.stream.is_whole or not out:
            quotes = self._follow(out, received_ns)
            return quotes if self.book is None else [*out, *quotes]
        event, (bid, ask) = out[-1], self._best
        if isinstance(event, Book):
            # A side whose best levels did not change comes as the same list: then there is nothing to compare.
            bids, asks = self._tops
            if event.bid_prices is not bids:
                bid = _first(event.bid_prices, event.raw_bid_sizes or event.bid_sizes)
            if event.ask_prices is not asks:
                ask = _first(event.ask_prices, event.raw_ask_sizes or event.ask_sizes)
            self._tops = event.bid_prices, event.ask_prices
        if (bid, ask) == self._best and self._quotes.state == "valid":
            self._quotes.proven(seq, received_ns)
            return [] if self.book is None else out
        self._best = bid, ask
        quotes = self.quote(bid, ask, seq, venue_ns, received_ns)
        return quotes if self.book is None else [*out, *quotes]

    def _follow(self, out: Iterable[Output], now_ns: int) -> list[Output]:
        """Where the book is in doubt, its best levels are."""
        doubts = [o for o in out if isinstance(o, FeedStatus) and o.channel == "book" and o.ended_ns is None]
        return [s for o in doubts if o.state != "valid" for s in self._quotes.invalid(o.state, o.cause, now_ns)]

    def stands_at(self, seq: int, venue_ns: int, received_ns: int) -> list[Output]:
        """``seq`` was the latest trade when we subscribed; no-op but for the first time.

        Only where an earlier collector came less far is one up to there missing.
        """
        if self._start is not None:
            return []
        out = self.ids.reached(seq, received_ns, venue_ns)
        self._start = next((missing.first - 1 for missing in self.ids.missing), seq)
        return [*out]

    def fill(self, trade: Trade, price: str, size: str, venue_ns: int, received_ns: int) -> list[Output]:
        """A trade, and the liquidation that its type states."""
        if self._start is None:
            self._start = trade.seq - 1
        if trade.seq <= self._start:
            if not 0 < self.ids.latest_ns < venue_ns:
                return []
            self._start = trade.seq - 1  # the venue numbers from the start again
        number = str(trade.seq)
        out: list[Output] = []
        if "trades" in self.feeds:
            out += self.trade(number, price, size, trade.side, venue_ns, received_ns)
        if trade.type == "liquidation" and "liquidations" in self.feeds:
            out += self.liquidation(number, price, size, trade.side, venue_ns, received_ns)
        return out


def _first(prices: list[str], sizes: list[str]) -> Best:
    return (prices[0], sizes[0]) if prices else None
