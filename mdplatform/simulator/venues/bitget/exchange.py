"""Bitget v3: the public socket and its subscriptions, and the REST calls a market data client needs.

https://www.bitget.com/api-doc/uta/websocket/public/Order-Book-Channel
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mdplatform.simulator.engine.market_runner import MarketRunner
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, Refused, answer
from mdplatform.simulator.protocol.wire import reader
from mdplatform.simulator.venues.bitget.feed import HISTORY, PUBLISH_NS, VENUE, BitgetFeed
from mdplatform.simulator.venues.bitget.instruments import CATEGORIES, SPOT, lists, row

LIMITS = ConnectionLimits(
    lifetime_s=86_400.0,
    subscribe_within_s=30.0,
    messages=(10.0, 10.0),
    connects=(1.0, 300.0),
    requests=(20.0, 20.0),
)
_IDLE_NS = 120 * SECOND  # without a ping
_TOO_MANY_BOOKS = 25  # in one message: the socket is gone without a word (probed in 2026-10)
_AN_HOUR = 240  # subscriptions of one connection
_EVERYWHERE = ("books", "books1", "publicTrade")
_OF_CONTRACTS = ("ticker", "liquidation")
_MS = 1_000_000


class BitgetExchange(Exchange):
    """Each argument of a subscription is answered by itself: what there is not, with the code 30001."""

    venue = VENUE
    default_limits = LIMITS
    paths = ("/v3/ws/public",)
    connections = 100
    topics_a_connection = 1000
    lists = ("/market/instruments",)

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        if message == b"ping":
            peer.reply(b"pong")
            return
        request = _read(message)
        if request is None:
            self.reply(peer, {"event": "error", "code": 30003, "msg": "Invalid request"})
        elif sum(arg.get("topic") == "books" for arg in request.args) >= _TOO_MANY_BOOKS:
            peer.link.cut()
        elif request.op == "subscribe" and not self._may_subscribe(peer, now_ns):
            self.reply(peer, {"event": "error", "code": 30006, "msg": "subscriptions are limited to 240 an hour"})
        else:
            for arg in request.args:
                self._on_argument(peer, request.op, arg, now_ns)

    def _on_argument(self, peer: Peer, op: str, arg: dict[str, str], now_ns: int) -> None:
        topic = self._topic(arg)
        if topic is None:
            what = ",".join(f"{name}:{value}" for name, value in arg.items())
            refusal = {"event": "error", "arg": arg, "code": 30001, "msg": f"{what} doesn't exist", "op": op}
            self.reply(peer, refusal)
            return
        fresh = topic not in peer.topics
        if op == "unsubscribe":
            self.leave(peer, [topic])
        elif self.join(peer, topic) and topic.endswith(":books"):
            self._feed(topic).book.rebase()
        self.reply(peer, {"event": op, "arg": arg, "connId": f"{peer.number:08x}"})
        if op == "subscribe" and fresh:
            self._greet(peer, topic, now_ns)

    def beat(self, peer: Peer, now_ns: int) -> None:
        if now_ns - peer.received_ns > _IDLE_NS:
            peer.close(1000, "no ping")

    def markets_of(self, topic: str) -> Iterable[str]:
        name, _, channel = topic.partition(":")
        if channel != "liquidation":
            return [name]
        return [key for key, one in self.markets.instruments.items() if one.section == name]

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        category = query.get("category", "").lower()
        if category not in CATEGORIES:
            raise _refused("40034", "Parameter category does not exist")
        if path == "/api/v3/market/instruments":
            return _answer([row(one) for one in self.markets.instruments.values() if one.section == category], now_ns)
        key = f"{category}/{query.get('symbol', '')}"
        if key not in self.markets:
            raise _refused("40034", "Parameter symbol does not exist")
        if path == "/api/v3/market/orderbook":
            return _answer(_book(self.markets[key], now_ns), now_ns)
        return Answer(404, b'{"code":"40404","msg":"Request URL NOT FOUND"}')

    def too_many(self, retry_s: int) -> Answer:
        return Answer(429, b'{"code":"429","msg":"Too Many Requests","data":null}')

    def _may_subscribe(self, peer: Peer, now_ns: int) -> bool:
        """Whether this connection has a subscription of the hour left, which is then spent."""
        recent: deque[int] = peer.notes.setdefault("requested_ns", deque())
        while recent and recent[0] <= now_ns - 3600 * SECOND:
            recent.popleft()
        recent.append(now_ns)
        return len(recent) <= _AN_HOUR

    def _topic(self, arg: dict[str, str]) -> str | None:
        """What an argument subscribes to; None where there is no such thing."""
        category, channel, symbol = arg.get("instType", ""), arg.get("topic", ""), arg.get("symbol")
        offered = _EVERYWHERE if category == SPOT else _EVERYWHERE + _OF_CONTRACTS
        if category not in CATEGORIES or channel not in offered:
            return None
        if channel == "liquidation":
            return f"{category}:liquidation" if symbol is None else None
        key = f"{category}/{symbol}"
        return f"{key}:{channel}" if key in self.markets.instruments else None

    def _greet(self, peer: Peer, topic: str, now_ns: int) -> None:
        """What a new subscription begins with."""
        key, _, channel = topic.partition(":")
        if channel == "books":
            peer.offer(self._feed(topic).snapshot(now_ns))
        elif channel == "publicTrade":
            peer.offer(self._feed(topic).history(self.markets[key].latest(HISTORY), now_ns))

    def _feed(self, topic: str) -> BitgetFeed:
        return self.markets[topic.partition(":")[0]].feed(BitgetFeed)


class Request(msgspec.Struct):
    op: str
    args: list[dict[str, str]]

    def __post_init__(self) -> None:
        if self.op not in ("subscribe", "unsubscribe") or not self.args:
            raise ValueError(f"no such request: {self.op}")


_read = reader(Request)


def _book(runner: MarketRunner, now_ns: int) -> dict[str, Any]:
    """Without a number: it cannot be joined to the socket's updates."""
    bids, asks = runner.levels(50)
    return {"a": asks, "b": bids, "ts": str(now_ns // _MS)}


def _answer(data: Any, now_ns: int) -> Answer:
    return answer({"code": "00000", "msg": "success", "requestTime": now_ns // _MS, "data": data})


def _refused(code: str, text: str) -> Refused:
    return Refused(answer({"code": code, "msg": text, "data": None}, 400))


ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((BitgetExchange, BitgetFeed),), has_shares=True),)
