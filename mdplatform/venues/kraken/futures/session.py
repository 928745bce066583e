"""Futures and perpetuals: https://docs.kraken.com/api/docs/futures-api/websocket/book

One level a message, numbered by product (documented 2026-06; probed 2026-10: by connection it would show breaks all the
time). An error does not say what it is about, so one request is under way at a time: what of it is not confirmed is
asked for again by halves, and one that is unknown costs the others some seconds at the most.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.decimals import plain
from mdplatform.core.errors import FrameError
from mdplatform.core.session import Channel, ChannelKind, Output
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.streamed_session import StreamedSession
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Topic, Verb, channel_of, some
from mdplatform.venues.kraken.channels import BBO, BOOK, LIQUIDATION, SYMBOLS_A_MESSAGE, TICKER, TOUCH, TRADE
from mdplatform.venues.kraken.futures import wire
from mdplatform.venues.kraken.futures.market import Product
from mdplatform.venues.kraken.instruments import EXCHANGE

SILENCE_NS = 60 * SECOND  # the rhythm of heartbeats is not documented
# No limit of products a request is documented; some 100 requests a second are allowed.
TERMS = Terms(topics_a_request=SYMBOLS_A_MESSAGE, pace=(20, 1.0), in_flight=1, settle_s=1.0)
_FEEDS: dict[str, tuple[Channel, ...]] = {
    "book": (BOOK, TOUCH),
    "trade": (TRADE, LIQUIDATION),
    "ticker": (TICKER, BBO),
}


_HEARTBEAT = Topic("heartbeat", "")


class FuturesSession(StreamedSession[Product]):
    """One connection to the futures feed."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self._channels = channels
        self._depth = depth
        super().__init__(EXCHANGE, Markets(instruments, self._product), SILENCE_NS)
        self._feeds = [feed for feed, carried in _FEEDS.items() if any(channel in channels for channel in carried)]
        self.subscriptions: Subscriptions[Topic] = Subscriptions(TERMS, _request, self._of_topic, channel_of)
        self.takes_books = "book" in self._feeds

    def _product(self, instrument: Instrument) -> Product:
        """Raises FrameError where another product has the same canonical symbol: their data would be mixed."""
        for other in self.markets:
            if other.symbol == instrument.symbol:
                taken = f"{instrument.venue_symbol} would be {instrument.symbol}, which {other.venue_symbol} is already"
                raise FrameError("same_symbol", taken)
        return Product(instrument, self._channels, self._depth)

    def subscribe(self, now_ns: int) -> list[Output]:
        products = [market.venue_symbol for market in self.markets.all()]
        topics = [Topic(feed, product) for feed in self._feeds for product in products]
        return self.subscriptions.connected([_HEARTBEAT, *topics], now_ns)

    def topics_of(self, market: Product, kind: ChannelKind) -> list[Topic]:
        return [Topic(feed, market.venue_symbol) for feed in self._feeds if kind in self._kinds(feed)]

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        message = wire.read_message(frame)
        match message:
            case wire.BookDelta():
                return self._on_delta(message, received_ns)
            case wire.Trade():
                return self._on_trade(message, received_ns)
            case wire.Ticker():
                return self._on_ticker(message, received_ns)
            case wire.BookSnapshot():
                return self._on_snapshot(message, received_ns)
            case wire.TradeSnapshot():
                return self._on_trades(message, frame, received_ns)
        return (
            self._on_notice(message, frame, received_ns)
            if isinstance(message, wire.Notice)
            else self.count(message.feed)
        )

    def _of(self, product_id: str) -> Product:
        return self.markets.of(product_id.upper())

    def book_topic(self, market: Product) -> Topic:
        return Topic("book", market.venue_symbol)

    def _on_notice(self, notice: wire.Notice, frame: bytes, received_ns: int) -> list[Output]:
        if notice.event in ("error", "alert"):
            answer = self.subscriptions.refused(str(notice.message), received_ns)
            text = f"{notice.message}; not acknowledged by then: {some(answer.about) or 'nothing'}"
            return self.refusal(answer, text, frame, received_ns)
        if notice.event == "info":
            return self.count(notice.event)
        is_end = notice.event == "unsubscribed"
        self.count("unsubscribed" if is_end else "acknowledgement")
        topics = [Topic(notice.feed or "", name.upper()) for name in notice.product_ids or [""]]
        return self.subscriptions.confirmed(received_ns, None, topics, "unsubscribe" if is_end else "subscribe")

    def _kinds(self, feed: str) -> list[ChannelKind]:
        return [channel.kind for channel in _FEEDS.get(feed, ()) if channel in self._channels]

    def _of_topic(self, topic: Topic) -> list[tuple[Product, ChannelKind]]:
        return self.feeds_of(topic.symbol.upper(), self._kinds(topic.channel))

    def _on_delta(self, delta: wire.BookDelta, received_ns: int) -> list[Output]:
        product = self._of(delta.product_id)
        if "book" not in self._feeds:
            return self.count("book")
        level = plain(delta.price), plain(delta.qty)
        venue_ns = wire.venue_ns(delta.timestamp)
        was_whole = product.stream.is_whole
        out = product.delta(delta.side, level, delta.seq, venue_ns, received_ns)
        if product.stream.is_whole:
            return out or (self.count("repeated_update") if product.book is not None else [])
        if not was_whole:
            self.count("update_before_snapshot")
        return out + self.renew([product], received_ns)

    def _on_snapshot(self, snapshot: wire.BookSnapshot, received_ns: int) -> list[Output]:
        product = self._of(snapshot.product_id)
        if "book" not in self._feeds:
            return self.count("book_snapshot")
        bids, asks = wire.levels(snapshot.bids), wire.levels(snapshot.asks)
        return product.snapshot(bids, asks, snapshot.seq, wire.venue_ns(snapshot.timestamp), received_ns)

    def _on_trade(self, trade: wire.Trade, received_ns: int) -> list[Output]:
        product = self._of(trade.product_id)
        out = product.fill(trade, *wire.checked(trade), received_ns)
        return out or self.count("duplicate_trade" if "trades" in product.feeds else "trade")

    def _on_trades(self, snapshot: wire.TradeSnapshot, frame: bytes, received_ns: int) -> list[Output]:
        """What was traded before we came only shows where the numbers stand; what a reconnect missed is new."""
        product = self._of(snapshot.product_id)
        rows = sorted(snapshot.trades, key=lambda trade: trade.seq)
        newest_ns = max((trade.time * MS for trade in rows if wire.is_time(trade.time)), default=0)
        out = product.stands_at(rows[-1].seq, newest_ns, received_ns) if rows else []
        take = partial(self._fill, product, received_ns)
        return out + self.each(snapshot.trades, take, frame, received_ns, rows)

    def _fill(self, product: Product, received_ns: int, trade: wire.Trade) -> list[Output]:
        return product.fill(trade, *wire.checked(trade), received_ns) or self.count("earlier_trade")

    def _on_ticker(self, ticker: wire.Ticker, received_ns: int) -> list[Output]:
        product, venue_ns = self._of(ticker.product_id), wire.venue_ns(ticker.time)
        out: list[Output] = []
        if "funding" in product.feeds:
            next_ms, mark, size = (
                ticker.next_funding_rate_time,
                wire.number(ticker.markPrice),
                wire.number(ticker.openInterest),
            )
            interest = product.open_interest(size, price=mark, venue_ns=venue_ns, received_ns=received_ns)
            out += product.funding(
                rate=wire.rate(ticker),
                mark_price=mark,
                index_price=wire.number(ticker.index),
                next_funding_ns=None if not next_ms else wire.venue_ns(next_ms),
                predicted_rate=wire.predicted_rate(ticker),
                last_price=wire.number(ticker.last),
                venue_ns=venue_ns,
                received_ns=received_ns,
            )
            out += interest
        if product.by_ticker:
            bid, ask = wire.level(ticker.bid, ticker.bid_size), wire.level(ticker.ask, ticker.ask_size)
            quotes = product.quote(bid, ask, None, venue_ns, received_ns)
            out += quotes or (self.count("no_quote") if bid is None and ask is None else [])
        return out or self.count("ticker")


def _request(verb: Verb, topics: Sequence[Topic], number: int) -> bytes:
    products = [topic.symbol for topic in topics if topic.symbol]
    return msgspec.json.encode(
        {"event": verb, "feed": topics[0].channel} | ({"product_ids": products} if products else {})
    )
