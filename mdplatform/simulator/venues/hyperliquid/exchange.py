"""Hyperliquid: perpetuals and spot pairs, whole books, and the POSTs of /info.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket (2026-06). Cadences are those that others
measured in 2026-09: books every 5.4 s (documented: 0.5 s), fast ones every 0.54 s, the best levels by block. What
cannot be subscribed to ends the connection without a word (probed 2026-09); that is not documented.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.events import Event, Quote, Trade
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.ladder import Ladder
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.engine.market_runner import Markets
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import Bucket, ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.protocol.wire import reader
from mdplatform.simulator.venues.hyperliquid.instruments import lists, pairs, perpetuals

VENUE = "hyperliquid"
BLOCK_NS = SECOND // 10
BOOK_NS = 54 * BLOCK_NS
FAST_NS = 5 * BLOCK_NS
CONTEXT_NS = SECOND
LEVELS = 20
FAST_LEVELS = 5
RECENT = 10  # trades that a subscription begins with
CONNECTIONS = 10
SUBSCRIPTIONS = 1000  # of one address, and a simulator has but one client
IDLE_NS = 60 * SECOND  # the venue closes a connection on which it had nothing to say for so long
_FAST = "l2Book.fast"  # what the books of the subscription with ``fast`` are called here
_CHANNELS = frozenset(("l2Book", "trades", "bbo", "activeAssetCtx"))
_FIGURES = (None, 2, 3, 4, 5)  # to which prices of a book may be rounded

LIMITS = ConnectionLimits(
    messages=(2000 / 60, 2000.0),
    connects=(0.5, 30.0),
    requests=(20.0 / 20, 60.0),  # most calls cost 20 of the 1200 units a minute
)


class HyperliquidFeed(Feed):
    """The channels of one coin."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._unpublished: list[Trade] = []
        self._quoted = False

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Trade):
            self._unpublished.append(event)
        elif isinstance(event, Quote):
            self._quoted = True
        return iter(())

    def edge(self, ns: int) -> Iterator[Frame]:
        if ns % BLOCK_NS:
            return
        trades, self._unpublished = self._unpublished, []
        quoted, self._quoted = self._quoted, False
        if trades:
            yield from self._to(ns, "trades", lambda: self.trades(trades))
        if quoted:
            yield from self._to(ns, "bbo", lambda: self.bbo(ns))
        if self.due(ns, BOOK_NS):
            yield from self._to(ns, "l2Book", lambda: self.book(ns))
        if ns % FAST_NS == 0:
            yield from self._to(ns, _FAST, lambda: self.fast_book(ns))
        if ns % CONTEXT_NS == 0:
            yield from self._to(ns, "activeAssetCtx", lambda: self.context(ns))

    def book(self, ns: int, levels: int = LEVELS) -> dict[str, Any]:
        sides = [self._levels(side, levels) for side in (self.market.bids, self.market.asks)]
        return {"coin": self.symbol, "time": ns // 1_000_000, "levels": sides}

    def fast_book(self, ns: int) -> dict[str, Any]:
        return self.book(ns, FAST_LEVELS) | {"fast": True}

    def bbo(self, ns: int) -> dict[str, Any]:
        best = [next(iter(self._levels(side, 1)), None) for side in (self.market.bids, self.market.asks)]
        return {"coin": self.symbol, "time": ns // 1_000_000, "bbo": best}

    def trades(self, trades: Iterable[Trade]) -> list[dict[str, Any]]:
        return [
            {
                "coin": self.symbol,
                "side": "B" if one.taker_buys else "A",
                "px": self.price(one.tick),
                "sz": self.size(one.lots),
                "hash": f"0x{one.order_id:064x}",
                "time": one.ns // 1_000_000,
                "tid": tid(one.trade_id),
                "users": [f"0x{side:040x}" for side in (1, 2)],
            }
            for one in trades
        ]

    def context(self, ns: int) -> dict[str, Any]:
        mark, places = self.market.mark(ns), self.instrument.price.decimals + 1
        middle = (self.market.bids.best + self.market.asks.best) / 2
        ctx = {
            "funding": f"{mark.funding_rate:.10f}",
            "openInterest": self.size(int(self.instrument.order_lots) * 5_000),
            "prevDayPx": self.price(self.instrument.start_tick),
            "dayNtlVlm": "1000000.0",
            "premium": f"{mark.mark_price / mark.index_price - 1:.8f}",
            "oraclePx": f"{mark.index_price:.{places}f}",
            "markPx": f"{mark.mark_price:.{places}f}",
            "midPx": f"{self.instrument.price.value(middle):.{places}f}",
            "impactPxs": [self.price(side.best) for side in (self.market.bids, self.market.asks)],
            "dayBaseVlm": self.size(int(self.instrument.order_lots) * 20_000),
        }
        return {"coin": self.symbol, "ctx": ctx}

    def _levels(self, side: Ladder, count: int) -> list[dict[str, Any]]:
        return [{"px": self.price(tick), "sz": self.size(lots), "n": 1} for tick, lots in side.top(count)]

    def _to(self, ns: int, channel: str, data: Callable[[], object]) -> Iterator[Frame]:
        topic = self.topic(channel)
        if topic in self.wanted:
            name = _answers_on(channel, self.market)
            yield Frame(VENUE, topic, self.symbol, channel.partition(".")[0], message(name, data()), ns)


class HyperliquidExchange(Exchange):
    """One coin a subscription; each is confirmed and begins with what is now."""

    venue = VENUE
    default_limits = LIMITS
    connections = CONNECTIONS

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._messages = Bucket(*self.limits.messages)  # of an address, whichever connection they come by

    def accepts(self, path: str) -> bool:
        return path == "/ws"

    def markets_of(self, topic: str) -> Iterable[str]:
        return (topic.partition(":")[2],)

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.messages = self._messages
        peer.reply(b"Websocket connection established.")

    def receive(self, peer: Peer, message_: bytes, now_ns: int) -> None:
        request = _read(message_)
        if request is None:
            text = message_.decode(errors="replace")
            peer.reply(message("error", f"Error parsing JSON into valid websocket request: {text}"))
        elif request.method == "ping":
            peer.reply(b'{"channel":"pong"}')
        elif request.method == "subscribe":
            self._subscribe(peer, request.subscription, now_ns)
        else:
            self._unsubscribe(peer, request.subscription)

    def beat(self, peer: Peer, now_ns: int) -> None:
        if peer.silent_ns(now_ns) > IDLE_NS:
            peer.close(1000, "Inactive")

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return Answer(405 if path == "/info" else 404, b"")

    def is_list(self, path: str, body: bytes | None) -> bool:
        return body is not None and any(kind in body for kind in (b'"meta"', b'"spotMeta"'))

    def post(self, path: str, query: Mapping[str, str], body: bytes, now_ns: int) -> Answer:
        """/info: the body states what is requested."""
        if path != "/info":
            return Answer(404, b"")
        value = self._info(body, now_ns)
        if value is None:
            return Answer(422, b'"Failed to deserialize the JSON body"')
        return answer(value)

    def _subscribe(self, peer: Peer, wanted: dict[str, Any], now_ns: int) -> None:
        kind, coin = str(wanted.get("type")), str(wanted.get("coin"))
        if kind not in _CHANNELS or coin not in self.markets or wanted.get("nSigFigs") not in _FIGURES:
            peer.link.cut()
            return
        text = msgspec.json.encode(wanted).decode()
        topic = _topic(wanted)
        if topic in peer.topics:
            peer.reply(message("error", f"Already subscribed: {text}"))
            return
        if sum(len(one.topics) for one in self.peers) >= SUBSCRIPTIONS:
            peer.reply(message("error", f"Cannot subscribe to more than {SUBSCRIPTIONS} channels: {text}"))
            return
        self.join(peer, topic)
        peer.reply(_confirmed("subscribe", wanted))
        channel, data = self._first(topic.partition(":")[0], coin, now_ns)
        peer.offer(Frame(VENUE, topic, coin, kind, b"", now_ns), message(channel, data))

    def _unsubscribe(self, peer: Peer, wanted: dict[str, Any]) -> None:
        topic = _topic(wanted)
        if topic not in peer.topics:
            peer.reply(message("error", f"Already unsubscribed: {msgspec.json.encode(wanted).decode()}"))
            return
        self.leave(peer, (topic,))
        peer.reply(_confirmed("unsubscribe", wanted))

    def _first(self, kind: str, coin: str, now_ns: int) -> tuple[str, object]:
        """What a subscription begins with, and the channel it comes on."""
        runner = self.markets[coin]
        feed = runner.feed(HyperliquidFeed)
        data: dict[str, Callable[[], object]] = {
            "l2Book": lambda: feed.book(now_ns),
            _FAST: lambda: feed.fast_book(now_ns),
            "bbo": lambda: feed.bbo(now_ns),
            "trades": lambda: feed.trades(runner.latest(RECENT)),
            "activeAssetCtx": lambda: feed.context(now_ns),
        }
        return _answers_on(kind, runner.market), data[kind]()

    def _info(self, body: bytes, now_ns: int) -> object:
        """None where nothing of the kind is known."""
        request = _read_info(body)
        if request is None:
            return None
        if request.coin in self.markets:
            kind = {"l2Book": "l2Book", "recentTrades": "trades"}.get(request.type)
            return None if kind is None else self._first(kind, request.coin, now_ns)[1]
        listed = self.markets.instruments.values()
        if request.type == "meta":
            return perpetuals([one for one in listed if one.kind is Kind.PERPETUAL])
        return pairs([one for one in listed if one.kind is Kind.SPOT]) if request.type == "spotMeta" else None


def tid(trade_id: int) -> int:
    """50 bits that are unique and not in order."""
    return trade_id * 0x9E3779B97F4A7C15 % 2**50


def message(channel: str, data: object) -> bytes:
    return msgspec.json.encode({"channel": channel, "data": data})


def _confirmed(method: str, wanted: dict[str, Any]) -> bytes:
    """The venue adds the fields that were not given."""
    defaults = {"nSigFigs": None, "mantissa": None} if wanted.get("type") == "l2Book" else {}
    return message("subscriptionResponse", {"method": method, "subscription": wanted | defaults})


def _topic(wanted: dict[str, Any]) -> str:
    """What is joined: the channel as it is called here, and the coin."""
    kind = wanted.get("type")
    return f"{_FAST if kind == 'l2Book' and wanted.get('fast') is True else kind}:{wanted.get('coin')}"


def _answers_on(kind: str, market: Market) -> str:
    """The venue's channel on which data of this one come."""
    if kind == _FAST:
        return "l2Book"
    is_spot = market.instrument.kind is Kind.SPOT
    return "activeSpotAssetCtx" if is_spot and kind == "activeAssetCtx" else kind


class InfoRequest(msgspec.Struct):
    type: str
    coin: str = ""


class Request(msgspec.Struct):
    method: str
    subscription: dict[str, Any] = {}


_read_info = reader(InfoRequest)
_read = reader(Request)

ENGINES = (MatchingEngine(VENUE, lists, BLOCK_NS, ((HyperliquidExchange, HyperliquidFeed),)),)
