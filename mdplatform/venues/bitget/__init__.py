"""Bitget, spot and contracts: https://www.bitget.com/api-doc/uta/intro

A pair and contracts may have one name (``BTCUSDT``): instruments, sockets and messages each state their category.
"""

from __future__ import annotations

import re

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Output, Request, Venue, refused
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.recorded import Recording
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.bitget.channels import BOOKS, CHANNELS, LIQUIDATIONS, TICKER, TRADES
from mdplatform.venues.bitget.instruments import (
    EXCHANGE,
    LISTS,
    OBSOLETE,
    SETTLES,
    SPOT,
    known_instruments,
    read_instruments,
)
from mdplatform.venues.bitget.session import BitgetSession

# The venue advises fewer than 50 channels a connection, of 1000 that it allows.
CHANNELS_A_CONNECTION = 48
_CATEGORY = re.compile(rb'"instType":"([A-Za-z-]+)"')
_V1 = frozenset((b"mc", b"sp", b"umcbl", b"dmcbl", b"cmcbl"))


class Bitget(VenueFacts):
    """Facts of the venue, as documented in 2026 (the limit of calls by REST: according to other clients)."""

    id = EXCHANGE
    ws_url = "wss://ws.bitget.com"
    rest_url = "https://api.bitget.com"
    channels: tuple[Channel, ...] = CHANNELS
    default_channels: tuple[str, ...] = (BOOKS.name, TRADES.name, LIQUIDATIONS.name, TICKER.name)
    rest_budget: tuple[int, float] = (20, 1.0)
    connect_budget: tuple[int, float] = (300, 300.0)
    lifetime_s: float | None = 24 * 3600.0
    max_frame_bytes: int | None = 8 * 1024 * 1024
    liquidations: str = "the largest long and the largest short of each second"

    def instruments_requests(self) -> tuple[Request, ...]:
        return tuple(Request(path, purpose="instruments") for path in LISTS)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        lines = []
        for category in SETTLES:
            rows = instruments.within(category)
            offered = tuple(c for c in selected if category != SPOT or c not in (LIQUIDATIONS, TICKER))
            first = next(iter(rows), None)
            if first is not None and not offered:
                raise ConfigError(f"bitget has no {', '.join(c.name for c in selected)} of spot: {first.symbol}")
            size = CHANNELS_A_CONNECTION // max(1, len([c for c in offered if c is not LIQUIDATIONS]))
            sessions = (BitgetSession(category, part, offered, depth) for part in rows.parts(size))
            lines += [ConnectionPlan(self.ws_url, "/v3/ws/public", session) for session in sessions]
        return lines

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> BitgetRecording:
        return BitgetRecording(instruments, self.to_read(channels), depth)


class BitgetRecording(Recording):
    """Frames of every category, of API v3 and v2, with instrument lists among them. Those of v1 are refused."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self._by_category = {name: BitgetSession(name, instruments, channels, depth) for name in SETTLES}
        super().__init__(EXCHANGE, list(self._by_category.values()))

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        match = _CATEGORY.search(frame)
        category = match[1].lower() if match else SPOT.encode()
        if category in _V1:
            return [refused(OBSOLETE, self.exchange, frame, received_ns, "")]
        # What names no category, a list or a pong, is read alike by all.
        session = self._by_category.get(category.decode(), self._by_category[SPOT])
        return session.receive(frame, received_ns)


VENUE: Venue = Bitget()
