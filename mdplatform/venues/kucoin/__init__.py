"""KuCoin, spot and futures, by the classic public sockets, each opened with a ticket."""

from __future__ import annotations

from mdplatform.errors import ConfigError
from mdplatform.instrumentlist import InstrumentList
from mdplatform.session import Channel, Line, Request, Venue, chosen, subscribable
from mdplatform.symbols import Instrument, Instruments, Kind
from mdplatform.venues.kucoin import lists
from mdplatform.venues.kucoin.channels import BOOK, CHANNELS, FUTURES_TOPICS, INSTRUMENT, SPOT_TOPICS, TRADES
from mdplatform.venues.kucoin.market import FUTURES_REST_URL
from mdplatform.venues.kucoin.session import KucoinSession

TOPICS_A_CONNECTION = 250  # 300 are allowed; a symbol counts on every channel


class Kucoin:
    """Facts of the venue. The sockets' addresses are what tickets name today; each new ticket is heeded."""

    id = lists.EXCHANGE
    ws_url = "wss://ws-api-spot.kucoin.com"
    futures_ws_url = "wss://ws-api-futures.kucoin.com"
    rest_url = "https://api.kucoin.com"
    channels: tuple[Channel, ...] = CHANNELS
    default_channels: tuple[str, ...] = (BOOK.name, TRADES.name, INSTRUMENT.name)
    rest_budget: tuple[int, float] = (2000, 30.0)
    connect_budget: tuple[int, float] = (30, 60.0)
    lifetime_s: float | None = 24 * 3600.0
    max_frame_bytes: int | None = 8 * 1024 * 1024
    used_weight_header: str | None = None

    def instruments_requests(self) -> tuple[Request, ...]:
        return (
            Request("/api/v2/symbols", weight=4, purpose="instruments"),
            Request("/api/v1/contracts/active", weight=3, purpose="instruments", base_url=FUTURES_REST_URL),
        )

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return lists.read(body)

    def known_instruments(self) -> Instruments:
        return lists.known()

    def lines(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> list[Line]:
        selected = subscribable(self.channels, channels or self.default_channels)
        spot = [row for row in instruments if row.kind is Kind.SPOT]
        futures = [row for row in instruments if row.kind is not Kind.SPOT]
        return [
            *_lines(spot, selected, SPOT_TOPICS, depth, self.ws_url, None),
            *_lines(futures, selected, FUTURES_TOPICS, depth, self.futures_ws_url, FUTURES_REST_URL),
        ]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> KucoinSession:
        """Topics tell spot from futures."""
        selected = chosen(self.channels, channels) or self.channels
        return KucoinSession(instruments, {channel: channel.name for channel in selected}, depth)


def _lines(
    rows: list[Instrument],
    channels: tuple[Channel, ...],
    topics: dict[Channel, str],
    depth: int,
    ws_url: str,
    rest_url: str | None,
) -> list[Line]:
    carried = {channel: topics[channel] for channel in channels if channel in topics}
    if rows and not carried:
        names = ", ".join(channel.name for channel in channels)
        raise ConfigError(f"kucoin has no {names} of spot symbols such as {rows[0].symbol}")
    size = TOPICS_A_CONNECTION // max(1, len(carried))
    parts = [Instruments(lists.EXCHANGE, rows[i : i + size]) for i in range(0, len(rows), size)]
    return [Line(ws_url, "", KucoinSession(part, carried, depth, ws_url, rest_url)) for part in parts]


VENUE: Venue = Kucoin()
