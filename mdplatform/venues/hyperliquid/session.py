"""One connection: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Provenance, Side
from mdplatform.core.feed_status import FeedState
from mdplatform.core.session import (
    REFUSALS,
    Channel,
    ChannelKind,
    Output,
    refused,
)
from mdplatform.core.symbols import Instruments
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venuekit.market import Markets
from mdplatform.venuekit.subscriptions import Subscriptions, Terms, Verb, verb_of
from mdplatform.venues.hyperliquid import wire
from mdplatform.venues.hyperliquid.channels import BOOK, CONTEXT, DEPTH, FAST
from mdplatform.venues.hyperliquid.instruments import EXCHANGE, read_instruments
from mdplatform.venues.hyperliquid.market import HyperliquidMarket

# One topic a request. The venue takes 2,000 messages a minute from one address (documented 2026-06): with 1,000
# subscriptions at the most that leaves room for every connection to be opened again within the minute. A coin that it
# does not know closes the connection without a word (probed 2026-10).
TERMS = Terms(topics_a_request=1, pace=(10, 1.0), closes_on_bad=True)
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

Topic = tuple[str, str]  # channel, coin


class HyperliquidSession(SocketSession["HyperliquidMarket"]):
    """One connection."""

    name_behind = b'{"channel":"'

    def __init__(self, instruments: Instruments, channels: tuple[Channel, ...], depth: int) -> None:
        markets = Markets(instruments, lambda instrument: HyperliquidMarket(instrument, channels, depth))
        super().__init__(EXCHANGE, markets, SILENCE_NS, PING_NS)
        self.subscriptions: Subscriptions[Topic] = Subscriptions(
            TERMS, _request, self._feeds, kin=lambda topic: topic[1]
        )
        self._channels = channels
        # Whether books are taken: the 20 levels, the fast 5.
        self._channels_of_books = (BOOK in channels or DEPTH in channels, FAST in channels)
        self._echoed: set[tuple[Verb, str, str]] = set()  # what was answered on this connection
        self.readers = {
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
        if market is None or market.backfill is None or not market.backfill.asking():
            return None
        return self.filled(market, 200, body, received_ns)

    def subscribe(self, now_ns: int) -> list[Output]:
        self.pings.begin(now_ns)
        self._echoed.clear()
        topics = [topic for m in self.markets.all() for kind in m.feeds for topic in self.topics_of(m, kind)]
        return self.subscriptions.connected(topics, now_ns)

    def topics_of(self, market: HyperliquidMarket, kind: ChannelKind) -> list[Topic]:
        return [(channel.name, market.venue_symbol) for channel in self._channels if channel.kind == kind]

    def may_ask_again(self, market: HyperliquidMarket, feed: FeedState) -> bool:
        """Where the coin went on to send on another channel. One that fell silent on all may be gone, and to ask for it
        then would end the connection for everybody: the venue's list shows whether it is there."""
        return any(other.last_ns > feed.last_ns + ALONE_NS for other in market.feeds.values())

    def _feeds(self, topic: Topic) -> list[tuple[HyperliquidMarket, ChannelKind]]:
        name, coin = topic
        return [(self.markets.of(coin), channel.kind) for channel in self._channels if channel.name == name]

    def ping(self, now_ns: int) -> bytes:
        return b'{"method":"ping"}'

    def unfamiliar(self, frame: bytes, received_ns: int) -> list[Output]:
        """A frame that gives no event, or the answer of a REST call in a recording."""
        if frame == GREETING:
            return self.count("greeting")
        if frame[:1] == b"[":
            is_list = b'"universe"' in frame[:100]
            return self.listed(read_instruments(frame), received_ns) if is_list else self._past(frame, received_ns)
        shape = wire.read_shape(frame)
        if shape.universe is not None:
            return self.listed(read_instruments(frame), received_ns)
        if shape.levels is not None:
            return self._on_book(b'{"data":%s}' % frame, received_ns)
        if shape.channel in UNUSED:
            return self.count(shape.channel)
        read = self.readers.get(shape.channel.encode())
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
        market = self.markets.of(data.coin)
        interest = market.open_interest(data.ctx.openInterest, venue_ns=received_ns, received_ns=received_ns)
        out = market.funding(
            rate=data.ctx.funding,  # of one hour
            mark_price=data.ctx.markPx,
            index_price=data.ctx.oraclePx,
            next_funding_ns=None,
            venue_ns=received_ns,  # the message holds no time: that it equals the receive time says so
            received_ns=received_ns,
        )
        return out + interest

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
        verb = verb_of(data.method)
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
