"""One spot pair: its book, which is as good as its checksum, and its trades."""

from __future__ import annotations

from functools import lru_cache, partial
from urllib.parse import quote
from zlib import crc32

from mdplatform.core.decimals import Levels
from mdplatform.core.session import Channel, Output, Request
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venuekit.books.streamed import StreamedBook, TimeSequence
from mdplatform.venuekit.streamed_session import StreamedMarket
from mdplatform.venuekit.trade_ids import Missing, TradeIds
from mdplatform.venues.kraken.instruments import old_name

DEPTHS = (10, 25, 100, 500, 1000)
_CHECKED = 10  # levels a side in a checksum


class Pair(StreamedMarket):
    """``subscribed_depth``: levels a side that were asked for; a recording's own acknowledgement comes first."""

    def __init__(
        self, instrument: Instrument, channels: tuple[Channel, ...], depth: int, subscribed_depth: int | None
    ) -> None:
        super().__init__(instrument, channels, sequential_ids=True)
        self.ids = self.sequential_ids = TradeIds(self.feed("trades"))
        self.stream = StreamedBook(self.feed("book"), depth, self.units, subscribed_depth)
        self.book = self.stream
        self.backfill_trades_by(self._latest_trades)
        self._depth_known = subscribed_depth is not None
        self._is_listed = instrument.tick is not None and instrument.step is not None
        self._price_places, self._size_places = places(instrument.tick or ""), places(instrument.step or "")
        self._sequence = TimeSequence()

    def _latest_trades(self, missing: Missing | None) -> Request:
        """The venue pages by time, not by id: the latest 1000 are as many as it lists at once."""
        name = quote(old_name(self.instrument.base) + old_name(self.instrument.quote))
        return Request(f"/0/public/Trades?pair={name}&count=1000", symbol=self.symbol, purpose="trades")

    def subscribed(self, depth: int | None) -> None:
        """The venue acknowledges a book of this depth."""
        if depth in DEPTHS:
            self.stream.keep, self._depth_known = depth, True

    def snapshot(self, bids: Levels, asks: Levels, checksum: int, venue_ns: int, received_ns: int) -> list[Output]:
        """The best levels; raises FrameError."""
        if not self._depth_known:
            longest = max(len(bids), len(asks))
            self.stream.keep = next((depth for depth in DEPTHS if depth >= longest), DEPTHS[-1])
        self._learn(bids, asks)
        proof = partial(self._is, checksum)
        return self.stream.snapshot(bids, asks, self._sequence.next(venue_ns), venue_ns, received_ns, proof)

    def update(self, bids: Levels, asks: Levels, checksum: int, venue_ns: int, received_ns: int) -> list[Output]:
        """Absolute sizes at some prices; raises FrameError."""
        self._learn(bids, asks)
        proof = partial(self._is, checksum)
        return self.stream.update(bids, asks, self._sequence.next(venue_ns), venue_ns, received_ns, proof)

    def _is(self, checksum: int, book: OrderBook) -> bool:
        depth = max(self.stream.depth, _CHECKED)  # the depth that events ask for: a book remembers one
        tops = book.asks.top(depth), book.bids.top(depth)
        text = "".join(
            digits(price, self._price_places) + digits(size, self._size_places)
            for prices, sizes in tops
            for price, size in zip(prices[:_CHECKED], sizes[:_CHECKED], strict=True)
        )
        return crc32(text.encode()) == checksum

    def _learn(self, bids: Levels, asks: Levels) -> None:
        """Without an instrument list the most decimals seen are those that the venue counts with."""
        if self._is_listed:
            return
        for price, size in (*bids, *asks):
            self._price_places = max(self._price_places, places(price))
            self._size_places = max(self._size_places, places(size))


def places(text: str) -> int:
    """Decimals of a number."""
    return len(text.partition(".")[2])


@lru_cache(maxsize=65536)
def digits(text: str, decimals: int) -> str:
    """A number as checksums have it: so many decimals, no dot, no zeros in front (0.00096506 is 96506)."""
    whole, _, fraction = text.partition(".")
    return (whole + fraction.rstrip("0").ljust(decimals, "0")).lstrip("0")
