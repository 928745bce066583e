"""Crypto.com Exchange, API v1: https://exchange-developer.crypto.com/exchange/v1/docs/api/websocket-common-api-reference

Pairs (BTC_USD), perpetuals (BTCUSD-PERP) and dated contracts (BTCUSD-261225) share one socket.
The venue publishes no liquidations. Nothing was recorded here: facts are "documented", the venue's own pages of
2026-07, or "probed", what others measured on the live venue on 2026-09-22.

| channel | instruments | role | what begins, what follows | evidence |
|---|---|---|---|---|
| `book.S.50` | all | book | a snapshot 1 s after the acknowledgement, then changes by ``pu`` | documented, probed |
| `trade.S` | all | trades | the last 50, then each match, newest first | documented; other clients for the order |
| `funding.S` | perpetual | rate | the state, then once a minute | documented, probed |
| `mark.S` | contracts | mark price | the state, then once a second | documented, probed |
| `index.BTCUSD-INDEX` | contracts | index price | the state, then once a second | documented, probed |
| `ticker.S` | all | quotes | the state, then each change; a side that is empty is null | documented, probed |
| `candlestick`, `settlement`, `estimatedfunding` | | none | counted | documented |
| public/heartbeat | | | every 30 s; answered with its id | documented, probed |
| public/get-instruments | all | list | one answer | documented, probed |
| public/get-trades | all | lost trades | the latest 150, newest first | documented; not probed |
"""

from __future__ import annotations

from mdplatform.core.errors import ConfigError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Channel, ConnectionPlan, Request, Venue
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.cryptocom.channels import BOOK, CHANNELS, FUNDING, INDEX, MARK, TRADES, offered
from mdplatform.venues.cryptocom.instruments import LIST, known, parse
from mdplatform.venues.cryptocom.session import CryptoComSession
from mdplatform.venues.cryptocom.wire import EXCHANGE

# The venue takes 400 and refuses more with code 40107 (probed): half of that, so that no connection costs too many.
CHANNELS_A_CONNECTION = 200


class CryptoCom(VenueFacts):
    """Facts of the venue."""

    id = EXCHANGE
    ws_url = "wss://stream.crypto.com"
    rest_url = "https://api.crypto.com"
    channels: tuple[Channel, ...] = CHANNELS
    default_channels: tuple[str, ...] = tuple(channel.name for channel in (BOOK, TRADES, FUNDING, MARK, INDEX))
    rest_budget: tuple[int, float] = (100, 1.0)  # of each method (documented)
    connect_budget: tuple[int, float] = (5, 5.0)  # none is documented
    max_frame_bytes: int | None = 4 * 1024 * 1024
    liquidations: str = "none"

    def instruments_requests(self) -> tuple[Request, ...]:
        return (Request(LIST, purpose="instruments"),)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return parse(body)

    def known_instruments(self) -> Instruments:
        return known()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        for row in instruments:
            if not offered(selected, row):
                raise ConfigError(f"cryptocom has no {', '.join(c.name for c in selected)} of {row.symbol}")
        parts = instruments.parts_within(CHANNELS_A_CONNECTION, lambda row: len(offered(selected, row)))
        sessions = (CryptoComSession(part, selected, depth) for part in parts)
        return [ConnectionPlan(self.ws_url, "/exchange/v1/market", session) for session in sessions]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> CryptoComSession:
        return CryptoComSession(instruments, self.to_read(channels), depth)


VENUE: Venue = CryptoCom()
