"""Binance spot: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams

Limits, messages and the joining of books are as documented in July 2026. That a stream which there is not is
acknowledged and stays silent is reported by clients.
"""

from __future__ import annotations

from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Request, Venue
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.binance.session import LIFETIME_S
from mdplatform.venues.binance.spot.channels import BBO, DIFF, PARTIAL, TRADE
from mdplatform.venues.binance.spot.instruments import EXCHANGE, known_instruments, read_instruments
from mdplatform.venues.binance.spot.session import SpotSession

STREAMS_A_CONNECTION = 1000  # the venue allows 1024


class Binance(VenueFacts):
    """Facts of the venue."""

    id = EXCHANGE
    ws_url = "wss://stream.binance.com:9443"
    rest_url = "https://api.binance.com"
    channels: tuple[Channel, ...] = (DIFF, PARTIAL, TRADE, BBO)
    default_channels: tuple[str, ...] = (DIFF.name, TRADE.name)
    rest_budget: tuple[int, float] = (6000, 60.0)
    connect_budget: tuple[int, float] = (300, 300.0)
    lifetime_s: float | None = LIFETIME_S
    max_frame_bytes: int | None = 8 * 1024 * 1024
    liquidations: str = "none: it is spot"
    used_weight_header: str | None = "X-MBX-USED-WEIGHT-1M"

    def instruments_requests(self) -> tuple[Request, ...]:
        return (Request("/api/v3/exchangeInfo?showPermissionSets=false", weight=20, purpose="instruments"),)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        parts = instruments.parts(max(1, STREAMS_A_CONNECTION // len(selected)))
        return [ConnectionPlan(self.ws_url, "/stream", SpotSession(part, selected, depth)) for part in parts]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> SpotSession:
        return SpotSession(instruments, self.to_read(channels), depth)


VENUE: Venue = Binance()
