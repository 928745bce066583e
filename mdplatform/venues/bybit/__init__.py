"""Bybit V5, spot, contracts and options: https://bybit-exchange.github.io/docs/v5/ws/connect

Each category has its own socket, and one venue symbol may stand in several: BTCUSDT is spot and a linear perpetual.
"""

from __future__ import annotations

from functools import partial

from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import REFUSALS, Channel, ConnectionPlan, Output, Request, Venue, refused
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.recorded import Recording
from mdplatform.venuekit.venue_facts import VenueFacts
from mdplatform.venues.bybit import wire
from mdplatform.venues.bybit.channels import BEST, BOOKS, LIQUIDATIONS, OF_OPTIONS, TICKERS, TRADES, offered
from mdplatform.venues.bybit.instruments import CATEGORIES, OPTIONED, known_instruments, read_instruments, read_page
from mdplatform.venues.bybit.session import BybitSession
from mdplatform.venues.bybit.wire import EXCHANGE

TOPIC_CHARACTERS = 20_000  # a connection; the venue allows 21,000 (documented 2026-07)


class Bybit(VenueFacts):
    """Facts of the venue, as documented in 2026-07. Japan and others have hosts of their own."""

    id = EXCHANGE
    ws_url = "wss://stream.bybit.com"
    rest_url = "https://api.bybit.com"
    channels: tuple[Channel, ...] = (*BOOKS, TRADES, LIQUIDATIONS, TICKERS, BEST, *OF_OPTIONS)
    default_channels: tuple[str, ...] = (BOOKS[0].name, TRADES.name, LIQUIDATIONS.name, TICKERS.name)
    rest_budget: tuple[int, float] = (600, 5.0)
    connect_budget: tuple[int, float] = (500, 300.0)
    max_frame_bytes: int | None = 4 * 1024 * 1024
    liquidations: str = "all, gathered each 0.5 s"

    def instruments_requests(self) -> tuple[Request, ...]:
        return (
            *(_page(category) for category in CATEGORIES if category != "option"),
            *(_page("option", base=base) for base in OPTIONED),
        )

    def more(self, body: bytes) -> Request | None:
        page = read_page(body)
        if not (page.category and page.nextPageCursor):
            return None
        return _page(page.category, page.nextPageCursor, page.base if page.category == "option" else "")

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return read_instruments(body)

    def known_instruments(self) -> Instruments:
        return known_instruments()

    def plan_connections(
        self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20
    ) -> list[ConnectionPlan]:
        selected = self.to_subscribe(channels)
        out = []
        for category in CATEGORIES:
            taken = offered(category, selected)
            rows = instruments.within(category)
            first = next(iter(rows), None)
            if first is not None and not taken:
                names = " ".join(c.name for c in selected)
                raise ConfigError(f"bybit {category} has no {names}; {first.symbol} is {category}")
            for part in rows.parts_within(TOPIC_CHARACTERS, partial(_characters, taken)):
                session = BybitSession(category, part, taken, depth)
                out.append(ConnectionPlan(self.ws_url, session.path, session))
        return out

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> BybitRecording:
        return BybitRecording(instruments, self.to_read(channels), depth)


def _page(category: str, cursor: str = "", base: str = "") -> Request:
    """A cursor comes escaped already. Spot is not paginated."""
    limit = "" if category == "spot" else "&limit=1000"
    following = f"&cursor={cursor}" if cursor else ""
    of = f"&baseCoin={base}" if base else ""
    return Request(f"/v5/market/instruments-info?category={category}{of}{limit}{following}", purpose="instruments")


def _characters(channels: tuple[Channel, ...], row: Instrument) -> int:
    """Of the topics of an instrument."""
    return sum(len(f"{channel.name}.{row.venue_symbol}") for channel in channels)


class BybitRecording(Recording):
    """Frames of sockets of any category, and REST answers.

    No message says its category. Our tapes do. On others, where several list its symbol, it is of the one that the
    latest acknowledgement of a subscription of ours named, else of the one that comes first among the instruments.
    """

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self._instruments = instruments
        self._by_category = {c: BybitSession(c, instruments, channels, depth) for c in CATEGORIES}
        super().__init__(EXCHANGE, list(self._by_category.values()))
        self._any = self._by_category[CATEGORIES[0]]
        self._said = ""  # the category of the latest acknowledgement
        self._routes: dict[bytes, BybitSession] = {}  # by the topic

    def at(self, path: str) -> BybitSession | None:
        return next((session for session in self._by_category.values() if session.path == path), None)

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        if frame[:10] == b'{"topic":"':
            session = self._routes.get(frame[10 : frame.find(b'"', 10)])
            if session is not None:
                return session.receive(frame, received_ns)
        try:
            envelope = wire.read_envelope(frame)
            if envelope.retCode is not None:
                return self._answered(envelope, frame, received_ns)
        except REFUSALS as error:
            # Nothing shows which category it was of.
            return [
                refused(error, EXCHANGE, frame, received_ns, ""),
                *(output for s in self._by_category.values() for output in s.doubted(frame, received_ns)),
            ]
        if envelope.topic is None:
            self._told(envelope)
            return self._any.receive(frame, received_ns)
        return self._of(envelope.topic).receive(frame, received_ns)

    def _of(self, topic: str) -> BybitSession:
        name, _, symbol = topic.rpartition(".")
        listing = self._instruments.categories(symbol)
        if (
            not listing
            and name == TRADES.name
            and any(row.base == symbol for row in self._instruments.within("option"))
        ):
            listing = ["option"]  # its trades come for all options on an asset
        category = self._said if self._said in listing else next(iter(listing), None)
        for session in self._by_category.values():
            if session.category == category:
                self._routes[topic.encode()] = session
                return session
        return self._any

    def _told(self, envelope: wire.Envelope) -> None:
        category = (envelope.req_id or "").partition("-")[0]
        if envelope.op == "subscribe" and category in self._by_category and category != self._said:
            self._said = category
            self._routes.clear()

    def _answered(self, envelope: wire.Envelope, body: bytes, received_ns: int) -> list[Output]:
        """A REST answer. Books cannot be joined by it: its ``u`` is that of the 1000 levels, and sockets snapshot."""
        if envelope.retCode != 0:
            raise FrameError("venue_error", f"code {envelope.retCode}: {envelope.retMsg}")
        if b'"baseCoin"' not in bytes(envelope.result):
            return self._any.count("rest_answer")
        self._routes.clear()
        return self._any.listed(read_instruments(body), received_ns)


VENUE: Venue = Bybit()
