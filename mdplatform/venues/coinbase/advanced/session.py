"""The Advanced Trade feed: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels

Every message of a connection carries its ``sequence_num``, one more than the one before, whatever its channel and
acknowledgements included (documented as counting a connection in one place and a product in another; probed in autumn
2026: 430,804 messages in a row count the connection). So a lost message shows, and no other rule of this venue does
as much for a book. One channel a subscription; 8 messages a second from an address that does not log in; channels
without updates are closed after 60 to 90 s unless heartbeats are taken (all documented, June 2026).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import msgspec

from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.session import REFUSALS, Channel, Output, Progress
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.rows import joined
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb
from mdplatform.venues.coinbase.advanced.channels import HEARTBEATS, LEVEL2, TRADES
from mdplatform.venues.coinbase.advanced.wire import (
    Books,
    Subscribed,
    TradeRow,
    Trades,
    _read_envelope,
    _read_subscriptions,
    _read_trades,
    _trade_id,
    read_books,
)
from mdplatform.venues.coinbase.market import Product
from mdplatform.venues.coinbase.session import ProductSession, Topic, lost_trades
from mdplatform.venues.coinbase.wire import venue_ns

PATH = "/advanced/"  # begins what a tape calls these connections
# 8 messages a second are allowed an address, which may have several connections.
TERMS = Terms(topics_a_request=100, pace=(2, 1.0))
_SUBSCRIBE_NAMES = {LEVEL2.name: "level2"}  # what is subscribed as level2 arrives as l2_data
_CHANNEL_NAMES = {wire: name for name, wire in _SUBSCRIBE_NAMES.items()}
_UNUSED = frozenset(("ticker", "ticker_batch", "candles", "status", "user", "futures_balance_summary"))

_SENT_AT = re.compile(rb'"timestamp"\s*:\s*"([^"\\]{1,40})"')
_NO_BOOK = _UNUSED | {TRADES.name, HEARTBEATS.name, "subscriptions"}


class AdvancedSession(ProductSession):
    """One connection to the Advanced Trade feed, the ``number``th of a collector's.

    Numbers count a connection: a tape says which one a frame came by, as if each had a path of its own.
    """

    book_channel = LEVEL2.name

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int, number: int = 0) -> None:
        self.path = f"{PATH}{number}"
        carrying = tuple(channel for channel in channels if channel.kind != "bbo" and channel is not HEARTBEATS)

        def product(instrument: Instrument) -> Product:
            made = Product(instrument, carrying, depth)
            if TRADES in channels:
                made.backfill_trades_by(partial(lost_trades, instrument))
            return made

        super().__init__(Markets(instruments, product), channels)
        own = {row.venue_symbol for row in instruments}
        # What is listed as an alias is sent by the name of what it stands for, and once only.
        self._copies = {row.venue_symbol: row.alias_of for row in instruments if row.alias_of in own}
        self.subscriptions = Subscriptions(TERMS, self.request, self.feeds, lambda topic: topic[0])
        self._sent_as: dict[str, Product] = {}  # aliases that were found, by the name under which they are sent
        self._last: int | None = None  # sequence_num of the last message
        self._last_frame = b""

    def subscribe(self, now_ns: int) -> list[Output]:
        self._last = None
        products = self.markets.all()
        # Heartbeats first: without them quiet channels are closed.
        topics = [(HEARTBEATS.name, "")] if HEARTBEATS in self.channels else []
        single = [product for product in products if product.venue_symbol not in self._copies]
        topics += [(c.name, p.venue_symbol) for c in self.channels if c is not HEARTBEATS for p in single]
        copies = [p.feed(kind) for p in products if p.venue_symbol in self._copies for kind in p.feeds]
        out = [status for feed in copies for status in feed.invalid("down", "refused", now_ns)]
        return out + self.subscriptions.connected(topics, now_ns)

    def progress(self) -> Progress:
        asked = self.subscriptions.progress()
        copies = {name: f"the venue sends it as {other}" for name, other in self._copies.items()}
        return Progress(asked.wanted + len(copies), asked.held, {**asked.refused, **copies})

    def _of(self, product_id: str) -> Product:
        """The product of a message. An alias is subscribed by its name and sent by the other's; lists may not say so.

        Raises UnknownInstrument.
        """
        try:
            return self.markets.of(product_id)
        except UnknownInstrument:
            if (alias := self._sent_as.get(product_id) or self._alias(product_id)) is None:
                raise
            self._sent_as[product_id] = alias
            return alias

    def _alias(self, product_id: str) -> Product | None:
        """The product that is sent by this other one's name."""
        usdc = f"{product_id}C" if product_id.endswith("-USD") else None
        single = (market for market in self.markets if market.venue_symbol not in self._copies)
        return next((m for m in single if m.instrument.alias_of == product_id or m.venue_symbol == usdc), None)

    def written(self, verb: Verb, topics: Sequence[Topic]) -> bytes:
        channel = topics[0][0]
        request: dict[str, object] = {"type": verb, "channel": _SUBSCRIBE_NAMES.get(channel, channel)}
        products = [product for _, product in topics if product]
        return msgspec.json.encode(request | ({"product_ids": products} if products else {}))

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        envelope = _read_envelope(frame)
        if envelope.type == "error":
            return self.denied(envelope.message or "without a message", frame, received_ns)
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
            return out + self.lose(self.markets, "refused_frame", None, received_ns)

    def _follow(self, number: int, frame: bytes, received_ns: int) -> tuple[bool, list[Output]]:
        """(whether the message is the last one again, what follows from a number that does not follow)."""
        last, last_frame = self._last, self._last_frame
        self._last, self._last_frame = number, frame
        if last is None or number == last + 1:
            return False, []
        if number > last:
            return False, self.lose(self.markets, "sequence_gap", number - last - 1, received_ns)
        if number == last and frame == last_frame:
            return True, []
        # Out of order, or (in a recording: on the next connection) the count begins again: something is not known.
        is_reset = number < last and _sent_at(frame) > _sent_at(last_frame)
        return False, self.lose(self.markets, "sequence_reset" if is_reset else "sequence_back", None, received_ns)

    def _read(self, channel: str, frame: bytes, received_ns: int) -> list[Output]:
        if channel == LEVEL2.name:
            return self._on_books(read_books(frame), frame, received_ns)
        if channel == TRADES.name:
            return self._on_trades(_read_trades(frame), frame, received_ns)
        if channel == HEARTBEATS.name:
            return self.count(channel)
        if channel == "subscriptions":
            return self._on_subscriptions(_read_subscriptions(frame), received_ns)
        if channel not in _UNUSED:
            raise FrameError("unknown_message", f"no channel {channel[:40]!r} is documented")
        return self.count(channel)

    def _on_books(self, message: Books, frame: bytes, received_ns: int) -> list[Output]:
        sent_ns = venue_ns(message.timestamp, received_ns)
        events = [(self._of(event.product_id), event) for event in message.events]
        out: list[Output] = []
        odd: list[object] = []
        for product, event in events:
            bids: Levels = [(u.price_level, u.new_quantity) for u in event.updates if u.side == "bid"]
            asks: Levels = [(u.price_level, u.new_quantity) for u in event.updates if u.side == "offer"]
            is_whole = event.type == "snapshot"
            if not is_whole and not product.stream.is_whole:
                self.count("update_without_book")
            try:
                out += (product.snapshot if is_whole else product.update)(bids, asks, sent_ns, received_ns)
            except FrameError as error:
                said, bad = product.without_nonsense(error, bids, asks, sent_ns, received_ns, is_whole=is_whole)
                out += said
                odd += bad
            if event.odd:
                odd += event.odd
        if odd:
            out += self.left_out(odd, frame, received_ns)
        return out + self.renew([product for product, _ in events], received_ns)

    def _on_trades(self, message: Trades, frame: bytes, received_ns: int) -> list[Output]:
        def take(trade: TradeRow) -> list[Output]:
            product, time_ns = self._of(trade.product_id), venue_ns(trade.time, 0)
            sent = product.matched(_trade_id(trade), trade.price, trade.size, trade.side, time_ns, received_ns)
            return sent or self.count("duplicate_trade")

        # Newest first inside a batch, and a snapshot repeats what was sent before: by id it is all in order.
        trades = joined([event.trades for event in message.events])
        return self.each(trades, take, frame, received_ns, sorted(trades, key=_trade_id))

    def _on_subscriptions(self, message: Subscribed, received_ns: int) -> list[Output]:
        held = {
            (_CHANNEL_NAMES.get(name, name), product)
            for event in message.events
            for name, products in event.subscriptions.items()
            for product in ([""] if name == HEARTBEATS.name else products or [])
        }
        held |= {(name, m.venue_symbol) for name, product in held if (m := self._alias(product)) is not None}
        return self.holds(held, received_ns)


def _sent_at(frame: bytes) -> bytes:
    """The time at which a message was sent, as text that sorts."""
    match = _SENT_AT.search(frame)
    return match[1] if match else b""
