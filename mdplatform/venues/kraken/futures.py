"""Futures and perpetuals: https://docs.kraken.com/api/docs/futures-api/websocket/book

One level a message, numbered by product. An error does not say what it is about: what is not acknowledged by then is
asked for once more, product by product, so that one that is unknown costs the others nothing.
"""

from __future__ import annotations

from functools import partial

import msgspec

from mdplatform.clock import SECOND
from mdplatform.decimals import plain
from mdplatform.errors import FrameError
from mdplatform.market import Markets
from mdplatform.session import Channel, ChannelKind, Output, Send
from mdplatform.socketsession import SocketSession
from mdplatform.symbols import Instrument, Instruments
from mdplatform.venues.kraken import futures_wire as wire
from mdplatform.venues.kraken.channels import BBO, BOOK, LIQUIDATION, SYMBOLS_A_MESSAGE, TICKER, TRADE
from mdplatform.venues.kraken.lists import EXCHANGE
from mdplatform.venues.kraken.product import Product

SILENCE_NS = 60 * SECOND  # the rhythm of heartbeats is not documented
_FEEDS: dict[str, tuple[Channel, ...]] = {"book": (BOOK,), "trade": (TRADE, LIQUIDATION), "ticker": (TICKER, BBO)}


class FuturesSession(SocketSession[Product]):
    """One connection to the futures feed."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        self._channels = channels
        self._depth = depth
        super().__init__(EXCHANGE, Markets(instruments, self._product), SILENCE_NS)
        self._feeds = [feed for feed, carried in _FEEDS.items() if any(channel in channels for channel in carried)]
        self._unacknowledged: dict[tuple[str, str], bool] = {}  # feed, product -> asked for on its own already

    def _product(self, instrument: Instrument) -> Product:
        """Raises FrameError where another product has the same canonical symbol: their data would be mixed."""
        for other in self.markets:
            if other.symbol == instrument.symbol:
                taken = f"{instrument.venue_symbol} would be {instrument.symbol}, which {other.venue_symbol} is already"
                raise FrameError("same_symbol", taken)
        return Product(instrument, self._channels, self._depth)

    def subscribe(self, now_ns: int) -> list[Output]:
        self._unacknowledged.clear()
        products = [market.venue_symbol for market in self.markets.all()]
        parts = [products[i : i + SYMBOLS_A_MESSAGE] for i in range(0, len(products), SYMBOLS_A_MESSAGE)]
        asked: list[Output] = [self._ask(feed, part, now_ns) for feed in self._feeds for part in parts]
        return [Send(b'{"event":"subscribe","feed":"heartbeat"}'), *asked]

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
        return self._on_notice(message, received_ns) if isinstance(message, wire.Notice) else self.count(message.feed)

    def tick(self, now_ns: int) -> list[Output]:
        return super().tick(now_ns) + self._renew(now_ns)

    def _of(self, product_id: str) -> Product:
        return self.markets.of(product_id.upper())

    def _ask(self, feed: str, products: list[str], now_ns: int, alone: bool = False) -> Send:
        for product in products:
            self._unacknowledged[feed, product] = alone
            if not alone:
                self.live.awaits(f"{feed} {product}", now_ns)
        return _request("subscribe", feed, products)

    def _renew(self, now_ns: int) -> list[Output]:
        """Subscribe anew to the books that were lost: that brings a snapshot."""
        lost = [product for product in self.markets if product.stream.wants_snapshot(now_ns)]
        if not lost or "book" not in self._feeds:
            return []
        for product in lost:
            product.stream.awaits(now_ns)
        names = [product.venue_symbol for product in lost]
        return [_request("unsubscribe", "book", names), self._ask("book", names, now_ns)]

    def _on_notice(self, notice: wire.Notice, received_ns: int) -> list[Output]:
        if notice.event in ("error", "alert"):
            raise FrameError(
                "venue_error", f"{notice.message}; not acknowledged by then: {self._waiting() or 'nothing'}"
            )
        if notice.event != "subscribed":
            return self.count(notice.event)
        out = self.count("acknowledgement")
        for name in notice.product_ids:
            self._unacknowledged.pop((notice.feed or "", name.upper()), None)
            self.live.acknowledged(f"{notice.feed} {name.upper()}")
            for kind in self._kinds(notice.feed):
                out += self._of(name).acknowledged(kind, received_ns)
        return out

    def _kinds(self, feed: str | None) -> list[ChannelKind]:
        return [channel.kind for channel in _FEEDS.get(feed or "", ())]

    def _waiting(self) -> str:
        waiting = [f"{feed} {product}" for feed, product in self._unacknowledged]
        return ", ".join(waiting[:5]) + ("" if len(waiting) <= 5 else f" and {len(waiting) - 5} more")

    def refuse(self, error: Exception, frame: bytes, received_ns: int) -> list[Output]:
        out = super().refuse(error, frame, received_ns)
        if isinstance(error, FrameError) and error.reason == "venue_error":
            out += self._ask_alone(received_ns)
        return out

    def _ask_alone(self, now_ns: int) -> list[Output]:
        """Each product that is not acknowledged, once on its own; none is waited for any longer."""
        again = [key for key, alone in self._unacknowledged.items() if not alone]
        for feed, product in again:
            self.live.acknowledged(f"{feed} {product}")
        return [self._ask(feed, [product], now_ns, alone=True) for feed, product in again]

    def _on_delta(self, delta: wire.BookDelta, received_ns: int) -> list[Output]:
        product = self._of(delta.product_id)
        if "book" not in product.feeds:
            return self.count("book")
        level = plain(delta.price), plain(delta.qty)
        venue_ns = wire.venue_ns(delta.timestamp)
        out = product.delta(delta.side, level, delta.seq, venue_ns, received_ns)
        return out if product.stream.is_whole else out + self._renew(received_ns)

    def _on_snapshot(self, snapshot: wire.BookSnapshot, received_ns: int) -> list[Output]:
        product = self._of(snapshot.product_id)
        if "book" not in product.feeds:
            return self.count("book_snapshot")
        bids, asks = wire.levels(snapshot.bids), wire.levels(snapshot.asks)
        return product.snapshot(bids, asks, snapshot.seq, wire.venue_ns(snapshot.timestamp), received_ns)

    def _on_trade(self, trade: wire.Trade, received_ns: int) -> list[Output]:
        return self._of(trade.product_id).fill(trade, *wire.checked(trade), received_ns)

    def _on_trades(self, snapshot: wire.TradeSnapshot, frame: bytes, received_ns: int) -> list[Output]:
        """What was traded before we came only tells where the numbers stand; what a reconnect missed is new."""
        product = self._of(snapshot.product_id)
        rows = sorted(snapshot.trades, key=lambda trade: trade.seq)
        out = product.stands_at(rows[-1].seq, received_ns) if rows else []
        take = partial(self._fill, product, received_ns)
        return out + self.each(snapshot.trades, take, frame, received_ns, rows)

    def _fill(self, product: Product, received_ns: int, trade: wire.Trade) -> list[Output]:
        return product.fill(trade, *wire.checked(trade), received_ns)

    def _on_ticker(self, ticker: wire.Ticker, received_ns: int) -> list[Output]:
        product, venue_ns = self._of(ticker.product_id), wire.venue_ns(ticker.time)
        out: list[Output] = []
        if "funding" in product.feeds:
            next_ms = ticker.next_funding_rate_time
            out += product.funding(
                rate=wire.rate(ticker),
                mark_price=wire.number(ticker.markPrice),
                index_price=wire.number(ticker.index),
                next_funding_ns=None if not next_ms else wire.venue_ns(next_ms),
                venue_ns=venue_ns,
                received_ns=received_ns,
            )
        if "bbo" in product.feeds:
            bid, ask = wire.level(ticker.bid, ticker.bid_size), wire.level(ticker.ask, ticker.ask_size)
            told = product.quote(bid, ask, None, venue_ns, received_ns)
            out += told or (self.count("no_quote") if bid is None and ask is None else [])
        return out or self.count("ticker")


def _request(event: str, feed: str, products: list[str]) -> Send:
    return Send(msgspec.json.encode({"event": event, "feed": feed, "product_ids": products}))
