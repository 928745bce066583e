"""The Exchange feed: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels

Updates of a book carry no number: one that is lost cannot be found (documented; measured in November 2026, a frame lost
every 4 s left 718 of 1,245 books wrong and valid). So its books are a choice and not the default; its trades are
numbered, sent at once, and counted by each heartbeat. 100 messages a second from an address, a subscription within 5 s
of connecting, one bad product refuses the whole request (all documented). An acknowledgement calls ``level2_batch``
by the server's name ``level2_50`` (documented by clients, not by the venue).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Literal

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.session import Channel, ChannelKind, Output, Reconnect, Request, refused
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venuekit.lost_books import lost_books
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.rows import RowDecoder
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues.coinbase.market import EXCHANGE, MakerSide, Product, nonsense, readable, venue_ns

LEVEL2 = Channel(
    "level2_batch",
    "book",
    "none: updates carry no number, so that one which is lost does not show; silence and a crossed book do",
    5.0,
)
MATCHES = Channel("matches", "trades", "whole: trade ids count up by one a product, also against the heartbeat")
HEARTBEAT = Channel("heartbeat", "trades", "states the last trade id of a product once a second")
TICKER = Channel("ticker", "bbo", "none: sent on trades only; accepted, not used")
CHANNELS = (LEVEL2, MATCHES, HEARTBEAT, TICKER)
_BESIDE = (HEARTBEAT.name, TICKER.name, "heartbeats")  # they bring no feed of their own

TRADES_A_REQUEST = 1000
SILENCE_NS = 20 * SECOND  # with heartbeats a product is heard every second
SILENT_BOOK_NS = 30 * SECOND  # before a book that is whole is asked for again
# 100 messages a second are allowed an address; a reply does not say to what.
PACE = (10, 1.0)
PRODUCTS_A_REQUEST = 100
_WORDS = re.compile(r"[^A-Za-z0-9-]+")
# No product is wrong: how the venue words it is not documented.
_BUSY = re.compile(r"rate limit|too many|internal|unavailable|try again", re.IGNORECASE)
_NO_BOOK = re.compile(rb'"type"\s*:\s*"(match|last_match|heartbeat|ticker|subscriptions|error)"')
_PRODUCT = re.compile(rb'"product_id"\s*:\s*"([^"\\]{1,64})"')

Topic = tuple[str, str]  # (channel, product)


class ProductSession(SocketSession[Product]):
    """What the sessions of both feeds share.

    Replies come in the order of the requests and do not say to which: an acknowledgement lists all that is subscribed,
    an error names the bad product, mostly. Trades have one numbering on both feeds, and are asked for by the REST
    interface of Exchange.
    """

    subscriptions: Subscriptions[Topic]
    book_channel: str

    def __init__(self, markets: Markets[Product], channels: tuple[Channel, ...]) -> None:
        super().__init__(EXCHANGE, markets, SILENCE_NS)
        self.channels = channels
        self._asked: deque[Verb] = deque()  # requests without a reply
        self._now_ns = 0  # of the last tick

    def request(self, verb: Verb, topics: Sequence[Topic], number: int) -> bytes:
        self._asked.append(verb)
        return self.written(verb, topics)

    def written(self, verb: Verb, topics: Sequence[Topic]) -> bytes:
        """The frame of a request."""
        raise NotImplementedError

    def feeds(self, topic: Topic) -> list[tuple[Product, ChannelKind]]:
        name, product = topic
        kinds: list[ChannelKind] = [c.kind for c in self.channels if c.name == name and c.name not in _BESIDE]
        return [(self.markets.of(product), kind) for kind in kinds]

    def topics_of(self, market: Product, kind: ChannelKind) -> list[Topic]:
        # A book that is not whole is asked for by its own rule; one that is costs a snapshot of some MB.
        if kind == "book" and (
            not market.stream.is_whole or self._now_ns - market.stream.feed.last_ns < SILENT_BOOK_NS
        ):
            return []
        return [(c.name, market.venue_symbol) for c in self.channels if c.kind == kind and c.name not in _BESIDE]

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        self._asked.clear()
        return super().connected(conn, now_ns)

    def holds(self, topics: Iterable[Topic], now_ns: int) -> list[Output]:
        """An acknowledgement: these are subscribed now."""
        self.count("acknowledgement")
        is_end = bool(self._asked) and self._asked.popleft() == "unsubscribe"
        out = self.subscriptions.confirmed(now_ns, verb="unsubscribe") if is_end else []
        products = {market.venue_symbol for market in self.markets}
        own = [topic for topic in topics if topic[1] in products or not topic[1]]
        return out + self.subscriptions.confirmed(now_ns, topics=own)

    def denied(self, reason: str, frame: bytes, now_ns: int) -> list[Output]:
        """An error: one bad product refuses a whole request."""
        if self._asked:
            self._asked.popleft()
        if _BUSY.search(reason):
            letter = refused(FrameError("venue_error", reason), EXCHANGE, frame, now_ns, self.conn)
            return [letter, Reconnect("venue_busy")]
        bad_products = {market.venue_symbol for market in self.markets}.intersection(_WORDS.split(reason))
        named = [(channel.name, product) for channel in self.channels for product in bad_products]
        out, asked, bad = self.subscriptions.refused(reason, now_ns, topics=named or None)
        if asked and not bad:
            return out + self.count("batch_refused")
        about = f"; asked for: {' '.join(map(':'.join, bad))}" if bad else ""
        return [*out, refused(FrameError("venue_error", reason + about), EXCHANGE, frame, now_ns, self.conn)]

    def lose(self, products: Iterable[Product], cause: str, missed: int | None, now_ns: int) -> list[Output]:
        """The books of these products are not proven any more."""
        whole = [product for product in products if product.stream.is_whole]
        out = [o for product in whole for o in product.stream.lose("gap", cause, now_ns, missed)]
        # What has sent something is held, whether its acknowledgement came or not.
        held = [(self.book_channel, product.venue_symbol) for product in whole]
        return out + (self.subscriptions.confirmed(now_ns, topics=held) if held else []) + self.renew(whole, now_ns)

    def renew(self, products: Iterable[Product], now_ns: int) -> list[Output]:
        """Subscribe again to the books that were lost: that brings a snapshot."""
        if self.book_channel not in (channel.name for channel in self.channels):
            return []
        lost = lost_books(products, now_ns)
        return self.subscriptions.renew([(self.book_channel, product.venue_symbol) for product in lost], now_ns)

    def left_out(self, levels: Sequence[object], frame: bytes, received_ns: int) -> list[Output]:
        """What follows where a message was taken without these levels."""
        if not levels:
            return []
        self.ignored["bad_level"] += len(levels)
        return [refused(nonsense(levels), EXCHANGE, frame, received_ns, self.conn)]

    def read_trades(self, market: Product, body: bytes, received_ns: int) -> list[Output]:
        def take(row: TradeRow) -> list[Output]:
            time_ns = venue_ns(row.time, 0)
            return market.matched(row.trade_id, row.price, row.size, row.side, time_ns, received_ns, "rest")

        rows = _read_rows(body)  # newest first
        return self.each(rows, take, body, received_ns, sorted(rows, key=lambda row: row.trade_id))

    def tick(self, now_ns: int) -> list[Output]:
        self._now_ns = now_ns
        return super().tick(now_ns) + self.renew(self.markets, now_ns)


class ExchangeSession(ProductSession):
    """One connection to the Exchange feed."""

    book_channel = LEVEL2.name

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        carrying = tuple(channel for channel in channels if channel.name not in _BESIDE)

        def product(instrument: Instrument) -> Product:
            made = Product(instrument, carrying, depth)
            made.fill_trades_by(partial(lost_trades, instrument))
            return made

        super().__init__(Markets(instruments, product), channels)
        terms = Terms(PRODUCTS_A_REQUEST * len(channels), PACE)
        self.subscriptions = Subscriptions(terms, self.request, self.feeds)
        self._stated: dict[str, int] = {}  # product -> last trade id that its last heartbeat stated

    def subscribe(self, now_ns: int) -> list[Output]:
        self._stated.clear()
        topics = [(c.name, product.venue_symbol) for product in self.markets.all() for c in self.channels]
        return self.subscriptions.connected(topics, now_ns)

    def written(self, verb: Verb, topics: Sequence[Topic]) -> bytes:
        channels: dict[str, list[str]] = {}
        for channel, product in topics:
            channels.setdefault(channel, []).append(product)
        products, *others = channels.values()
        if all(other == products for other in others):
            return msgspec.json.encode({"type": verb, "product_ids": products, "channels": [*channels]})
        rows = [{"name": name, "product_ids": names} for name, names in channels.items()]
        return msgspec.json.encode({"type": verb, "channels": rows})

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        return super().refuse(error, frame, received_ns) + self._suspect(error, frame, received_ns)

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        message = read_message(frame)
        match message:
            case L2Update():
                return self._on_update(message, frame, received_ns)
            case Match() | LastMatch():
                return self._on_match(message, received_ns)
            case Heartbeat():
                return self._on_heartbeat(message, received_ns)
            case Snapshot():
                return self._on_snapshot(message, frame, received_ns)
            case Listing() | Error():
                return self._replied(message, frame, received_ns)
        return self.count(message.type)

    def _on_update(self, message: L2Update, frame: bytes, received_ns: int) -> list[Output]:
        bids = [(price, size) for side, price, size in message.changes if side == "buy"]
        asks = [(price, size) for side, price, size in message.changes if side == "sell"]
        product, time_ns = self.markets.of(message.product_id), venue_ns(message.time, received_ns)
        if not product.stream.is_whole:
            self.count("update_without_book")
        try:
            out = product.update(bids, asks, time_ns, received_ns)
        except FrameError as error:
            out, odd = product.without_nonsense(error, bids, asks, time_ns, received_ns, is_whole=False)
            out += self.left_out(odd, frame, received_ns)
        return out if product.stream.is_whole else out + self.renew([product], received_ns)

    def _on_snapshot(self, message: Snapshot, frame: bytes, received_ns: int) -> list[Output]:
        product, time_ns = self.markets.of(message.product_id), venue_ns(message.time, received_ns)
        bids, asks, odd = message.bids, message.asks, list[object](message.odd)
        try:
            out = product.snapshot(bids, asks, time_ns, received_ns)
        except FrameError as error:
            out, bad = product.without_nonsense(error, bids, asks, time_ns, received_ns, is_whole=True)
            odd += bad
        return out + self.left_out(odd, frame, received_ns)

    def _on_match(self, match: Match | LastMatch, received_ns: int) -> list[Output]:
        product, time_ns = self.markets.of(match.product_id), venue_ns(match.time, 0)
        out = product.matched(match.trade_id, match.price, match.size, match.side, time_ns, received_ns)
        return out or self.count("duplicate_trade")

    def _on_heartbeat(self, heartbeat: Heartbeat, received_ns: int) -> list[Output]:
        product = self.markets.of(heartbeat.product_id)
        product.alive(heartbeat.last_trade_id, received_ns)
        out = self.count("heartbeat")
        # A match may be on its way behind the heartbeat that counts it: the one before is what must be here by now.
        stated = self._stated.get(product.venue_symbol)
        self._stated[product.venue_symbol] = heartbeat.last_trade_id
        # One that is lower than before shows that the numbers begin again: what was stated before is of the old ones.
        return (
            out if stated is None or heartbeat.last_trade_id < stated else [*out, *product.reached(stated, received_ns)]
        )

    def _suspect(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        """A refused frame may have been a book update, and no number would ever show it missing.

        So the book of the product that it names is not proven any more, or every book if it names none.
        """
        if isinstance(error, UnknownInstrument) or _NO_BOOK.search(frame):
            return []
        match = _PRODUCT.search(frame)
        name = match[1].decode(errors="replace") if match else None
        products = [p for p in self.markets if p.venue_symbol == name] or list(self.markets)
        return self.lose(products, "refused_frame", None, received_ns)

    def _replied(self, message: Listing | Error, frame: bytes, now_ns: int) -> list[Output]:
        """A list of all that is subscribed now, or an error. What was asked for is in flight by itself."""
        if isinstance(message, Error):
            return self.denied(": ".join(filter(None, (message.message, message.reason))), frame, now_ns)
        held = [(_asked_as(channel.name), product) for channel in message.channels for product in channel.product_ids]
        return self.holds(held, now_ns)


def _asked_as(name: str) -> str:
    """The name by which a channel is asked for: an acknowledgement has the server's own."""
    return LEVEL2.name if name.startswith("level2") else name


