"""Frames of a recording: what a socket sends and, beside it, REST answers and instrument lists."""

from __future__ import annotations

import msgspec

from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.session import Channel, Output
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.pending_snapshots import Unclaimed
from mdplatform.venues.okx import wire
from mdplatform.venues.okx.book import read_snapshot
from mdplatform.venues.okx.lists import instruments, rows_of
from mdplatform.venues.okx.market import OkxMarket
from mdplatform.venues.okx.session import OkxSession


class OkxReader(OkxSession):
    """Whichever instruments and channels come."""

    def __init__(self, listed: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(listed, channels, depth)
        self._unclaimed = Unclaimed()
        self.reads[b"instruments"] = self._on_instruments

    def stranger(self, error: UnknownInstrument) -> list[Output]:
        raise error

    def recover(self, market: OkxMarket, now_ns: int) -> list[Output]:
        out, rest = super().recover(market, now_ns), market.diffs.rest
        if self._unclaimed and rest.diffs.buffer:
            out += self._unclaimed.claim(rest, rest.diffs.buffer[-1], now_ns)
        return out

    def other(self, envelope: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        """A REST answer, told by its rows: instruments, a book or trades."""
        if envelope.code not in (None, "0"):
            raise FrameError("venue_error", f"code {envelope.code}: {envelope.msg}")
        if envelope.code is None or not envelope.data:
            raise FrameError("unknown_message", "neither data of a channel, a reply nor a REST answer")
        rows = _read_shapes(envelope.data)
        if not rows:
            return self.count("empty_answer")
        first = rows[0]
        if any(row.instType is not None and row.tickSz is not None for row in rows):  # any one of them may be odd
            return self.listed(instruments(rows_of(envelope.data)), received_ns)
        if first.asks is not None:
            waiting = [market.diffs.rest for market in self.markets]
            return self._unclaimed.give(read_snapshot(_read_books(envelope.data)[0]), waiting, received_ns)
        if first.tradeId is not None:
            return self.count("rest_trades")
        raise FrameError("unknown_message", "a REST answer of no use here")

    def _on_instruments(self, frame: bytes, received_ns: int) -> list[Output]:
        """The channel of this name states changes of the list, in the rows of the list."""
        return self.listed(instruments(rows_of(wire.read_envelope(frame).data)), received_ns)


class Shape(msgspec.Struct):
    """What tells the rows of one REST answer from those of another."""

    instType: object = None
    tickSz: object = None
    asks: object = None
    tradeId: object = None


_read_shapes = msgspec.json.Decoder(list[Shape]).decode
_read_books = msgspec.json.Decoder(list[wire.BookData]).decode
