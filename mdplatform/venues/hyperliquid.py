"""Hyperliquid: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions

Perpetuals of the venue's own exchange and spot pairs; markets that others deploy on it (``dex:COIN``) are not listed.
A perpetual is quoted in USD and settled in USDC: BTC-USD-PERP. ``kPEPE`` stays as it is: its price is of 1000 PEPE too.
The venue publishes no liquidations.

"Documented" is the venue's own page of 2026-06, "probed" what others measured on the live venue in 2026-09 and -10.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import Levels
from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.events import Provenance, Side
from mdplatform.core.feed_status import Feed
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import (
    REFUSALS,
    Channel,
    ChannelKind,
    Line,
    Output,
    Request,
    Send,
    Venue,
    chosen,
    refused,
    subscribable,
)
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venuekit.books.full import WholeBook
from mdplatform.venuekit.market import Market, Markets
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb
from mdplatform.venuekit.trade_ids import Missing
from mdplatform.venues import hyperliquid_wire as wire
from mdplatform.venues.default_instruments import composed

log = logging.getLogger(__name__)

_DEEP = "each message is a whole top 20, every 5.4 s (probed 2026-09; documented 0.5 s); one that is lost does not show"
BOOK = Channel("l2Book", "book", _DEEP, 20.0, 5.4)
DEPTH = Channel("l2Book.depth", "depth", f"l2Book beside l2Book.fast: {_DEEP}", 20.0, 5.4)
FAST = Channel(
    "l2Book.fast",
    "book",
    "each message is a whole top 5, every 0.54 s (probed 2026-09; documented); one that is lost does not show",
    5.0,
    0.54,
)
TRADES = Channel(
    "trades", "trades", "one a match, as by REST; ids are hashes: no loss shows; the latest are asked for after a break"
)
CONTEXT = Channel("activeAssetCtx", "funding", "none: messages carry neither number nor time")
BBO = Channel(
    "bbo",
    "bbo",
    "none: a message for each block in which it changed, every 0.07 s (probed 2026-09), carries no number",
    10.0,
    0.07,
)

SUBSCRIPTIONS = 1000  # from one address, on all its connections (documented)
SUBSCRIPTIONS_A_CONNECTION = 125  # 8 connections of the 10 that one address may hold, so that there is room to renew
# One topic a request. The venue takes 2,000 messages a minute from one address (documented 2026-06): with 1,000
# subscriptions at the most that leaves room for every connection to be opened again within the minute. A coin that it
# does not know closes the connection without a word (probed 2026-10).
TERMS = Terms(topics_a_request=1, pace=(10, 1.0), closes_on_bad=True)
# By default and where 1000 are too few for all: what the other channels hold too, or will in some seconds, goes first.
SPARED = (DEPTH, BBO)
PING_NS = 20 * SECOND  # the venue cuts a connection on which it had nothing to send for 60 s (documented)
SILENCE_NS = 60 * SECOND
ALONE_NS = 6 * SECOND  # longer than the slowest channel pauses
GREETING = b"Websocket connection established."
# Documented channels that give no event here; a recording may hold them.
_UNUSED = """
pong activeAssetData activeSpotAssetCtx allDexsAssetCtxs allMids candle fastAssetCtxs notification post spotAssetCtxs
webData2 webData3
"""
UNUSED = frozenset(_UNUSED.split())
TAKER: dict[str, Side] = {"A": "sell", "B": "buy"}


class Hyperliquid:
    """Facts of the venue."""

    id = "hyperliquid"
    ws_url = "wss://api.hyperliquid.xyz"
    rest_url = "https://api.hyperliquid.xyz"
    channels: tuple[Channel, ...] = (FAST, BOOK, DEPTH, TRADES, CONTEXT, BBO)
    default_channels: tuple[str, ...] = tuple(channel.name for channel in (FAST, DEPTH, TRADES, CONTEXT, BBO))
    rest_budget: tuple[int, float] = (1200, 60.0)
    connect_budget: tuple[int, float] = (30, 60.0)
    lifetime_s: float | None = None
    max_frame_bytes: int | None = 8 * 1024 * 1024
    used_weight_header: str | None = None

    def instruments_requests(self) -> tuple[Request, ...]:
        bodies = (b'{"type":"meta"}', b'{"type":"spotMeta"}')
        return tuple(Request("/info", weight=20, purpose="instruments", body=body) for body in bodies)

    def parse_instruments(self, body: bytes) -> InstrumentList:
        return wire.read_instruments(self.id, body)

    def known_instruments(self) -> Instruments:
        return composed(self.id, ("USD",), lambda base, quote: base, Kind.PERPETUAL)

    def lines(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> list[Line]:
        selected = subscribable(self.channels, channels or self.default_channels)
        if BOOK in selected and DEPTH in selected:
            raise ConfigError("l2Book and l2Book.depth are the same book; choose one")
        rows = list(instruments)
        for spared in () if channels else SPARED:
            if len(rows) * len(selected) > SUBSCRIPTIONS:
                _warn(spared.name, len(rows))
                selected = tuple(channel for channel in selected if channel is not spared)
        if (wanted := len(rows) * len(selected)) > SUBSCRIPTIONS:
            raise ConfigError(f"hyperliquid takes {SUBSCRIPTIONS} subscriptions from one address, not {wanted}")
        size = SUBSCRIPTIONS_A_CONNECTION // len(selected)
        parts = [Instruments(self.id, rows[i : i + size]) for i in range(0, len(rows), size)]
        names = tuple(channel.name for channel in selected)
        return [Line(self.ws_url, "/ws", HyperliquidSession(part, selected, depth), channels=names) for part in parts]

    def reader(self, instruments: Instruments, channels: tuple[str, ...] = (), depth: int = 20) -> HyperliquidSession:
        every = tuple(channel for channel in self.channels if channel is not DEPTH)
        return HyperliquidSession(instruments, chosen(self.channels, channels) or every, depth)


@cache
def _warn(channel: str, symbols: int) -> None:
    """Once, however often lines are made of the same symbols."""
    log.warning("hyperliquid: no %s, which %d symbols leave no room for", channel, symbols)


VENUE: Venue = Hyperliquid()

Topic = tuple[str, str]  # channel, coin


class HyperliquidSession(SocketSession["HyperliquidMarket"]):
    """One connection."""

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        markets = Markets(instruments, lambda instrument: HyperliquidMarket(instrument, channels, depth))
        super().__init__(Hyperliquid.id, markets, SILENCE_NS)
        self.subscriptions: Subscriptions[Topic] = Subscriptions(
            TERMS, _request, self._feeds, kin=lambda topic: topic[1]
        )
        self._channels = channels
        # Whether books are taken: the 20 levels, the fast 5.
        self._channels_of_books = (BOOK in channels or DEPTH in channels, FAST in channels)
        self._echoed: set[tuple[Verb, str, str]] = set()  # what was answered on this connection
        self._ping_ns: int | None = None  # when the next one is due; None: not connected
        self._reads: dict[bytes, Callable[[bytes, int], list[Output]]] = {
            b"l2Book": self._on_book,
            b"trades": self._on_trades,
            b"bbo": self._on_bbo,
            b"activeAssetCtx": self._on_context,
            b"subscriptionResponse": self._on_response,
            b"error": self._on_error,
        }

    def read_trades(self, market: HyperliquidMarket, body: bytes, received_ns: int) -> list[Output]:
        """The latest trades, which there is no way to page back from."""
        return self._past(body, received_ns)

    def recall(self, path: str, body: bytes, received_ns: int) -> list[Output] | None:
        """Every call has the same path; an answer says itself of which coin it is."""
        try:
            rows = wire.read_trades(b'{"data":%s}' % body).data
            market = self.markets.of(rows[0].coin) if rows else None
        except REFUSALS:
            return None
        if market is None or market.refill is None or not market.refill.asking():
            return None
        return self.filled(market, 200, body, received_ns)

    def subscribe(self, now_ns: int) -> list[Output]:
        self._ping_ns = now_ns + PING_NS
        self._echoed.clear()
        topics = [topic for m in self.markets.all() for kind in m.feeds for topic in self.topics_of(m, kind)]
        return self.subscriptions.connected(topics, now_ns)

    def topics_of(self, market: HyperliquidMarket, kind: ChannelKind) -> list[Topic]:
        return [(channel.name, market.venue_symbol) for channel in self._channels if channel.kind == kind]

    def may_ask_again(self, market: HyperliquidMarket, feed: Feed) -> bool:
        """Where the coin went on to send on another channel. One that fell silent on all may be gone, and to ask for it
        then would end the connection for everybody: the venue's list shows whether it is there."""
        return any(other.last_ns > feed.last_ns + ALONE_NS for other in market.feeds.values())

    def _feeds(self, topic: Topic) -> list[tuple[HyperliquidMarket, ChannelKind]]:
        name, coin = topic
        return [(self.markets.of(coin), channel.kind) for channel in self._channels if channel.name == name]

    def tick(self, now_ns: int) -> list[Output]:
        out = super().tick(now_ns)
        if self._ping_ns is None or now_ns < self._ping_ns:
            return out
        self._ping_ns = now_ns + PING_NS
        return [*out, Send(b'{"method":"ping"}')]

    def closed(self, cause: str, now_ns: int) -> list[Output]:
        self._ping_ns = None
        return super().closed(cause, now_ns)

    def read(self, frame: bytes, received_ns: int) -> list[Output]:
        # The channel's name is read in place: it tells the type, so that the frame is decoded only once.
        name = frame[12 : frame.find(b'"', 12)] if frame[:12] == b'{"channel":"' else b""
        read = self._reads.get(name)
        return self._unfamiliar(frame, received_ns) if read is None else read(frame, received_ns)

    def _unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """A frame that gives no event, or the answer of a REST call in a recording."""
        if frame == GREETING:
            return self.count("greeting")
        if frame[:1] == b"[":
            return self._past(frame, received_ns)
        shape = wire.read_shape(frame)
        if shape.universe is not None:
            return self.listed(VENUE.parse_instruments(frame), received_ns)
        if shape.levels is not None:
            return self._on_book(b'{"data":%s}' % frame, received_ns)
        if shape.channel in UNUSED:
            return self.count(shape.channel)
        read = self._reads.get(shape.channel.encode())
        if read is None:
            raise FrameError("unknown_message", f"no channel {shape.channel[:40]!r} is documented")
        return read(frame, received_ns)

    def _on_book(self, frame: bytes, received_ns: int) -> list[Output]:
        data = wire.read_book(frame).data
        market, time_ns = self.markets.of(data.coin), wire.venue_ns(data.time)
        if not self._channels_of_books[data.fast]:
            return self.count(FAST.name if data.fast else BOOK.name)
        bids, asks = ([(level.px, level.sz) for level in side] for side in data.levels)
        out = (market.top if data.fast else market.deep)(bids, asks, time_ns, received_ns)
        return self.count("older_book") if out is None else out or self.count("repeated_book")

    def _on_trades(self, frame: bytes, received_ns: int) -> list[Output]:
        return self._trades(wire.read_trades(frame).data, frame, received_ns, "live")

    def _past(self, body: bytes, received_ns: int) -> list[Output]:
        return self._trades(wire.read_trades(b'{"data":%s}' % body).data, body, received_ns, "rest")

    def _trades(
        self, rows: list[wire.TradeData], frame: bytes, received_ns: int, provenance: Provenance
    ) -> list[Output]:
        def take(data: wire.TradeData) -> list[Output]:
            market, time_ns = self.markets.of(data.coin), wire.venue_ns(data.time)
            name = f"{data.time}-{data.tid}"  # a tid is a hash, unique only together with the time
            new = market.trade(name, data.px, data.sz, TAKER[data.side], time_ns, received_ns, provenance)
            return new or self.count("duplicate_trade")

        # A subscription begins with the latest trades, of which the order is not documented.
        return self.each(rows, take, frame, received_ns, sorted(rows, key=lambda data: data.time))

    def _on_bbo(self, frame: bytes, received_ns: int) -> list[Output]:
        data = wire.read_bbo(frame).data
        best = data.bbo
        bid = best[0] if best else None
        ask = best[1] if len(best) > 1 else None
        out = self.markets.of(data.coin).quote(
            None if bid is None else (bid.px, bid.sz),
            None if ask is None else (ask.px, ask.sz),
            None,
            wire.venue_ns(data.time),
            received_ns,
        )
        return out or self.count("empty_quote")

    def _on_context(self, frame: bytes, received_ns: int) -> list[Output]:
        data = wire.read_context(frame).data
        if data.ctx.funding is data.ctx.markPx is data.ctx.oraclePx is None:
            return self.count(CONTEXT.name)
        return self.markets.of(data.coin).funding(
            rate=data.ctx.funding,  # of one hour
            mark_price=data.ctx.markPx,
            index_price=data.ctx.oraclePx,
            next_funding_ns=None,
            venue_ns=received_ns,  # the message holds no time: that it equals the receive time says so
            received_ns=received_ns,
        )

    def _on_response(self, frame: bytes, received_ns: int) -> list[Output]:
        """The subscription comes back with fields that were not asked for: its type and coin show which it is.

        That ``fast`` comes back too is not documented: without it the second answer for the books of a coin is of them.
        """
        data = wire.read_response(frame).data
        echoed, coin = data.subscription, data.subscription.coin
        self.count("acknowledgement")
        names = [c.name for c in self._channels if _type(c.name) == echoed.type and (c is FAST or not echoed.fast)]
        if not names or coin is None:
            return []
        verb: Verb = "unsubscribe" if data.method == "unsubscribe" else "subscribe"
        names.sort(key=lambda name: (name == FAST.name) != bool(echoed.fast))
        topic = next((t for name in names if (t := (verb, name, coin)) not in self._echoed), (verb, names[0], coin))
        self._echoed.add(topic)
        return self.subscriptions.confirmed(received_ns, topics=[topic[1:]], verb=verb)

    def _on_error(self, frame: bytes, received_ns: int) -> list[Output]:
        """It quotes the subscription in its text."""
        text = wire.read_error(frame).data
        asked = [(c.name, m.venue_symbol) for m in self.markets for c in self._channels]
        named = [topic for topic in asked if all(f'"{word}"' in text for word in (_type(topic[0]), topic[1]))]
        is_fast = '"fast":true' in text
        named = [topic for topic in named if (topic[0] == FAST.name) == is_fast] or named
        if named and text.startswith("Already subscribed"):
            out = self.subscriptions.confirmed(received_ns, topics=named)
        else:
            out = self.subscriptions.refused(text, received_ns, topics=named).outputs if named else []
        return [*out, refused(FrameError("venue_error", text), self.exchange, frame, received_ns, self.conn)]


