"""KuCoin, spot and futures: books by the UTA push sockets, the rest by the classic ones, each opened with a ticket.

Where a push socket cannot be opened its books come by the classic one, as by the channel ``level2``. Not all contracts
are of coins: some are of stocks.
"""

from __future__ import annotations

import re

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Output, Request, Venue
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.recorded import Recording
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.kucoin.channels import BOOK, CHANNELS, FUTURES_TOPICS, INSTRUMENT, OBU, SPOT_TOPICS, TRADES
from mdplatform.venues.kucoin.instruments import EXCHANGE, known_instruments, read_instruments
from mdplatform.venues.kucoin.market import FUTURES_REST_URL
from mdplatform.venues.kucoin.session import KucoinSession
from mdplatform.venues.kucoin.uta.session import UtaSession

TOPICS_A_CONNECTION = 250  # 300 are allowed, according to other clients (2026); a symbol counts on every channel
BOOKS_A_CONNECTION = 100  # each is a request of its own; of the UTA sockets, which allow 600 (probed 2026-10)


class Kucoin(VenueFacts):
    """Facts of the venue. The sockets' addresses are what tickets name today; each new ticket is followed."""

    id = EXCHANGE
    ws_url = "wss://ws-api-spot.kucoin.com"
    futures_ws_url = "wss://ws-api-futures.kucoin.com"
    uta_ws_url = "wss://x-push-spot.kucoin.com"
    uta_futures_ws_url = "wss://x-push-futures.kucoin.com"
    rest_url = "https://api.kucoin.com"
    channels: tuple[Channel, ...] = CHANNELS
    default_channels: tuple[str, ...] = (OBU.name, TRADES.name, INSTRUMENT.name)
    rest_budget: tuple[int, float] = (2000, 30.0)
    connect_budget: tuple[int, float] = (30, 60.0)
    lifetime_s: float | None = 24 * 3600.0
    max_frame_bytes: int | None = 8 * 1024 * 1024
    liquidations: str = "none"

    def instruments_requests(self) -> tuple[Request, ...]:
        return (
            Request("/api/v2/symbols", weight=4, purpose="instruments"),
            Request("/api/v1/contracts/active", weight=3, purpose="instruments", base_url=FUTURES_REST_URL),
        )

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        spot = [row for row in instruments if row.kind is Kind.SPOT]
        futures = [row for row in instruments if row.kind is not Kind.SPOT]
        return [
            *_books(spot, selected, depth, self.uta_ws_url, "SPOT", (SPOT_TOPICS, depth, self.ws_url, None)),
            *_books(
                futures,
                selected,
                depth,
                self.uta_futures_ws_url,
                "FUTURES",
                (FUTURES_TOPICS, depth, self.futures_ws_url, FUTURES_REST_URL),
            ),
            *_lines(spot, selected, SPOT_TOPICS, depth, self.ws_url, None),
            *_lines(futures, selected, FUTURES_TOPICS, depth, self.futures_ws_url, FUTURES_REST_URL),
        ]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> KucoinRecording:
        return KucoinRecording(instruments, self.to_read(channels), depth)


class KucoinRecording(Recording):
    """Frames of both kinds of socket, with REST answers among them. Topics distinguish spot from futures."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        topics = {channel: channel.name for channel in channels if channel is not OBU}
        self._classic = KucoinSession(instruments, topics, depth)
        self._uta = UtaSession(instruments, channels, depth)
        super().__init__(EXCHANGE, (self._classic, self._uta))

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        is_uta = frame.startswith(b'{"T":"') or (b'"topic":' not in frame[:200] and _UTA.search(frame) is not None)
        return (self._uta if is_uta else self._classic).receive(frame, received_ns)

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        return self._classic.answer(request, status, body, received_ns)


Classic = tuple[dict[Channel, str], int, str, str | None]  # topics, depth, addresses of sockets and REST


def _books(
    rows: list[Instrument], channels: tuple[Channel, ...], depth: int, url: str, trade_type: str, classic: Classic
) -> list[ConnectionPlan]:
    """Books by the push socket or, where that cannot be opened, by the classic one, whose snapshots cost REST calls."""
    if OBU not in channels:
        return []
    parts = Instruments(EXCHANGE, rows).parts(BOOKS_A_CONNECTION)
    return [
        ConnectionPlan(url, "", UtaSession(part, channels, depth, trade_type), _lines([*part], (BOOK,), *classic)[0])
        for part in parts
    ]


def _lines(
    rows: list[Instrument],
    channels: tuple[Channel, ...],
    topics: dict[Channel, str],
    depth: int,
    ws_url: str,
    rest_url: str | None,
) -> list[ConnectionPlan]:
    carried = {channel: topics[channel] for channel in channels if channel in topics}
    if not carried and OBU in channels:
        return []
    if rows and not carried:
        names = ", ".join(channel.name for channel in channels)
        raise ConfigError(f"kucoin has no {names} of spot symbols such as {rows[0].symbol}")
    parts = Instruments(EXCHANGE, rows).parts(TOPICS_A_CONNECTION // max(1, len(carried)))
    return [ConnectionPlan(ws_url, "", KucoinSession(part, carried, depth, ws_url, rest_url)) for part in parts]


# Pushes, the welcome, replies and pongs of UTA.
_UTA = re.compile(rb'"T"\s*:\s*"[a-z-]+\.(?:SPOT|FUTURES)"|"sessionId"|^\{"id":"[^"]*","(?:result"|type":"pong","ts")')
VENUE: Venue = Kucoin()
