"""The Exchange feed: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels

Updates of a book carry no number: one that is lost cannot be found (documented; measured in November 2026, a frame lost
every 4 s left 718 of 1,245 books wrong and valid). So its books are a choice and not the default; its trades are
numbered, sent at once, and counted by each heartbeat. 100 messages a second from an address, a subscription within 5 s
of connecting, one bad product refuses the whole request (all documented). An acknowledgement calls ``level2_batch``
by the server's name ``level2_50`` (documented by clients, not by the venue).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import msgspec

from mdplatform.core.errors import FrameError, UnknownInstrument
from mdplatform.core.session import Channel, Output
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb
from mdplatform.venues.coinbase.exchange.channels import LEVEL2
from mdplatform.venues.coinbase.exchange.wire import (
    Error,
    Heartbeat,
    L2Update,
    LastMatch,
    Listing,
    Match,
    Snapshot,
    read_message,
)
from mdplatform.venues.coinbase.market import Product
from mdplatform.venues.coinbase.session import _BESIDE, ProductSession, Topic, lost_trades
from mdplatform.venues.coinbase.wire import venue_ns

# 100 messages a second are allowed an address; a reply does not say to what.
PACE = (10, 1.0)
PRODUCTS_A_REQUEST = 100
_NO_BOOK = re.compile(rb'"type"\s*:\s*"(match|last_match|heartbeat|ticker|subscriptions|error)"')
_PRODUCT = re.compile(rb'"product_id"\s*:\s*"([^"\\]{1,64})"')


class ExchangeSession(ProductSession):
    """One connection to the Exchange feed."""

    book_channel = LEVEL2.name

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        carrying = tuple(channel for channel in channels if channel.name not in _BESIDE)

        def product(instrument: Instrument) -> Product:
            made = Product(instrument, carrying, depth)
            made.backfill_trades_by(partial(lost_trades, instrument))
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
