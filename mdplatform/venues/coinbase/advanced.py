"""The Advanced Trade feed: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels

Every message of a connection carries its ``sequence_num``, one more than the one before, whatever its channel.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.clock import SECOND
from mdplatform.decimals import Levels
from mdplatform.errors import FrameError, UnknownInstrument
from mdplatform.market import Markets
from mdplatform.session import REFUSALS, Channel, Output, Send, refused
from mdplatform.socketsession import SocketSession
from mdplatform.symbols import Instruments
from mdplatform.venuekit.rows import RowDecoder, joined
from mdplatform.venues.coinbase.market import EXCHANGE, MakerSide, Product, nonsense, readable, venue_ns

LEVEL2 = Channel("l2_data", "book", "whole from its snapshot on: sequence_num counts the connection's messages", 5.0)
TRADES = Channel("market_trades", "trades", "whole: trade ids count up by one a product, and by sequence_num")
HEARTBEATS = Channel("heartbeats", "trades", "one a second keeps quiet channels open and their sequence_num proven")
CHANNELS = (LEVEL2, TRADES, HEARTBEATS)

SILENCE_NS = 20 * SECOND
_SUBSCRIBE_NAMES = {LEVEL2.name: "level2"}  # what is subscribed as level2 arrives as l2_data
_UNUSED = frozenset(("ticker", "ticker_batch", "candles", "status", "user", "futures_balance_summary"))

_NO_BOOK = _UNUSED | {TRADES.name, HEARTBEATS.name, "subscriptions"}


class AdvancedSession(SocketSession[Product]):
    """One connection to the Advanced Trade feed."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        carrying = tuple(channel for channel in channels if channel.kind != "bbo" and channel is not HEARTBEATS)
        markets = Markets(instruments, lambda instrument: Product(instrument, carrying, depth))
        super().__init__(EXCHANGE, markets, SILENCE_NS)
        self._channels = channels
        self._last: int | None = None  # sequence_num of the last message
        self._last_frame = b""

    def subscribe(self, now_ns: int) -> list[Output]:
        self._last = None
        products, out = self.markets.all(), list[Output]()
        # Heartbeats first: without them quiet channels are closed.
        for channel in sorted(self._channels, key=lambda c: c is not HEARTBEATS):
            out.append(self._ask("subscribe", [] if channel is HEARTBEATS else products, channel, now_ns))
        return out

    def _ask(self, verb: str, products: list[Product], channel: Channel, now_ns: int) -> Send:
        name = _SUBSCRIBE_NAMES.get(channel.name, channel.name)
        if verb == "subscribe":
            self.live.awaits(name, now_ns)
        request: dict[str, object] = {"type": verb, "channel": name}
        if products:
            request["product_ids"] = [product.venue_symbol for product in products]
        return Send(msgspec.json.encode(request))

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        envelope = _read_envelope(frame)
        if envelope.type == "error":
            raise FrameError("venue_error", envelope.message or "without a message")
        if envelope.channel is None or envelope.sequence_num is None:
            raise FrameError("unknown_message", "neither a channel's message nor an error")
        repeated, out = self._follow(envelope.sequence_num, frame, received_ns)
        if repeated:
            return self.count("repeated_frame")
        try:
            return out + self._read(envelope.channel, frame, received_ns)
        except REFUSALS as error:
            # The number was counted: what the frame said is lost all the same.
            out += self.refuse(error, frame, received_ns)
            if envelope.channel in _NO_BOOK:
                return out
            if isinstance(error, UnknownInstrument) and frame.count(b'"product_id"') == 1:
                return out
            return out + self._lose("refused_frame", None, received_ns)

    def _follow(self, number: int, frame: bytes, received_ns: int) -> tuple[bool, list[Output]]:
        """(whether the message is the last one again, what follows from a number that does not follow)."""
        last, last_frame = self._last, self._last_frame
        self._last, self._last_frame = number, frame
        if last is None or number == last + 1:
            return False, []
        if number > last:
            return False, self._lose("sequence_gap", number - last - 1, received_ns)
        if number == last and frame == last_frame:
            return True, []
        # Out of order, or in a recording the next connection: either way something is not known.
        return False, self._lose("sequence_back", None, received_ns)

    def _lose(self, cause: str, missed: int | None, now_ns: int) -> list[Output]:
        """Messages of this connection are missing, of any product: no book of it is proven any more."""
        products = [product for product in self.markets if product.stream.is_whole]
        out = [o for product in products for o in product.stream.lose("gap", cause, now_ns, missed)]
        return out + self._renew(now_ns, products)

    def _renew(self, now_ns: int, products: list[Product]) -> list[Output]:
        """Subscribe anew to the books that were lost: that brings a snapshot."""
        lost = [product for product in products if product.stream.wants_snapshot(now_ns)]
        if not lost or LEVEL2 not in self._channels:
            return []
        for product in lost:
            product.stream.awaits(now_ns)
        return [self._ask(verb, lost, LEVEL2, now_ns) for verb in ("unsubscribe", "subscribe")]

    def _read(self, channel: str, frame: bytes, received_ns: int) -> list[Output]:
        if channel == LEVEL2.name:
            return self._on_books(read_books(frame), frame, received_ns)
        if channel == TRADES.name:
            return self._on_trades(_read_trades(frame), frame, received_ns)
        if channel == HEARTBEATS.name:
            alive = [event for product in self.markets for event in product.alive(received_ns)]
            return [*self.count(channel), *alive]
        if channel == "subscriptions":
            return self._on_subscriptions(_read_subscriptions(frame), received_ns)
        if channel not in _UNUSED:
            raise FrameError("unknown_message", f"no channel {channel[:40]!r} is documented")
        return self.count(channel)

    def _on_books(self, message: Books, frame: bytes, received_ns: int) -> list[Output]:
        sent_ns = venue_ns(message.timestamp, received_ns)
        events = [(self.markets.of(event.product_id), event) for event in message.events]
        out: list[Output] = []
        left_out: list[object] = []
        for product, event in events:
            bids: Levels = [(u.price_level, u.new_quantity) for u in event.updates if u.side == "bid"]
            asks: Levels = [(u.price_level, u.new_quantity) for u in event.updates if u.side == "offer"]
            said, odd = product.levels(bids, asks, sent_ns, received_ns, is_whole=event.type == "snapshot")
            out += said
            left_out += [*odd, *event.odd]
        if left_out:
            self.ignored["bad_level"] += len(left_out)
            out.append(refused(nonsense(left_out), EXCHANGE, frame, received_ns, self.conn))
        return out + self._renew(received_ns, [product for product, _ in events])

    def _on_trades(self, message: Prints, frame: bytes, received_ns: int) -> list[Output]:
        def take(trade: Print) -> list[Output]:
            product, time_ns = self.markets.of(trade.product_id), venue_ns(trade.time, received_ns)
            sent = product.matched(_trade_id(trade), trade.price, trade.size, trade.side, time_ns, received_ns)
            return sent or self.count("duplicate_trade")

        # Newest first inside a batch, and a snapshot repeats what was sent before: by id it is all in order.
        trades = joined([event.trades for event in message.events])
        return self.each(trades, take, frame, received_ns, sorted(trades, key=_trade_id))

    def _on_subscriptions(self, message: Subscribed, received_ns: int) -> list[Output]:
        names = {name for event in message.events for name in event.subscriptions}
        for name in names:
            self.live.acknowledged(name)
        self.count("acknowledgement")
        if TRADES.name not in names:
            return []
        return [event for product in self.markets for event in product.acknowledged("trades", received_ns)]

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + self._renew(now_ns, list(self.markets))


