"""Coinbase spot, by both of its feeds, neither of which needs a key: books by Advanced Trade, trades by Exchange.

Books of Advanced Trade are proven by the number of each message, those of Exchange by nothing; trades of Exchange come
at once, those of Advanced Trade in batches of 250 ms. Either feed carries both where it is chosen by its channels.

The perpetuals of Coinbase International are not here: they moved in September 2026, all of its own were paused from
2026-10-01 09:00:29 UTC on (probed), and what they were is sent by a gateway of Deribit's (``streams.drb.coinbase.com``
in clients, not probed).
"""

from __future__ import annotations

from functools import partial

import msgspec

from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import REFUSALS, Channel, ConnectionPlan, Output, Request, Venue, refused
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.recorded import Recording
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.coinbase.advanced import channels as advanced
from mdplatform.venues.coinbase.advanced.session import PATH, AdvancedSession
from mdplatform.venues.coinbase.exchange import channels as exchange
from mdplatform.venues.coinbase.exchange.session import ExchangeSession
from mdplatform.venues.coinbase.instruments import known_instruments, read_instruments
from mdplatform.venues.coinbase.wire import EXCHANGE

PRODUCTS_A_CONNECTION = 100  # no limit is documented; a socket carries this many books with ease


class Coinbase(VenueFacts):
    """Facts of the venue. The channels chosen decide which feed's sockets are opened."""

    id = EXCHANGE
    ws_url = "wss://ws-feed.exchange.coinbase.com"
    advanced_ws_url = "wss://advanced-trade-ws.coinbase.com"
    rest_url = "https://api.exchange.coinbase.com"
    channels: tuple[Channel, ...] = (advanced.LEVEL2, *exchange.CHANNELS, advanced.TRADES, advanced.HEARTBEATS)
    default_channels: tuple[str, ...] = (advanced.LEVEL2.name, exchange.MATCHES.name, exchange.HEARTBEAT.name)
    rest_budget: tuple[int, float] = (10, 1.0)
    connect_budget: tuple[int, float] = (8, 1.0)
    max_frame_bytes: int | None = 32 * 1024 * 1024  # the largest book, 68,092 levels, has 7 MB in Advanced Trade
    liquidations: str = "none: it is spot"

    def instruments_requests(self) -> tuple[Request, ...]:
        return (Request("/products", purpose="instruments"),)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        of_exchange = tuple(channel for channel in selected if channel in exchange.CHANNELS)
        of_advanced = tuple(channel for channel in selected if channel in advanced.CHANNELS)
        parts = instruments.parts(PRODUCTS_A_CONNECTION)
        lines = [
            ConnectionPlan(self.ws_url, "", ExchangeSession(part, of_exchange, depth)) for part in parts if of_exchange
        ]
        if of_advanced:
            of_advanced = tuple(dict.fromkeys((*of_advanced, advanced.HEARTBEATS)))
            sessions = (AdvancedSession(part, of_advanced, depth, number) for number, part in enumerate(parts))
            lines += [ConnectionPlan(self.advanced_ws_url, "", session) for session in sessions]
        return lines

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> CoinbaseRecording:
        return CoinbaseRecording(instruments, self.to_read(channels), depth)


class CoinbaseRecording(Recording):
    """Frames of either feed and product lists, distinguished by shape."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self._exchange = ExchangeSession(instruments, channels, depth)
        self._make = partial(AdvancedSession, instruments, channels, depth)
        self._advanced = self._make()
        self._by_path: dict[str, AdvancedSession] = {}
        super().__init__(EXCHANGE, [self._exchange, self._advanced])

    def at(self, path: str) -> AdvancedSession | None:
        """The connection of Advanced Trade that a tape calls so: each counts its own messages."""
        if not path.startswith(PATH):
            return None
        session = self._by_path.get(path)
        if session is None:
            session = self._by_path[path] = self._make()
            self.sessions = [*self.sessions, session]
        return session

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        if frame.startswith(_OF_EXCHANGE):
            return self._exchange.receive(frame, received_ns)
        try:
            is_list = frame[:1] == b"["
            shape = Shape() if is_list else _read_shape(frame)
            if is_list or shape.products is not None:
                return self._exchange.listed(VENUE.parse_instruments(frame), received_ns)
        except FrameError as error:
            return [refused(error, self.exchange, frame, received_ns, "")]
        except REFUSALS:
            # Not even an object: nothing states whose it was, so the feed that proves least must assume it was its own.
            return self._exchange.receive(frame, received_ns)
        session = self._exchange if shape.channel is None else self._advanced
        return session.receive(frame, received_ns)


VENUE: Venue = Coinbase()


_OF_EXCHANGE = b'{"type":"'  # how its messages begin; no message of Advanced Trade has a type but an error


class Shape(msgspec.Struct):
    """What distinguishes one kind of frame from another."""

    channel: str | None = None
    products: object = None


_read_shape = msgspec.json.Decoder(Shape).decode