def lost_trades(instrument: Instrument, missing: Missing | None) -> Request:
    """``after`` lists what comes before an id."""
    query = f"limit={TRADES_A_REQUEST}"
    if missing is not None:
        query = f"after={min(missing.last + 1, missing.first + TRADES_A_REQUEST)}&{query}"
    return Request(f"/products/{instrument.venue_symbol}/trades?{query}", 1, instrument.symbol, "trades")


_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class L2Update(msgspec.Struct, tag_field="type", tag="l2update", gc=False):
    product_id: str
    changes: list[tuple[Literal["buy", "sell"], str, str]]
    time: str | None = None


class Snapshot(msgspec.Struct, tag_field="type", tag="snapshot", gc=False):
    product_id: str
    bids: Levels
    asks: Levels
    time: str | None = None
    odd: list[msgspec.Raw] = []  # ours: levels that are no pair of texts


class AnySnapshot(msgspec.Struct):
    """A snapshot whatever its levels are."""

    product_id: str
    bids: list[msgspec.Raw]
    asks: list[msgspec.Raw]
    time: str | None = None


class Match(msgspec.Struct, tag_field="type", tag="match", gc=False):
    product_id: str
    trade_id: _Id
    price: str
    size: str
    side: MakerSide
    time: str | None = None


class TradeRow(msgspec.Struct, gc=False):
    """One of the trades listed by REST."""

    trade_id: _Id
    price: str
    size: str
    side: MakerSide
    time: str


