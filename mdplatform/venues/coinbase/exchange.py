"""The Exchange feed: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Literal

import msgspec

from mdplatform.clock import SECOND
from mdplatform.decimals import Levels
from mdplatform.errors import FrameError, UnknownInstrument
from mdplatform.market import Markets
from mdplatform.session import Channel, Output, Request, Send, refused
from mdplatform.socketsession import SocketSession
from mdplatform.symbols import Instrument, Instruments
from mdplatform.tradeids import Missing
from mdplatform.venuekit.rows import RowDecoder
from mdplatform.venues.coinbase.market import EXCHANGE, MakerSide, Product, nonsense, readable, venue_ns

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

TRADES_A_REQUEST = 1000
SILENCE_NS = 20 * SECOND  # with heartbeats a product is heard every second
_NO_BOOK = re.compile(rb'"type"\s*:\s*"(match|last_match|heartbeat|ticker|subscriptions|error)"')
_PRODUCT = re.compile(rb'"product_id"\s*:\s*"([^"\\]{1,64})"')


class ExchangeSession(SocketSession[Product]):
    """One connection to the Exchange feed."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        carrying = tuple(channel for channel in channels if channel not in (HEARTBEAT, TICKER))

        def product(instrument: Instrument) -> Product:
            made = Product(instrument, carrying, depth)
            made.fill_trades_by(partial(_lost_trades, instrument))
            return made

        super().__init__(EXCHANGE, Markets(instruments, product), SILENCE_NS)
        self._channels = channels
        self._stated: dict[str, int] = {}  # product -> last trade id that its last heartbeat stated

    def subscribe(self, now_ns: int) -> list[Output]:
        self._stated.clear()
        self.live.awaits("subscribe", now_ns)
        return [self._ask("subscribe", self.markets.all(), [c.name for c in self._channels])]

    def _ask(self, verb: str, products: list[Product], channels: list[str]) -> Send:
        ids = [product.venue_symbol for product in products]
        return Send(msgspec.json.encode({"type": verb, "product_ids": ids, "channels": channels}))

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        return super().refuse(error, frame, received_ns) + self._suspect(error, frame, received_ns)

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        message = read_message(frame)
        match message:
            case L2Update():
                bids = [(price, size) for side, price, size in message.changes if side == "buy"]
                asks = [(price, size) for side, price, size in message.changes if side == "sell"]
                product = self.markets.of(message.product_id)
                out = self._on_levels(product, bids, asks, message, frame, received_ns)
                return out + self._renew(received_ns, [product])
            case Match() | LastMatch():
                return self._on_match(message, received_ns)
            case Heartbeat():
                return self._on_heartbeat(message, received_ns)
            case Snapshot():
                product = self.markets.of(message.product_id)
                return self._on_levels(product, message.bids, message.asks, message, frame, received_ns)
            case Subscriptions():
                self.live.acknowledged("subscribe")
                self.count("acknowledgement")
                return [event for product in self.markets for event in product.acknowledged("trades", received_ns)]
            case Error():
                raise FrameError("venue_error", ": ".join(filter(None, (message.message, message.reason))))
        return self.count(message.type)

    def _on_levels(
        self,
        product: Product,
        bids: Levels,
        asks: Levels,
        message: L2Update | Snapshot,
        frame: bytes,
        received_ns: int,
    ) -> list[Output]:
        is_whole, time_ns = isinstance(message, Snapshot), venue_ns(message.time, received_ns)
        out, odd = product.levels(bids, asks, time_ns, received_ns, is_whole=is_whole)
        left_out = [*odd, *message.odd] if isinstance(message, Snapshot) else odd
        if left_out:
            self.ignored["bad_level"] += len(left_out)
            out.append(refused(nonsense(left_out), EXCHANGE, frame, received_ns, self.conn))
        return out

    def _on_match(self, match: Match | LastMatch, received_ns: int) -> list[Output]:
        product, time_ns = self.markets.of(match.product_id), venue_ns(match.time, received_ns)
        out = product.matched(match.trade_id, match.price, match.size, match.side, time_ns, received_ns)
        return out or self.count("duplicate_trade")

    def _on_heartbeat(self, heartbeat: Heartbeat, received_ns: int) -> list[Output]:
        product = self.markets.of(heartbeat.product_id)
        out = [*self.count("heartbeat"), *product.alive(received_ns, heartbeat.last_trade_id)]
        # A match may be on its way behind the heartbeat that counts it: the one before is what must be here by now.
        stated = self._stated.get(product.venue_symbol)
        self._stated[product.venue_symbol] = heartbeat.last_trade_id
        return out if stated is None else [*out, *product.reached(stated, received_ns)]

    def _suspect(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        """A refused frame may have been a book update, and no number would ever show it missing.

        So the book of the product that it names is not proven any more, or every book if it names none.
        """
        if isinstance(error, UnknownInstrument) or _NO_BOOK.search(frame):
            return []
        match = _PRODUCT.search(frame)
        name = match[1].decode(errors="replace") if match else None
        products = [p for p in self.markets if p.venue_symbol == name] or list(self.markets)
        out: list[Output] = []
        for product in products:
            if product.stream.is_whole:
                out += product.stream.lose("gap", "refused_frame", received_ns)
        return out + self._renew(received_ns, products)

    def _renew(self, now_ns: int, products: list[Product]) -> list[Output]:
        """Subscribe anew to the books that were lost: that brings a snapshot."""
        lost = [product for product in products if product.stream.wants_snapshot(now_ns)]
        if not lost or LEVEL2 not in self._channels:
            return []
        for product in lost:
            product.stream.awaits(now_ns)
        return [self._ask(verb, lost, [LEVEL2.name]) for verb in ("unsubscribe", "subscribe")]

    def read_trades(self, market: Product, body: bytes, received_ns: int) -> list[Output]:
        def take(row: TradeRow) -> list[Output]:
            time_ns = venue_ns(row.time, received_ns)
            return market.matched(row.trade_id, row.price, row.size, row.side, time_ns, received_ns, "rest")

        rows = _read_rows(body)  # newest first
        return self.each(rows, take, body, received_ns, sorted(rows, key=lambda row: row.trade_id))

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + self._renew(now_ns, list(self.markets))


def _lost_trades(instrument: Instrument, missing: Missing | None) -> Request:
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
_read_rows = RowDecoder(list[TradeRow], TradeRow).decode
_read_type = msgspec.json.Decoder(Unused).decode
_read_any_snapshot = msgspec.json.Decoder(AnySnapshot).decode
_level = msgspec.json.Decoder(tuple[str, str])
Message = L2Update | Match | LastMatch | Heartbeat | Snapshot | Subscriptions | Error | Unused


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
