"""One symbol, of spot or of futures: its book, by diffs or in whole, and its trades."""

from __future__ import annotations

from collections.abc import Hashable
from urllib.parse import quote

from mdplatform.core.session import Channel, ChannelKind, Output, Request
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venuekit.books.diff import DiffBook, joins
from mdplatform.venuekit.books.full import FullBook
from mdplatform.venuekit.snapshot_session import SnapshotMarket
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues.kucoin.channels import BOOK

LIMIT = 100  # levels a side in a spot snapshot, which is all that is shown without a key; of futures it is whole
FUTURES_REST_URL = "https://api-futures.kucoin.com"


class Symbol(SnapshotMarket):
    """The first channel that sends its book decides which one it is: two would contradict."""

    carrier = "topic"

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels, sequential_ids=False)
        self.is_spot = instrument.kind is Kind.SPOT
        self._name = quote(instrument.venue_symbol)
        feed = self.feed("book")
        self.diffs = (
            DiffBook(feed, self._request("/api/v1/market/orderbook/level2_100", 2), joins, depth, self.units, LIMIT)
            if self.is_spot
            else DiffBook(feed, self._request("/api/v1/level2/snapshot", 3), joins, depth, self.units)
        )
        self.whole = FullBook(feed, depth, self.units)
        self.book = self.diffs if BOOK in channels else self.whole
        self.backfill_trades_by(self._latest_trades)

    def connected(self, now_ns: int) -> list[Output]:
        self.whole.connected(now_ns)
        self.diffs.connected(now_ns)
        return super().connected(now_ns)

    def is_active_source(self, kind: ChannelKind, source: Hashable) -> bool:
        if kind not in self.sources:
            self.book = self.diffs if source is BOOK else self.whole
        return super().is_active_source(kind, source)

    def _latest_trades(self, missing: Missing | None) -> Request:
        """There are no more than the latest 100."""
        path = "/api/v1/market/histories" if self.is_spot else "/api/v1/trade/history"
        return self._request(path, 3, "trades")

    def _request(self, path: str, weight: int, purpose: str = "snapshot") -> Request:
        base_url = None if self.is_spot else FUTURES_REST_URL
        return Request(f"{path}?symbol={self._name}", weight, self.symbol, purpose, base_url=base_url)