class LastMatch(Match, tag_field="type", tag="last_match", gc=False):
    """The latest trade before the subscription."""


class Heartbeat(msgspec.Struct, tag_field="type", tag="heartbeat", gc=False):
    product_id: str
    last_trade_id: _Id


class Listed(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class Listing(msgspec.Struct, tag_field="type", tag="subscriptions"):
    """What an acknowledgement says: all that is subscribed."""

    channels: list[Listed]


class Error(msgspec.Struct, tag_field="type", tag="error"):
    message: str
    reason: str | None = None


class Unused(msgspec.Struct):
    """Any message, by its type only."""

    type: str


# Documented messages of channels that are not used; a recording may hold them.
_UNUSED = frozenset(("ticker", "status", "received", "open", "done", "change", "activate", "auction", "rfq_match"))
_read_typed = msgspec.json.Decoder(L2Update | Match | LastMatch | Heartbeat | Snapshot | Listing | Error).decode
_read_rows = RowDecoder(list[TradeRow], TradeRow).decode
_read_type = msgspec.json.Decoder(Unused).decode
_read_any_snapshot = msgspec.json.Decoder(AnySnapshot).decode
_level = msgspec.json.Decoder(tuple[str, str])
Message = L2Update | Match | LastMatch | Heartbeat | Snapshot | Listing | Error | Unused


def read_message(frame: bytes) -> Message:
    """Raises one of ``REFUSALS``."""
    try:
        typed: Message = _read_typed(frame)
        return typed
    except msgspec.ValidationError:
        other = _read_type(frame)
        if other.type == "snapshot":
            return _snapshot(_read_any_snapshot(frame))
        if other.type in _UNUSED:
            return other
        if other.type not in _TYPES:
            raise FrameError("unknown_message", f"no message of the type {other.type[:40]!r} is documented") from None
        raise


def _snapshot(message: AnySnapshot) -> Snapshot:
    """A snapshot in which some levels are no levels."""
    (bids, odd_bids), (asks, odd_asks) = (readable(rows, _level) for rows in (message.bids, message.asks))
    return Snapshot(message.product_id, bids, asks, message.time, odd_bids + odd_asks)


_TYPES = frozenset(("l2update", "match", "last_match", "heartbeat", "snapshot", "subscriptions", "error"))
