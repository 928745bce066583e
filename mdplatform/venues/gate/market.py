"""One pair or contract on one connection: its book, from one stream or from updates and a REST snapshot; its trades."""

from __future__ import annotations

from collections.abc import Hashable

from mdplatform.core.errors import FrameError
from mdplatform.core.events import Side
from mdplatform.core.session import Channel, ChannelKind, Output, Request
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.books.chained import ChainedBook
from mdplatform.venuekit.books.diff import Diff, DiffBook, Snapshot, check_snapshot, joins
from mdplatform.venuekit.snapshot_session import SnapshotMarket
from mdplatform.venuekit.streamed_session import StreamedMarket
from mdplatform.venues.gate import wire
from mdplatform.venues.gate.channels import BOOK, OBU
from mdplatform.venues.gate.instruments import SPOT, snapshot_path

LATEST = 1000  # trades that a call brings at most
LEVELS = 100  # of the updates and of the snapshot: the venue wants them equal


class GateBook(DiffBook):
    """The venue may send the whole book in place of an update, at any time."""

    def whole(self, diff: Diff) -> list[Output]:
        """Take it as it is; raises FrameError when it cannot be one."""
        if self.chain.last == diff.last:
            return []
        check_snapshot(Snapshot(diff.last, diff.bids, diff.asks))
        self.chain.begin(Snapshot(diff.last, diff.bids, diff.asks), diff.received_ns)
        self._published = None
        return self._applied(diff)


class GateMarket(StreamedMarket, SnapshotMarket):
    """Trades of a pair are numbered by ``id_market``; those of a contract are known by their ids."""

    diffs: GateBook
    stream: ChainedBook

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(instrument, channels, sequential_ids=instrument.category == SPOT)
        feed, request = self.feed("book"), Request(snapshot_path(instrument, LEVELS), symbol=self.symbol)
        self.diffs = GateBook(feed, request, joins, depth, self.units, limit=LEVELS, keep=LEVELS)
        self.stream = ChainedBook(feed, depth, self.units, counts=True)
        self._first_book = OBU if OBU in channels else BOOK
        self.book = self._by(self._first_book)
        if instrument.category == SPOT:
            latest = f"/api/v4/spot/trades?currency_pair={self.venue_symbol}&limit={LATEST}"
            self.backfill_trades_by(lambda missing: Request(latest, symbol=self.symbol, purpose="trades"))

    def connected(self, now_ns: int) -> list[Output]:
        self.book = self._by(self._first_book)
        return super().connected(now_ns)

    def publish_changes(self) -> None:
        self.diffs.publish_changes()
        self.stream.publish_changes()

    def is_active_source(self, kind: ChannelKind, source: Hashable) -> bool:
        if kind not in self.sources:
            self.book = self._by(source)
        return super().is_active_source(kind, source)

    def owns(self, channel: Channel) -> bool:
        """Whether the book comes from ``channel``, or is to come from it."""
        return self.sources.get("book", self._first_book) is channel

    def _by(self, channel: Hashable) -> GateBook | ChainedBook:
        return self.stream if channel is OBU else self.diffs

    def streamed(self, data: wire.Stream, levels: int, received_ns: int) -> list[Output]:
        """The whole book, or an update that follows the one before; raises FrameError."""
        time_ns = wire.ms_ns(data.t)
        if data.full:
            if self.stream.is_whole and data.u == self.stream.last:
                return []
            self.stream.keep = levels
            return self.stream.snapshot(data.b, data.a, data.u, time_ns, received_ns)
        if data.U is None or data.u < data.U:
            raise FrameError("wrong_shape", f"first update id {data.U} is missing or above the last, {data.u}")
        return self.stream.follow(data.b, data.a, data.U - 1, data.u, time_ns, received_ns, data.U) or []

    def pair_trade(self, data: wire.SpotTrade, received_ns: int) -> list[Output]:
        """A trade of spot; raises FrameError."""
        if data.id_market is None and self.sequential_ids is not None:
            if self.sequential_ids.last is not None:
                raise FrameError("wrong_shape", "a trade without id_market after some that had it")
            self.sequential_ids = None  # of the time before there was such a number
        time_ns = wire.ms_text_ns(data.create_time_ms)
        return self.trade(str(data.id), data.price, data.amount, data.side, time_ns, received_ns, number=data.id_market)

    def rest_trade(self, data: wire.RestTrade, received_ns: int) -> list[Output]:
        """A trade of spot that the socket did not bring; raises FrameError."""
        if not data.sequence_id.isdecimal():
            raise FrameError("wrong_shape", f"sequence_id is no number: {data.sequence_id[:40]!r}")
        time_ns, number = wire.ms_text_ns(data.create_time_ms), int(data.sequence_id)
        return self.trade(data.id, data.price, data.amount, data.side, time_ns, received_ns, "rest", number)

    def contract_trade(self, data: wire.FuturesTrade, received_ns: int) -> list[Output]:
        """A trade of a contract; raises FrameError."""
        size = str(data.size)
        time_ns = wire.ms_ns(data.create_time_ms)
        return self.trade(str(data.id), data.price, size.removeprefix("-"), side_of(size), time_ns, received_ns)


def side_of(size: str) -> Side:
    """Of a trade or liquidation of contracts: a sale is below zero."""
    return "sell" if size.startswith("-") else "buy"