def _request(verb: Verb, topics: Sequence[Topic], number: int) -> bytes:
    name, coin = topics[0]
    wanted = {"type": _type(name), "coin": coin} | ({"fast": True} if name == FAST.name else {})
    return msgspec.json.encode({"method": verb, "subscription": wanted})


def _type(name: str) -> str:
    """The venue's name of a channel; books have several of ours."""
    return name.partition(".")[0]


class HyperliquidMarket(Market):
    """One coin. Its book is the newest one of whichever channel: a whole top 5 or a whole top 20 at a block.

    The feed of books goes by the fast channel while that sends, ``depth`` by the other. Where the fast one falls
    silent it is stale, until the next top 20 is a whole book again.
    """

    def __init__(self, instrument: Instrument, channels: tuple[Channel, ...], depth: int) -> None:
        is_spot = instrument.kind is Kind.SPOT
        super().__init__(instrument, tuple(c for c in channels if not (is_spot and c is CONTEXT)), numbered=False)
        self.whole = WholeBook(self.feed("book"), depth)
        self.book = self.whole if "book" in self.feeds else None
        self._depth = self.feeds.get("depth")
        self._by_fast = False  # the feed of books goes by the fast channel
        self._newest = 0  # sequence of the newest book
        if "trades" in self.feeds:
            self.fill_trades_by(self._latest_trades)

    def connected(self, now_ns: int) -> list[Output]:
        self._by_fast = False
        return super().connected(now_ns)

    def top(self, bids: Levels, asks: Levels, venue_ns: int, received_ns: int) -> list[Output] | None:
        """A book of the fast channel; None where it is older than the one before. Raises FrameError."""
        out = self._take(venue_ns // 1000, bids, asks, venue_ns, received_ns)
        self._by_fast = True
        return out

    def deep(self, bids: Levels, asks: Levels, venue_ns: int, received_ns: int) -> list[Output] | None:
        """The same of the other: one of the same block as a fast one follows it."""
        beside = self._by_fast and self.whole.feed.state == "valid"
        out = self._take(venue_ns // 1000 + beside, bids, asks, venue_ns, received_ns, proves=not beside)
        self._by_fast = beside
        if self._depth is None or out is None:
            return out
        opened = self._depth.valid("whole_book", None, received_ns)
        self._depth.proven(None, received_ns)
        return [*opened, *out]

    def _take(
        self, sequence: int, bids: Levels, asks: Levels, venue_ns: int, received_ns: int, *, proves: bool = True
    ) -> list[Output] | None:
        """``sequence``: the venue numbers no book, its time in us does."""
        if self.whole.feed.state == "valid" and sequence < self._newest:
            return None
        out = self.whole.take(sequence, bids, asks, venue_ns, received_ns, proves=proves)
        self._newest = sequence
        return out

    def _latest_trades(self, missing: Missing | None) -> Request:
        body = msgspec.json.encode({"type": "recentTrades", "coin": self.venue_symbol})
        return Request("/info", 21, self.symbol, "trades", body)
