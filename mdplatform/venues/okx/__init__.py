"""OKX V5: spot, swaps, futures and options. https://www.okx.com/docs-v5/en/"""

from __future__ import annotations

import msgspec

from mdplatform.core.errors import ConfigError, FrameError, UnknownInstrument
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Output, Request, Venue
from mdplatform.core.symbols import Instruments, Kind
from mdplatform.venuekit.pending_snapshots import PendingSnapshots
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.okx import channels as ch
from mdplatform.venues.okx import wire
from mdplatform.venues.okx.book import read_snapshot
from mdplatform.venues.okx.instruments import FAMILIES, LISTED, known_instruments, of_rows, read_instruments, rows_of
from mdplatform.venues.okx.market import OkxMarket
from mdplatform.venues.okx.session import OkxSession
from mdplatform.venues.okx.wire import EXCHANGE

BOOKS_A_CONNECTION = 25  # the venue advises fewer than 30 (documented 2026-06)
TRADES_A_CONNECTION = 100  # of the business socket, which has no books
# Without books: three channels each, and one for all; 300 topics a request and 470 requests an hour are allowed.
OPTIONS_A_CONNECTION = 1000


class Okx(VenueFacts):
    """Facts of the venue. Addresses are those of its main platform; the EEA and the US have their own.

    The sockets have no port of their own any more: 8443 was retired on 2026-10-31 (the venue's notice, and recordings
    of 2026-10-07). The REST address is the documented one (2026-06); whether www.okx.com still answers is unproven.
    """

    id = EXCHANGE
    ws_url = "wss://ws.okx.com"
    rest_url = "https://openapi.okx.com"
    channels: tuple[Channel, ...] = ch.CHANNELS
    default_channels: tuple[str, ...] = tuple(channel.name for channel in ch.DEFAULT)
    rest_budget: tuple[int, float] = (40, 2.0)  # 40 books, or 20 lists of instruments
    connect_budget: tuple[int, float] = (3, 1.2)  # the venue allows 3 a second, as they arrive there
    max_frame_bytes: int | None = 8 * 1024 * 1024
    liquidations: str = "about one a second of each contract"

    def instruments_requests(self) -> tuple[Request, ...]:
        path = "/api/v5/public/instruments?instType="
        kinds = (*LISTED, *(f"OPTION&instFamily={family}" for family in FAMILIES))
        return tuple(Request(path + kind, weight=2, purpose="instruments") for kind in kinds)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        if ch.TRADES in selected and ch.TRADES_ALL in selected:
            raise ConfigError("trades and trades-all are the same trades; choose one")
        business = tuple(channel for channel in selected if channel in ch.BUSINESS)
        public = tuple(channel for channel in selected if channel not in ch.BUSINESS)
        # What is stated of a whole family at once is asked for once; books of options are asked for as others are.
        options = Instruments(self.id, (row for row in instruments if row.kind is Kind.OPTION))
        whole = tuple(channel for channel in public if channel.kind in ("funding", "liquidations"))
        others = Instruments(self.id, (row for row in instruments if row.kind is not Kind.OPTION))
        lines = self._lines("/ws/v5/public", others, public, depth, BOOKS_A_CONNECTION)
        lines += self._lines("/ws/v5/public", options, whole, depth, OPTIONS_A_CONNECTION)
        rest = tuple(channel for channel in public if channel not in whole)
        lines += self._lines("/ws/v5/public", options, rest, depth, BOOKS_A_CONNECTION)
        lines += self._lines("/ws/v5/business", instruments, business, depth, TRADES_A_CONNECTION)
        if not lines:
            names = ", ".join(channel.name for channel in selected)
            raise ConfigError(f"okx has no {names} of {', '.join(i.symbol for i in instruments)}")
        return lines

    def _lines(
        self, path: str, instruments: Instruments, channels: tuple[Channel, ...], depth: int, size: int
    ) -> list[ConnectionPlan]:
        rows = [row for row in instruments if any(ch.applies(channel, row) for channel in channels)]
        parts = Instruments(self.id, rows).parts(size)
        return [ConnectionPlan(self.ws_url, path, OkxSession(part, channels, depth)) for part in parts]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> OkxReader:
        return OkxReader(instruments, self.to_read(channels), depth)


VENUE: Venue = Okx()


class OkxReader(OkxSession):
    """Whichever instruments and channels come."""

    def __init__(self, listed: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        super().__init__(listed, channels, depth)
        self._pending_snapshots = PendingSnapshots()
        self.readers[b"instruments"] = self._on_instruments

    def stranger(self, error: UnknownInstrument) -> list[Output]:
        raise error

    def recover(self, market: OkxMarket, now_ns: int) -> list[Output]:
        out, rest = super().recover(market, now_ns), market.diffs.rest
        if self._pending_snapshots and rest.chain.buffer:
            out += self._pending_snapshots.claim(rest, rest.chain.buffer[-1], now_ns)
        return out

    def other(self, envelope: wire.Envelope, frame: bytes, received_ns: int) -> list[Output]:
        """A REST answer, recognized by its rows: instruments, a book or trades."""
        if envelope.code not in (None, "0"):
            raise FrameError("venue_error", f"code {envelope.code}: {envelope.msg}")
        if envelope.code is None or not envelope.data:
            raise FrameError("unknown_message", "neither data of a channel, a reply nor a REST answer")
        rows = _read_shapes(envelope.data)
        if not rows:
            return self.count("empty_answer")
        first = rows[0]
        if any(row.instType is not None and row.tickSz is not None for row in rows):  # any one of them may be odd
            return self.listed(of_rows(rows_of(envelope.data)), received_ns)
        if first.asks is not None:
            waiting = [market.diffs.rest for market in self.markets]
            return self._pending_snapshots.give(read_snapshot(_read_books(envelope.data)[0]), waiting, received_ns)
        if first.tradeId is not None:
            return self.count("rest_trades")
        raise FrameError("unknown_message", "a REST answer of no use here")

    def _on_instruments(self, frame: bytes, received_ns: int) -> list[Output]:
        """The channel of this name states changes of the list, in the rows of the list."""
        return self.listed(of_rows(rows_of(wire.read_envelope(frame).data)), received_ns)


class Shape(msgspec.Struct):
    """What distinguishes the rows of one REST answer from those of another."""

    instType: object = None
    tickSz: object = None
    asks: object = None
    tradeId: object = None


_read_shapes = msgspec.json.Decoder(list[Shape]).decode
_read_books = msgspec.json.Decoder(list[wire.BookData]).decode
