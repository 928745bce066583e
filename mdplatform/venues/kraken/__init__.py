"""Kraken: spot by WebSocket v2 and futures by their own feed, each on its own address; the instrument decides which."""

from __future__ import annotations

import msgspec

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import REFUSALS, Channel, ConnectionPlan, Output, Request, Venue
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.recorded import Recording
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.kraken.channels import BOOK, CHANNELS, LIQUIDATION, TICKER, TRADE, of_futures, of_spot
from mdplatform.venues.kraken.futures.session import FuturesSession
from mdplatform.venues.kraken.instruments import EXCHANGE, known_instruments, read_instruments
from mdplatform.venues.kraken.spot.session import SpotSession

SYMBOLS_A_CONNECTION = 200  # no limit is documented


class Kraken(VenueFacts):
    """Facts of the venue, as documented in 2026-06; one call by REST a second is according to other clients."""

    id = EXCHANGE
    ws_url = "wss://ws.kraken.com"
    futures_ws_url = "wss://futures.kraken.com"
    rest_url = "https://api.kraken.com"
    futures_rest_url = "https://futures.kraken.com"
    channels: tuple[Channel, ...] = CHANNELS
    default_channels: tuple[str, ...] = (BOOK.name, TRADE.name, LIQUIDATION.name, TICKER.name)
    rest_budget: tuple[int, float] = (1, 1.0)
    connect_budget: tuple[int, float] = (150, 600.0)
    max_frame_bytes: int | None = 16 * 1024 * 1024
    liquidations: str = "all: trades of that type"

    def instruments_requests(self) -> tuple[Request, ...]:
        return (
            Request("/0/public/AssetPairs", purpose="instruments"),
            Request("/derivatives/api/v3/instruments", purpose="instruments", base_url=self.futures_rest_url),
        )

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        of_pairs = of_spot(selected)
        pairs = [row for row in instruments if row.kind is Kind.SPOT]
        products = [row for row in instruments if row.kind is not Kind.SPOT]
        if pairs and not of_pairs:
            names = ", ".join(channel.name for channel in selected)
            raise ConfigError(f"kraken has no {names} of spot symbols such as {pairs[0].symbol}")
        return [
            *(ConnectionPlan(self.ws_url, "/v2", SpotSession(part, of_pairs, depth)) for part in _parts(pairs)),
            *(
                ConnectionPlan(self.futures_ws_url, "/ws/v1", FuturesSession(part, of_futures(selected), depth))
                for part in _parts(products)
            ),
        ]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> KrakenRecording:
        return KrakenRecording(instruments, self.to_read(channels), depth)


class KrakenRecording(Recording):
    """Frames of both feeds and instrument lists, distinguished by shape."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self._spot = SpotSession(instruments, of_spot(channels), depth, recorded=True)
        self._futures = FuturesSession(instruments, channels, depth)
        super().__init__(EXCHANGE, (self._spot, self._futures))

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        if frame.startswith(_OF_FUTURES):
            return self._futures.receive(frame, received_ns)
        try:
            shape = _read_shape(frame)
        except REFUSALS:
            # Not even an object: nothing states whose it was, so the feed that proves least must assume it was its own.
            return self._spot.receive(frame, received_ns)
        if shape.feed is not None or shape.event is not None:
            return self._futures.receive(frame, received_ns)
        if shape.method is None and (bytes(shape.result) or bytes(shape.error)[:1] == b"["):
            try:
                return self._spot.listed(read_instruments(frame), received_ns)
            except REFUSALS as error:
                return self._spot.refuse(error, frame, received_ns)
        return self._spot.receive(frame, received_ns)


_OF_FUTURES = b'{"feed":"'  # how its data begin; no frame of spot has the field


class Shape(msgspec.Struct):
    """What distinguishes one kind of frame from another."""

    feed: str | None = None
    event: str | None = None
    method: str | None = None
    error: msgspec.Raw = msgspec.Raw()  # a list in REST answers
    result: msgspec.Raw = msgspec.Raw()  # an object in the list of pairs, "success" in that of futures


def _parts(rows: list[Instrument]) -> list[Instruments]:
    return Instruments(EXCHANGE, rows).parts(SYMBOLS_A_CONNECTION)


VENUE: Venue = Kraken()
_read_shape = msgspec.json.Decoder(Shape).decode
