"""The Exchange feed: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels"""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Literal

import msgspec

from mdplatform.clock import SECOND
from mdplatform.decimals import Levels
from mdplatform.errors import FrameError, UnknownInstrument
from mdplatform.liveness import Liveness
from mdplatform.session import REFUSALS, Channel, Output, Request, Send, refused
from mdplatform.symbols import Instruments
from mdplatform.venues.coinbase.market import EXCHANGE, MakerSide, Product, venue_ns

LEVEL2 = Channel(
    "level2_batch",
    "book",
    "none of its own: updates carry no number; whole as far as the socket, the heartbeat and an uncrossed book tell",
    5.0,
)
MATCHES = Channel("matches", "trades", "whole: trade ids count up by one a product, also against the heartbeat")
HEARTBEAT = Channel("heartbeat", "trades", "states the last trade id of a product once a second")
TICKER = Channel("ticker", "bbo", "none: sent on trades only; accepted, not used")
CHANNELS = (LEVEL2, MATCHES, HEARTBEAT, TICKER)

SILENCE_NS = 20 * SECOND  # with heartbeats a product is heard every second
_NO_BOOK = re.compile(rb'"type"\s*:\s*"(match|last_match|heartbeat|ticker|subscriptions|error)"')
_PRODUCT = re.compile(rb'"product_id"\s*:\s*"([^"\\]{1,64})"')


