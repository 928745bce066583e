"""Deribit: https://docs.deribit.com

JSON-RPC over one WebSocket. Everything but the raw channels needs no login (documented); where credentials are set
every connection logs in, which also raises the venue's limits. Which host serves those who do not is not settled (`www`
does, as two users reported in September 2026, `streams` is meant to, as announced in 2023): the address is an option.
Books of 100 ms may trail the REST interface by a second and a half (probed in autumn 2026, of USDC books).
"""

from __future__ import annotations

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Credentials, Request, Venue
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.deribit import channels as facts
from mdplatform.venues.deribit.channels import EXCHANGE, needs_login, stream
from mdplatform.venues.deribit.instruments import known_instruments, read_instruments
from mdplatform.venues.deribit.session import DeribitSession

INSTRUMENTS_A_CONNECTION = 100  # their channels fit into one subscription; 32 connections are allowed an address
_KINDS = ("future", "option", "spot")  # a call each: all in one would be too long for a message


class Deribit(VenueFacts):
    """Facts of the venue."""

    id = EXCHANGE
    ws_url = "wss://www.deribit.com/ws/api/v2"
    rest_url = "https://www.deribit.com/api/v2"
    channels: tuple[Channel, ...] = facts.CHANNELS
    default_channels: tuple[str, ...] = ("book.100ms", "trades.100ms", "liquidations.rest", "ticker.100ms")
    rest_budget: tuple[int, float] = (10, 1.0)  # 20 a second are allowed, the calls on sockets counted
    connect_budget: tuple[int, float] = (2, 1.0)  # each begins with a subscription, of which 3 a second are allowed
    max_frame_bytes: int | None = 16 * 1024 * 1024
    liquidations: str = "trades that bear a flag, by socket and by REST"

    def __init__(self, credentials: Credentials | None = None) -> None:
        self._credentials = credentials

    def with_credentials(self, credentials: Credentials) -> Deribit:
        return Deribit(credentials)

    def instruments_requests(self) -> tuple[Request, ...]:
        return tuple(
            Request(f"/public/get_instruments?currency=any&kind={kind}&expired=false", purpose="instruments")
            for kind in _KINDS
        )

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        for channel in selected:
            if self._credentials is None and needs_login(stream(channel, "")):
                raise ConfigError(
                    f"{channel.name} of deribit needs a login: "
                    "set MDPLATFORM_DERIBIT_CLIENT_ID and MDPLATFORM_DERIBIT_CLIENT_SECRET"
                )
        parts = instruments.parts(INSTRUMENTS_A_CONNECTION)
        return [
            ConnectionPlan(self.ws_url, "", DeribitSession(part, selected, depth, self._credentials)) for part in parts
        ]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> DeribitSession:
        return DeribitSession(instruments, self.to_read(channels), depth)


VENUE: Venue = Deribit()
