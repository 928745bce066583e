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

from mdplatform.core.errors import UNREADABLE, FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, kind_of, read_rows, stated
from mdplatform.core.session import REFUSALS, Channel, Line, Output, Request, Venue, chosen, refused, subscribable
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.recorded import Recording
from mdplatform.venues.coinbase import advanced, exchange
from mdplatform.venues.coinbase.advanced import PATH, AdvancedSession
from mdplatform.venues.coinbase.exchange import ExchangeSession
from mdplatform.venues.coinbase.market import EXCHANGE
from mdplatform.venues.default_instruments import composed

QUOTES = ("USD", "USDC", "USDT", "EUR", "GBP", "BTC", "ETH")
PRODUCTS_A_CONNECTION = 100  # no limit is documented; a socket carries this many books with ease


class Coinbase:
    """Facts of the venue. The channels chosen decide which feed's sockets are opened."""

    id = EXCHANGE
    ws_url = "wss://ws-feed.exchange.coinbase.com"
    advanced_ws_url = "wss://advanced-trade-ws.coinbase.com"
    rest_url = "https://api.exchange.coinbase.com"
    channels: tuple[Channel, ...] = (advanced.LEVEL2, *exchange.CHANNELS, advanced.TRADES, advanced.HEARTBEATS)
    default_channels: tuple[str, ...] = (advanced.LEVEL2.name, exchange.MATCHES.name, exchange.HEARTBEAT.name)
    rest_budget: tuple[int, float] = (10, 1.0)
    connect_budget: tuple[int, float] = (8, 1.0)
    lifetime_s: float | None = None
    max_frame_bytes: int | None = 32 * 1024 * 1024  # the largest book, 68,092 levels, has 7 MB in Advanced Trade
    used_weight_header: str | None = None

    def instruments_requests(self) -> tuple[Request, ...]:
        return (Request("/products", purpose="instruments"),)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        """The list of either feed's REST interface."""
        try:
            if body.lstrip()[:1] == b"[":
                return read_rows(_read_rows(body), _instrument)
            rows = _read_advanced_rows(body).products
        except UNREADABLE as error:
            raise FrameError("wrong_shape", f"not a list of products: {error}") from None
        return read_rows(rows, _advanced_instrument)

    def known_instruments(self) -> Instruments:
        return composed(self.id, QUOTES, lambda base, quote: f"{base}-{quote}")

    def lines(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> list[Line]:
        selected = subscribable(self.channels, channels or self.default_channels)
        of_exchange = tuple(channel for channel in selected if channel in exchange.CHANNELS)
        of_advanced = tuple(channel for channel in selected if channel in advanced.CHANNELS)
        rows = list(instruments)
        parts = [
            Instruments(self.id, rows[i : i + PRODUCTS_A_CONNECTION])
            for i in range(0, len(rows), PRODUCTS_A_CONNECTION)
        ]
        lines = [Line(self.ws_url, "", ExchangeSession(part, of_exchange, depth)) for part in parts if of_exchange]
        if of_advanced:
            of_advanced = tuple(dict.fromkeys((*of_advanced, advanced.HEARTBEATS)))
            sessions = (AdvancedSession(part, of_advanced, depth, number) for number, part in enumerate(parts))
            lines += [Line(self.advanced_ws_url, "", session) for session in sessions]
        return lines

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> CoinbaseRecording:
        return CoinbaseRecording(instruments, chosen(self.channels, channels) or self.channels, depth)


class CoinbaseRecording(Recording):
    """Frames of either feed and product lists, told apart by shape."""

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
        try:
            is_list = frame[:1] == b"["
            shape = Shape() if is_list else _read_shape(frame)
            if is_list or shape.products is not None:
                return self._exchange.listed(VENUE.parse_instruments(frame), received_ns)
        except FrameError as error:
            return [refused(error, self.exchange, frame, received_ns, "")]
        except REFUSALS:
            # Not even an object: whose it was cannot be told, so the feed that proves least must assume it was its own.
            return self._exchange.receive(frame, received_ns)
        session = self._exchange if shape.channel is None else self._advanced
        return session.receive(frame, received_ns)


VENUE: Venue = Coinbase()


class Shape(msgspec.Struct):
    """What tells one kind of frame from another."""

    channel: str | None = None
    products: object = None


class ProductRow(msgspec.Struct):
    id: str
    base_currency: str
    quote_currency: str
    status: msgspec.Raw = ABSENT
    quote_increment: msgspec.Raw = ABSENT
    base_increment: msgspec.Raw = ABSENT


class AdvancedProductRow(msgspec.Struct):
    product_id: str
    product_type: str
    base_currency_id: str
    quote_currency_id: str
    status: msgspec.Raw = ABSENT
    price_increment: msgspec.Raw = ABSENT
    base_increment: msgspec.Raw = ABSENT
    alias: str | None = None


class AdvancedProducts(msgspec.Struct):
    products: list[msgspec.Raw]


def _instrument(raw: msgspec.Raw) -> Instrument:
    row = _read_row(raw)
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.id,
        base=row.base_currency,
        quote=row.quote_currency,
        tick=amount(row.quote_increment),
        step=amount(row.base_increment),
        status=stated(row.status),
    )


def _advanced_instrument(raw: msgspec.Raw) -> Instrument | None:
    row = _read_advanced_row(raw)
    if kind_of(row.product_type, "type") != "SPOT":
        return None
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.product_id,
        base=row.base_currency_id,
        quote=row.quote_currency_id,
        tick=amount(row.price_increment),
        step=amount(row.base_increment),
        status=stated(row.status),
        alias_of=row.alias or None,
    )


_read_shape = msgspec.json.Decoder(Shape).decode
_read_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_row = msgspec.json.Decoder(ProductRow).decode
_read_advanced_row = msgspec.json.Decoder(AdvancedProductRow).decode
_read_advanced_rows = msgspec.json.Decoder(AdvancedProducts).decode