class ExchangeSession:
    """One connection to the Exchange feed."""

    exchange = EXCHANGE

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self.ignored: Counter[str] = Counter()
        self._instruments = instruments
        self._channels = channels
        self._depth = depth
        self._conn = ""
        self._live = Liveness(SILENCE_NS)
        self._products: dict[str, Product] = {}
        self._stated: dict[str, int] = {}  # product -> last trade id that its last heartbeat stated

    def connected(self, conn: str, now_ns: int) -> list[Output]:
        self._conn = conn
        self._live.connected(now_ns)
        self._live.awaits("subscribe", now_ns)
        self._stated.clear()
        products = [self._product(i.venue_symbol) for i in self._instruments]
        out: list[Output] = [event for product in products for event in product.connected(now_ns)]
        return [*out, self._ask("subscribe", products, [c.name for c in self._channels])]

    def _ask(self, verb: str, products: list[Product], channels: list[str]) -> Send:
        ids = [product.venue_symbol for product in products]
        return Send(msgspec.json.encode({"type": verb, "product_ids": ids, "channels": channels}))

    def receive(self, frame: bytes, received_ns: int) -> list[Output]:
        self._live.heard(received_ns)
        try:
            return self._read(frame, received_ns)
        except REFUSALS as error:
            letter = refused(error, self.exchange, frame, received_ns, self._conn)
            return [letter, *self._suspect(error, frame, received_ns)]

    def _read(self, frame: bytes, received_ns: int) -> list[Output]:
        message = read_message(frame)
        match message:
            case L2Update():
                bids = [(price, size) for side, price, size in message.changes if side == "buy"]
                asks = [(price, size) for side, price, size in message.changes if side == "sell"]
                product, time_ns = self._product(message.product_id), venue_ns(message.time, received_ns)
                return product.update(bids, asks, time_ns, received_ns) + self._renew(received_ns, [product])
            case Match() | LastMatch():
                return self._on_match(message, received_ns)
            case Heartbeat():
                return self._on_heartbeat(message, received_ns)
            case Snapshot():
                product, time_ns = self._product(message.product_id), venue_ns(message.time, received_ns)
                return product.snapshot(message.bids, message.asks, time_ns, received_ns)
            case Subscriptions():
                self._live.acknowledged("subscribe")
                self.ignored["acknowledgement"] += 1
                return [event for product in self._products.values() for event in product.subscribed(received_ns)]
            case Error():
                raise FrameError("venue_error", ": ".join(filter(None, (message.message, message.reason))))
        self.ignored[message.type] += 1
        return []

    def _on_match(self, match: Match | LastMatch, received_ns: int) -> list[Output]:
        product, time_ns = self._product(match.product_id), venue_ns(match.time, received_ns)
        out = product.trade(match.trade_id, match.price, match.size, match.side, time_ns, received_ns)
        if not out:
            self.ignored["duplicate_trade"] += 1
        return out

    def _on_heartbeat(self, heartbeat: Heartbeat, received_ns: int) -> list[Output]:
        product = self._product(heartbeat.product_id)
        self.ignored["heartbeat"] += 1
        out: list[Output] = [*product.alive(received_ns, heartbeat.last_trade_id)]
        # A match may be on its way behind the heartbeat that counts it: the one before is what must be here by now.
        stated = self._stated.get(product.venue_symbol)
        self._stated[product.venue_symbol] = heartbeat.last_trade_id
        return out if stated is None else [*out, *product.trades.reached(stated, received_ns)]

    def _suspect(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        """A refused frame may have been a book update, and no number would ever show it missing.

        So the book of the product that it names is not proven any more, or every book if it names none.
        """
        if isinstance(error, UnknownInstrument) or _NO_BOOK.search(frame):
            return []
        match = _PRODUCT.search(frame)
        named = self._products.get(match[1].decode(errors="replace")) if match else None
        products = [named] if named else list(self._products.values())
        out: list[Output] = []
        for product in products:
            if product.book.is_whole:
                out += product.book.lose("gap", "refused_frame", received_ns)
        return out + self._renew(received_ns, products)

    def _renew(self, now_ns: int, products: list[Product]) -> list[Output]:
        """Subscribe anew to the books that were lost: that brings a snapshot."""
        lost = [product for product in products if product.book.wants_snapshot(now_ns)]
        if not lost or LEVEL2 not in self._channels:
            return []
        for product in lost:
            product.book.awaits(now_ns)
        return [self._ask(verb, lost, [LEVEL2.name]) for verb in ("unsubscribe", "subscribe")]

    def _product(self, product_id: str) -> Product:
        product = self._products.get(product_id)
        if product is None:
            instrument = self._instruments.named(product_id)
            carrying = tuple(channel for channel in self._channels if channel is not HEARTBEAT)
            product = self._products[product_id] = Product(instrument, carrying, self._depth)
        return product

    def answer(self, request: Request, status: int, body: bytes, received_ns: int) -> list[Output]:
        return []  # nothing is ever asked for by REST

    def tick(self, now_ns: int) -> list[Output]:
        products = list(self._products.values())
        out = [event for product in products for event in product.tick(now_ns)]
        return [*out, *self._renew(now_ns, products), *self._live.tick(now_ns)]

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        self._live.closed()
        return [event for product in self._products.values() for event in product.closed(cause, now_ns)]


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


class Match(msgspec.Struct, tag_field="type", tag="match", gc=False):
    product_id: str
    trade_id: _Id
    price: str
    size: str
    side: MakerSide
    time: str | None = None


class LastMatch(Match, tag_field="type", tag="last_match", gc=False):
    """The latest trade before the subscription."""


class Heartbeat(msgspec.Struct, tag_field="type", tag="heartbeat", gc=False):
    product_id: str
    last_trade_id: _Id


class Subscriptions(msgspec.Struct, tag_field="type", tag="subscriptions"):
    channels: list[msgspec.Raw]


class Error(msgspec.Struct, tag_field="type", tag="error"):
    message: str
    reason: str | None = None


class Unused(msgspec.Struct):
    """Any message, by its type only."""

    type: str


# Documented messages of channels that are not used; a recording may hold them.
_UNUSED = frozenset(("ticker", "status", "received", "open", "done", "change", "activate", "auction", "rfq_match"))
_read_typed = msgspec.json.Decoder(L2Update | Match | LastMatch | Heartbeat | Snapshot | Subscriptions | Error).decode
_read_type = msgspec.json.Decoder(Unused).decode
Message = L2Update | Match | LastMatch | Heartbeat | Snapshot | Subscriptions | Error | Unused


def read_message(frame: bytes) -> Message:
    """Raises one of ``REFUSALS``."""
    try:
        typed: Message = _read_typed(frame)
        return typed
    except msgspec.ValidationError:
        other = _read_type(frame)
        if other.type in _UNUSED:
            return other
        if other.type not in _TYPES:
            raise FrameError("unknown_message", f"no message of the type {other.type[:40]!r} is documented") from None
        raise


_TYPES = frozenset(("l2update", "match", "last_match", "heartbeat", "snapshot", "subscriptions", "error"))
