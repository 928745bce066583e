"""One pair or contract on one connection: the chain of its book, and the units of its trades."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple
from zlib import crc32

from msgspec.structs import replace

from mdplatform.core.decimals import Levels, check_levels, check_positive
from mdplatform.core.events import Liquidation, Side, Trade
from mdplatform.core.session import Channel, Output
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venuekit.books.streamed import Proof, StreamedBook
from mdplatform.venuekit.contract_sizes import ContractSizes
from mdplatform.venuekit.streamed_session import StreamedMarket
from mdplatform.venues.bitget import wire
from mdplatform.venues.bitget.instruments import COIN

CHECKED_LEVELS = 25


class BookMessage(NamedTuple):
    """A message of the channel ``books``, of v2 or v3."""

    bids: Levels
    asks: Levels
    seq: int
    pseq: int | None  # None: not stated
    checksum: int | None
    levels: int | None  # a side that are kept up to date
    venue_ns: int


class BitgetMarket(StreamedMarket):
    """Each update follows the one whose ``seq`` is its ``pseq``; the first after a snapshot reaches across it.

    Sizes are in base units, but for two: liquidations are in quote units, and so are trades of coin futures by v3.
    """

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels, sequential_ids=False)
        self.stream = StreamedBook(self.feed("book"), depth)
        self.book = self.stream
        self._amounts = ContractSizes(replace(instrument, contract_size="1", multiplier=None, inverse=True))
        self._is_coin = instrument.category == COIN
        self._last: BookMessage | None = None
        self._is_joined = False  # an update followed the snapshot

    def connected(self, now_ns: int) -> list[Output]:
        self._last = None
        return super().connected(now_ns)

    def snapshot(self, message: BookMessage, now_ns: int) -> list[Output]:
        """The whole book; raises FrameError when it is no sound one."""
        proof = _proof(message)
        self.stream.keep = message.levels
        sides = message.bids, message.asks, message.seq, message.venue_ns, now_ns
        out = self.stream.snapshot(*sides, proof)
        self._last, self._is_joined = message, False
        return out

    def update(self, message: BookMessage, ignored: Counter[str], now_ns: int) -> list[Output]:
        """Absolute sizes; raises FrameError."""
        last = self._last
        if not self.stream.is_whole or last is None or self._follows(last, message):
            sides = message.bids, message.asks, message.seq, message.venue_ns, now_ns
            out = self.stream.update(*sides, _proof(message))
            self._last, self._is_joined = message, self.stream.is_whole
            return out
        if message[:4] == last[:4]:
            ignored["repeated_update"] += 1
            return []
        check_levels([*message.bids, *message.asks])
        if message.pseq == 0:
            return self.stream.lose("gap", "sequence_reset", now_ns)
        # The numbers jump: they do not show how many messages are missing.
        if message.seq <= last.seq and message.venue_ns > last.venue_ns:
            return self.stream.lose("gap", "sequence_reset", now_ns)
        is_back = message.seq <= last.seq or (message.pseq is not None and message.pseq < last.seq)
        return self.stream.lose("gap", "sequence_back" if is_back else "sequence_gap", now_ns)

    def _follows(self, last: BookMessage, message: BookMessage) -> bool:
        if message.pseq is None:
            return message.seq > last.seq
        if self._is_joined:
            return message.pseq == last.seq
        return message.pseq == last.seq or 0 < message.pseq <= last.seq <= message.seq

    def trade_v3(self, trade_id: str, price: str, amount: str, side: Side, venue_ns: int, now_ns: int) -> list[Output]:
        """A trade by v3, whose size is in quote units where the contract is of coin futures."""
        if self._is_coin:
            self._check_amount(price, amount)
        out = self.trade(trade_id, price, amount, side, venue_ns, now_ns)
        if not self._is_coin:
            return out
        return [self._amounts.trade(event) if isinstance(event, Trade) else event for event in out]

    def liquidated(
        self, name: str, price: str, amount: str, position: Side, venue_ns: int, now_ns: int
    ) -> list[Output]:
        """A liquidation, given by the position that it closed; ``amount`` in quote units."""
        side: Side = "sell" if position == "buy" else "buy"
        self._check_amount(price, amount)
        out = self.liquidation(name, price, amount, side, venue_ns, now_ns)
        return [self._amounts.liquidation(event) if isinstance(event, Liquidation) else event for event in out]

    def open_size(self, row: wire.Ticker) -> str | None:
        """Open contracts in base units; None where it is not certain that they are stated in those."""
        return row.holdingAmount or None if self._is_coin else row.openInterest or row.holdingAmount or None

    def _check_amount(self, price: str, amount: str) -> None:
        """Raises FrameError for what cannot be stated in base units: it must not be known as seen."""
        check_positive(price, amount)
        self._amounts.base(price, amount)


def checksum(book: OrderBook) -> int:
    """Of the best 25 levels as sent, bid and ask by turns, as a signed number of 32 bits."""
    sides = [book.bids.levels()[:CHECKED_LEVELS], book.asks.levels()[:CHECKED_LEVELS]]
    rows = [side[rank] for rank in range(CHECKED_LEVELS) for side in sides if rank < len(side)]
    number = crc32(":".join(text for row in rows for text in row).encode())
    return number - 2**32 if number >= 2**31 else number


def _proof(message: BookMessage) -> Proof | None:
    """None where the venue states no checksum, as since May 2026."""
    stated = message.checksum
    return (lambda book: checksum(book) == stated) if stated else None
