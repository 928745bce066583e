"""Hyperliquid: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions

Spot pairs, perpetuals of the venue's own exchange, and those that others deploy on it (``dex:COIN``, on shares too).
A perpetual is quoted in USD and settled in USDC: BTC-USD-PERP. ``kPEPE`` stays as it is: its price is of 1000 PEPE too.
The venue publishes no liquidations.

"Documented" is the venue's own page of 2026-06, "probed" what others measured on the live venue in 2026-09 and -10.
"""

from __future__ import annotations

import logging
from functools import cache

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Request, Venue, select_channels
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.hyperliquid.channels import BBO, BOOK, CONTEXT, DEPTH, FAST, TRADES
from mdplatform.venues.hyperliquid.instruments import EXCHANGE, known_instruments, read_instruments
from mdplatform.venues.hyperliquid.session import HyperliquidSession

log = logging.getLogger(__name__)


SUBSCRIPTIONS = 1000  # from one address, on all its connections (documented)
SUBSCRIPTIONS_A_CONNECTION = 125  # 8 connections of the 10 that one address may hold, so that there is room to renew
# By default and where 1000 are too few for all: what the other channels hold too, or will in some seconds, goes first.
SPARED = (DEPTH, BBO)


class Hyperliquid(VenueFacts):
    """Facts of the venue."""

    id = EXCHANGE
    ws_url = "wss://api.hyperliquid.xyz"
    rest_url = "https://api.hyperliquid.xyz"
    channels: tuple[Channel, ...] = (FAST, BOOK, DEPTH, TRADES, CONTEXT, BBO)
    default_channels: tuple[str, ...] = tuple(channel.name for channel in (FAST, DEPTH, TRADES, CONTEXT, BBO))
    rest_budget: tuple[int, float] = (1200, 60.0)
    connect_budget: tuple[int, float] = (30, 60.0)
    max_frame_bytes: int | None = 8 * 1024 * 1024
    liquidations: str = "none"

    def instruments_requests(self) -> tuple[Request, ...]:
        # The last is not documented; other clients find what others deploy by it (2025, 2026).
        bodies = (b'{"type":"meta"}', b'{"type":"spotMeta"}', b'{"type":"allPerpMetas"}')
        return tuple(Request("/info", weight=20, purpose="instruments", body=body) for body in bodies)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        if BOOK in selected and DEPTH in selected:
            raise ConfigError("l2Book and l2Book.depth are the same book; choose one")
        rows = list(instruments)
        for spared in () if channels else SPARED:
            if len(rows) * len(selected) > SUBSCRIPTIONS:
                _warn(spared.name, len(rows))
                selected = tuple(channel for channel in selected if channel is not spared)
        if (wanted := len(rows) * len(selected)) > SUBSCRIPTIONS:
            raise ConfigError(f"hyperliquid takes {SUBSCRIPTIONS} subscriptions from one address, not {wanted}")
        size = SUBSCRIPTIONS_A_CONNECTION // len(selected)
        parts = instruments.parts(size)
        names = tuple(channel.name for channel in selected)
        return [
            ConnectionPlan(self.ws_url, "/ws", HyperliquidSession(part, selected, depth), channels=names)
            for part in parts
        ]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> HyperliquidSession:
        every = tuple(channel for channel in self.channels if channel is not DEPTH)
        return HyperliquidSession(instruments, select_channels(self.channels, channels) or every, depth)


@cache
def _warn(channel: str, symbols: int) -> None:
    """Once, however often lines are made of the same symbols."""
    log.warning("hyperliquid: no %s, which %d symbols leave no room for", channel, symbols)


VENUE: Venue = Hyperliquid()
