"""Binance futures, USD-M and COIN-M alike: https://developers.binance.com/docs/derivatives

What differs stands in their own files. Update ids are drawn from one counter for all symbols of a venue: they show
that something is missing by ``pu``, and between which ids, but not how many updates (documented; probed in autumn 2026:
``U`` does not follow the last ``u``, ``pu`` does, in 268,223 of as many). Limits are as documented in 2026.
"""

from __future__ import annotations

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Request, select_channels
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.binance.futures.channels import AGG_TRADE, CHANNELS, DEFAULT, TRADE, _is_joined
from mdplatform.venues.binance.futures.instruments import read_instruments
from mdplatform.venues.binance.futures.session import FuturesSession
from mdplatform.venues.binance.session import LIFETIME_S

STREAMS_A_CONNECTION = 200  # the venue allows 1024, one of its own libraries no more than this


class BinanceFutures(VenueFacts):
    """Facts that both venues share. ``paths``: the sockets' paths, each with the channels that it carries."""

    channels: tuple[Channel, ...] = CHANNELS
    default_channels: tuple[str, ...] = tuple(channel.name for channel in DEFAULT)
    rest_budget: tuple[int, float] = (2400, 60.0)
    connect_budget: tuple[int, float] = (300, 300.0)
    lifetime_s: float | None = LIFETIME_S
    max_frame_bytes: int | None = 8 * 1024 * 1024
    liquidations: str = "the latest of each second of a contract"
    used_weight_header: str | None = "X-MBX-USED-WEIGHT-1M"
    id: str
    ws_url: str
    rest_url: str
    api: str
    paths: tuple[tuple[str, tuple[Channel, ...]], ...]

    def instruments_requests(self) -> tuple[Request, ...]:
        return (Request(f"{self.api}/exchangeInfo", purpose="instruments"),)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(self.id, body)

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = select_channels(self.channels, channels or self.default_channels)
        if not _is_joined(selected):
            selected = self.to_subscribe(channels)
        if AGG_TRADE in selected and TRADE in selected:
            raise ConfigError(f"{AGG_TRADE.name} and {TRADE.name} are the same trades; choose one")
        lines = []
        for path, carried in self.paths:
            taken = tuple(channel for channel in selected if channel in carried)
            parts = instruments.parts(STREAMS_A_CONNECTION // len(taken)) if taken else []
            sessions = (FuturesSession(self.id, self.api, part, taken, depth) for part in parts)
            lines += [ConnectionPlan(self.ws_url, path, session) for session in sessions]
        return lines

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> FuturesSession:
        return FuturesSession(self.id, self.api, instruments, self.to_read(channels), depth)
