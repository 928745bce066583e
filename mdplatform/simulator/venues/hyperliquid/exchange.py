"""Hyperliquid: the socket, and the POSTs of /info.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket (2026-06). What cannot be subscribed to
ends the connection without a close frame (probed 2026-09); that is not documented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.feed import Frame
from mdplatform.simulator.engine.market_runner import Markets
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import Bucket, ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.protocol.wire import reader
from mdplatform.simulator.venues.hyperliquid.feed import (
    BLOCK_NS,
    FAST,
    VENUE,
    HyperliquidFeed,
    answers_on,
    message,
)
from mdplatform.simulator.venues.hyperliquid.instruments import lists, pairs, perpetuals

RECENT = 10  # trades that a subscription begins with
CONNECTIONS = 10
SUBSCRIPTIONS = 1000  # of one address, and a simulator has but one client
IDLE_NS = 60 * SECOND  # the venue closes a connection on which it had nothing to say for so long
_CHANNELS = frozenset(("l2Book", "trades", "bbo", "activeAssetCtx"))
_FIGURES = (None, 2, 3, 4, 5)  # to which prices of a book may be rounded

LIMITS = ConnectionLimits(
    messages=(2000 / 60, 2000.0),
    connects=(0.5, 30.0),
    requests=(20.0 / 20, 60.0),  # most calls cost 20 of the 1200 units a minute
)


class HyperliquidExchange(Exchange):
    """One coin a subscription; each is confirmed and begins with what is now."""

    venue = VENUE
    default_limits = LIMITS
    paths = ("/ws",)
    connections = CONNECTIONS

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._messages = Bucket(*self.limits.messages)  # of an address, whichever connection they come by

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
        return body is not None and any(kind in body for kind in (b'"meta"', b'"spotMeta"', b'"allPerpMetas"'))

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
            FAST: lambda: feed.fast_book(now_ns),
            "bbo": lambda: feed.bbo(now_ns),
            "trades": lambda: feed.trades(runner.latest(RECENT)),
            "activeAssetCtx": lambda: feed.context(now_ns),
        }
        return answers_on(kind, runner.market), data[kind]()

    def _info(self, body: bytes, now_ns: int) -> object:
        """None where nothing of the kind is known."""
        request = _read_info(body)
        if request is None:
            return None
        if request.coin in self.markets:
            kind = {"l2Book": "l2Book", "recentTrades": "trades"}.get(request.type)
            return None if kind is None else self._first(kind, request.coin, now_ns)[1]
        listed = self.markets.instruments.values()
        if request.type in ("meta", "allPerpMetas"):
            own = perpetuals([one for one in listed if one.kind is Kind.PERPETUAL])
            return own if request.type == "meta" else [own]  # nobody else deploys any here
        return pairs([one for one in listed if one.kind is Kind.SPOT]) if request.type == "spotMeta" else None


def _confirmed(method: str, wanted: dict[str, Any]) -> bytes:
    """The venue adds the fields that were not given."""
    defaults = {"nSigFigs": None, "mantissa": None} if wanted.get("type") == "l2Book" else {}
    return message("subscriptionResponse", {"method": method, "subscription": wanted | defaults})


def _topic(wanted: dict[str, Any]) -> str:
    """What is joined: the channel as it is called here, and the coin."""
    kind = wanted.get("type")
    return f"{FAST if kind == 'l2Book' and wanted.get('fast') is True else kind}:{wanted.get('coin')}"


class InfoRequest(msgspec.Struct):
    type: str
    coin: str = ""


class Request(msgspec.Struct):
    method: str
    subscription: dict[str, Any] = {}


_read_info = reader(InfoRequest)
_read = reader(Request)

ENGINES = (MatchingEngine(VENUE, lists, BLOCK_NS, ((HyperliquidExchange, HyperliquidFeed),)),)
