"""What the sessions of both feeds share: requests, their replies, and books that are asked for again."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import FrameError
from mdplatform.core.session import Channel, ChannelKind, Output, Reconnect, Request, refused
from mdplatform.core.symbols import Instrument
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.streamed_session import StreamedSession
from mdplatform.venuekit.subscriptions import Subscriptions, Verb
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues.coinbase.exchange.channels import HEARTBEAT, TICKER
from mdplatform.venues.coinbase.exchange.wire import TradeRow, read_rows
from mdplatform.venues.coinbase.market import Product, nonsense
from mdplatform.venues.coinbase.wire import EXCHANGE, venue_ns

_BESIDE = (HEARTBEAT.name, TICKER.name, "heartbeats")  # they bring no feed of their own

TRADES_A_REQUEST = 1000
SILENCE_NS = 20 * SECOND  # with heartbeats every product sends once a second
SILENT_BOOK_NS = 30 * SECOND  # before a book that is whole is asked for again
_WORDS = re.compile(r"[^A-Za-z0-9-]+")
# No product is wrong: how the venue words it is not documented.
_BUSY = re.compile(r"rate limit|too many|internal|unavailable|try again", re.IGNORECASE)

Topic = tuple[str, str]  # (channel, product)


class ProductSession(StreamedSession[Product]):
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
        self.takes_books = any(channel.name == self.book_channel for channel in channels)
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

    def book_topic(self, market: Product) -> Topic:
        return self.book_channel, market.venue_symbol

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

        rows = read_rows(body)  # newest first
        return self.each(rows, take, body, received_ns, sorted(rows, key=lambda row: row.trade_id))

    def tick(self, now_ns: int) -> list[Output]:
        self._now_ns = now_ns
        return super().tick(now_ns)


def lost_trades(instrument: Instrument, missing: Missing | None) -> Request:
    """``after`` lists what comes before an id."""
    query = f"limit={TRADES_A_REQUEST}"
    if missing is not None:
        query = f"after={min(missing.last + 1, missing.first + TRADES_A_REQUEST)}&{query}"
    return Request(f"/products/{instrument.venue_symbol}/trades?{query}", 1, instrument.symbol, "trades")
