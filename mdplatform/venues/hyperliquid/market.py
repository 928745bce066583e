"""One coin on one connection: its book from two channels, its trades and prices."""

from __future__ import annotations

import msgspec

from mdplatform.core.decimals import Levels
from mdplatform.core.session import (
    Channel,
    Output,
    Request,
)
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venuekit.books.full import FullBook
from mdplatform.venuekit.market import Market
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues.hyperliquid.channels import CONTEXT


class HyperliquidMarket(Market):
    """One coin. Its book is the newest one of whichever channel: a whole top 5 or a whole top 20 at a block.

    The feed of books goes by the fast channel while that sends, ``depth`` by the other. Where the fast one falls
    silent it is stale, until the next top 20 is a whole book again.
    """

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        is_spot = instrument.kind is Kind.SPOT
        super().__init__(instrument, tuple(c for c in channels if not (is_spot and c is CONTEXT)), sequential_ids=False)
        self.whole = FullBook(self.feed("book"), depth)
        self.book = self.whole
        self._depth = self.feeds.get("depth")
        self._by_fast = False  # the feed of books goes by the fast channel
        self._newest = 0  # sequence of the newest book
        if "trades" in self.feeds:
            self.backfill_trades_by(self._latest_trades)

    def connected(self, now_ns: int) -> list[Output]:
        self._by_fast = False
        return super().connected(now_ns)

    def top(self, bids: Levels, asks: Levels, venue_ns: int, received_ns: int) -> list[Output] | None:
        """A book of the fast channel; None where it is older than the one before. Raises FrameError."""
        out = self._take(venue_ns // 1000, bids, asks, venue_ns, received_ns)
        self._by_fast = True
        return out

    def deep(self, bids: Levels, asks: Levels, venue_ns: int, received_ns: int) -> list[Output] | None:
        """The same of the other: one of the same block as a fast one follows it."""
        beside = self._by_fast and self.whole.feed.state == "valid"
        out = self._take(venue_ns // 1000 + beside, bids, asks, venue_ns, received_ns, proves=not beside)
        self._by_fast = beside
        if self._depth is None or out is None:
            return out
        opened = self._depth.valid("whole_book", None, received_ns)
        self._depth.proven(None, received_ns)
        return [*opened, *out]

    def _take(
        self, sequence: int, bids: Levels, asks: Levels, venue_ns: int, received_ns: int, *, proves: bool = True
    ) -> list[Output] | None:
        """``sequence``: the venue numbers no book, its time in us does."""
        if self.whole.feed.state == "valid" and sequence < self._newest:
            return None
        out = self.whole.take(sequence, bids, asks, venue_ns, received_ns, proves=proves)
        self._newest = sequence
        return out

    def _latest_trades(self, missing: Missing | None) -> Request:
        body = msgspec.json.encode({"type": "recentTrades", "coin": self.venue_symbol})
        return Request("/info", 21, self.symbol, "trades", body)
