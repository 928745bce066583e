"""Gate (gate.io), spot and contracts: https://www.gate.com/docs/developers/apiv4/

A pair and a contract may have one name (``BTC_USDT``): instruments, sockets and channels each state which is meant.
Contracts have a socket for each currency that they settle in: USDT, BTC, and USD1 (probed 2026-10).
"""

from __future__ import annotations

from typing import ClassVar

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Output, Request, Venue
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.recorded import Recording
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.gate.channels import BOOK, CHANNELS, LIQUIDATIONS, OBU, TICKERS, TRADES
from mdplatform.venues.gate.instruments import (
    EXCHANGE,
    FUTURES,
    LISTS,
    SPOT,
    known_instruments,
    read_instruments,
    socket_path,
)
from mdplatform.venues.gate.session import FuturesSession, GateSession, SpotSession

SYMBOLS_A_CONNECTION = 40  # no limit is documented (2026-06), but each book is a request of its own


class Gate(VenueFacts):
    """Facts of the venue, as documented in 2026-06. A socket without subscriptions is closed after 30.5 s (probed
    2026-10); ours has some as soon as it is open."""

    id = EXCHANGE
    ws_url = "wss://api.gateio.ws"
    futures_ws_url = "wss://fx-ws.gateio.ws"
    rest_url = "https://api.gateio.ws"
    channels: tuple[Channel, ...] = CHANNELS
    default_channels: tuple[str, ...] = (OBU.name, TRADES.name, LIQUIDATIONS.name, TICKERS.name)
    rest_budget: tuple[int, float] = (200, 10.0)
    connect_budget: tuple[int, float] = (300, 300.0)  # 300 connections at once are allowed
    max_frame_bytes: int | None = 8 * 1024 * 1024
    liquidations: str = "gathered about once a second; whether all is not stated"
    # Without it sizes in contracts are whole numbers, what lies behind the dot cut off.
    headers: ClassVar[dict[str, str]] = {"X-Gate-Size-Decimal": "1"}

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
        sockets: dict[str, list[Instrument]] = {}
        for row in instruments:
            sockets.setdefault(socket_path(row), []).append(row)
        lines = []
        for path, rows in sockets.items():
            is_spot = rows[0].category == SPOT
            offered = tuple(c for c in selected if not (is_spot and c in (LIQUIDATIONS, TICKERS)))
            if rows[0].kind is Kind.FUTURE:  # for which no stream ``obu`` is documented
                offered = tuple(BOOK if channel is OBU else channel for channel in offered)
            if not offered:
                raise ConfigError(f"gate has no {', '.join(c.name for c in selected)} of spot: {rows[0].symbol}")
            for part in Instruments(self.id, rows).parts(SYMBOLS_A_CONNECTION):
                session: GateSession = (SpotSession if is_spot else FuturesSession)(part, offered, depth)
                lines.append(ConnectionPlan(self.ws_url if is_spot else self.futures_ws_url, path, session))
        return lines

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> GateRecording:
        return GateRecording(instruments, self.to_read(channels), depth)


class GateRecording(Recording):
    """Frames of either section, distinguished by their channels, with lists and order books by REST among them."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self._spot = SpotSession(instruments, channels, depth)
        self._futures = FuturesSession(instruments, channels, depth)
        super().__init__(EXCHANGE, (self._spot, self._futures))

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        # By REST, levels are objects in a book of contracts and pairs of text in one of spot.
        is_futures = b'"channel":"%s.' % FUTURES.encode() in frame or (b'"asks"' in frame and b'"p":' in frame)
        return (self._futures if is_futures else self._spot).receive(frame, received_ns)


VENUE: Venue = Gate()
