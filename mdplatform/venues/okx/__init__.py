"""OKX V5: spot, swaps and futures. https://www.okx.com/docs-v5/en/"""

from __future__ import annotations

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, Line, Request, Venue, chosen, subscribable
from mdplatform.core.symbols import Instruments
from mdplatform.venues.okx import channels as ch
from mdplatform.venues.okx import lists
from mdplatform.venues.okx.recording import OkxReader
from mdplatform.venues.okx.session import OkxSession
from mdplatform.venues.okx.wire import EXCHANGE

BOOKS_A_CONNECTION = 25  # the venue advises fewer than 30 (documented 2026-06)
TRADES_A_CONNECTION = 100  # of the business socket, which has no books


class Okx:
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
    lifetime_s: float | None = None
    max_frame_bytes: int | None = 8 * 1024 * 1024
    used_weight_header: str | None = None

    def instruments_requests(self) -> tuple[Request, ...]:
        path = "/api/v5/public/instruments?instType="
        return tuple(Request(path + kind, weight=2, purpose="instruments") for kind in lists.LISTED)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return lists.read_list(body)

    def known_instruments(self) -> Instruments:
        return lists.known()

    def lines(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> list[Line]:
        selected = subscribable(self.channels, channels or self.default_channels)
        if ch.TRADES in selected and ch.TRADES_ALL in selected:
            raise ConfigError("trades and trades-all are the same trades; choose one")
        business = tuple(channel for channel in selected if channel in ch.BUSINESS)
        public = tuple(channel for channel in selected if channel not in ch.BUSINESS)
        lines = self._lines("/ws/v5/public", instruments, public, depth, BOOKS_A_CONNECTION)
        lines += self._lines("/ws/v5/business", instruments, business, depth, TRADES_A_CONNECTION)
        if not lines:
            names = ", ".join(channel.name for channel in selected)
            raise ConfigError(f"okx has no {names} of {', '.join(i.symbol for i in instruments)}")
        return lines

    def _lines(
        self, path: str, instruments: Instruments, channels: tuple[Channel, ...], depth: int, size: int
    ) -> list[Line]:
        rows = [row for row in instruments if any(ch.applies(channel, row) for channel in channels)]
        parts = [rows[i : i + size] for i in range(0, len(rows), size)]
        return [Line(self.ws_url, path, OkxSession(Instruments(self.id, part), channels, depth)) for part in parts]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> OkxReader:
        return OkxReader(instruments, chosen(self.channels, channels) or self.channels, depth)


VENUE: Venue = Okx()