class Envelope(msgspec.Struct):
    channel: str | None = None
    sequence_num: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    type: str | None = None
    message: str | None = None


class LevelUpdate(msgspec.Struct, gc=False):
    side: Literal["bid", "offer"]
    price_level: str
    new_quantity: str


class BookEvent(msgspec.Struct):
    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[LevelUpdate]

    odd: list[msgspec.Raw] = []  # ours: levels that are none


class Books(msgspec.Struct):
    timestamp: str
    events: list[BookEvent]


class AnyBookEvent(msgspec.Struct):
    """A snapshot whatever its levels are."""

    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[msgspec.Raw]


class AnyBooks(msgspec.Struct):
    timestamp: str
    events: list[AnyBookEvent]


class Print(msgspec.Struct, gc=False):
    trade_id: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$")]
    product_id: str
    price: str
    size: str
    side: MakerSide
    time: str


class PrintEvent(msgspec.Struct):
    type: Literal["snapshot", "update"]
    trades: list[Print]


class Prints(msgspec.Struct):
    events: list[PrintEvent]


class SubscribedEvent(msgspec.Struct):
    subscriptions: dict[str, msgspec.Raw]


class Subscribed(msgspec.Struct):
    events: list[SubscribedEvent]


def _trade_id(trade: Print) -> int:
    return int(trade.trade_id)


def read_books(frame: bytes) -> Books:
    """Raises one of ``REFUSALS``; a level of a snapshot that is none costs that level only."""
    try:
        message: Books = _read_books(frame)
    except msgspec.ValidationError:
        loose = _read_any_books(frame)
        if any(event.type == "update" for event in loose.events):
            raise
        events = [(event, *readable(event.updates, _level)) for event in loose.events]
        message = Books(loose.timestamp, [BookEvent("snapshot", e.product_id, rows, odd) for e, rows, odd in events])
    return message


_read_envelope = msgspec.json.Decoder(Envelope).decode
_read_books = msgspec.json.Decoder(Books).decode
_read_any_books = msgspec.json.Decoder(AnyBooks).decode
_level = msgspec.json.Decoder(LevelUpdate)
_read_trades = RowDecoder(Prints, Print, "events", "trades").decode
_read_subscriptions = msgspec.json.Decoder(Subscribed).decode
