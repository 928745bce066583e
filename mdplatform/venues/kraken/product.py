"""One futures product: its book, numbered message by message, and its trades."""

from __future__ import annotations

from mdplatform.decimals import Levels
from mdplatform.market import Market
from mdplatform.session import Channel, Output
from mdplatform.streambook import StreamBook
from mdplatform.symbols import Instrument
from mdplatform.tradeids import TradeIds
from mdplatform.venues.kraken.futures_wire import Trade


class Product(Market):
    """Trades bear their number as id: it counts up by one a product, whatever the type of the trade."""

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels, numbered=True)
        self.ids = self.numbered = TradeIds(self.feed("trades"))
        self.book = self.stream = StreamBook(self.feed("book"), depth, self.units)
        self._start: int | None = None  # number of the last trade before we came
        self._last: tuple[int, str, tuple[str, str]] | None = None  # what the book was last changed by

    def snapshot(self, bids: Levels, asks: Levels, seq: int, venue_ns: int, received_ns: int) -> list[Output]:
        """The whole book; raises FrameError."""
        out = self.stream.snapshot(bids, asks, seq, venue_ns, received_ns)
        self._last = seq, "", ("", "")
        return out

    def delta(self, side: str, level: tuple[str, str], seq: int, venue_ns: int, received_ns: int) -> list[Output]:
        """The absolute size at one price; raises FrameError."""
        change = seq, side, level
        last = self._last
        if self.stream.is_whole and last is not None and seq != last[0] + 1:
            if change == last:
                return []
            if seq <= last[0]:
                return self.stream.lose("gap", "sequence_back", received_ns)
            return self.stream.lose("gap", "sequence_gap", received_ns, seq - last[0] - 1)
        bids, asks = ([level], []) if side == "buy" else ([], [level])
        out = self.stream.update(bids, asks, seq, venue_ns, received_ns)
        self._last = change
        return out

    def stands_at(self, seq: int, received_ns: int) -> list[Output]:
        """``seq`` was the latest trade when we subscribed; no-op but for the first time.

        Only where an earlier collector came less far is one up to there missing.
        """
        if self._start is not None:
            return []
        out = self.ids.reached(seq, received_ns)
        self._start = next((missing.first - 1 for missing in self.ids.missing), seq)
        return [*out]

    def fill(self, trade: Trade, price: str, size: str, venue_ns: int, received_ns: int) -> list[Output]:
        """A trade, and the forced order that it tells of."""
        if self._start is None:
            self._start = trade.seq - 1
        if trade.seq <= self._start:
            return []
        number = str(trade.seq)
        out: list[Output] = []
        if "trades" in self.feeds:
            out += self.trade(number, price, size, trade.side, venue_ns, received_ns)
        if trade.type == "liquidation" and "liquidations" in self.feeds:
            out += self.liquidation(number, price, size, trade.side, venue_ns, received_ns)
        return out
