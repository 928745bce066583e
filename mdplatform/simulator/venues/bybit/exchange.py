"""Bybit V5: a socket a category, its subscriptions, and the REST calls that a market data client needs.

https://bybit-exchange.github.io/docs/v5/ws/connect, https://bybit-exchange.github.io/docs/v5/market/instrument
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, answer, number
from mdplatform.simulator.protocol.wire import reader
from mdplatform.simulator.venues.bybit.feed import DEPTHS, OPTION_DEPTHS, VENUE, BybitFeed, exec_id
from mdplatform.simulator.venues.bybit.instruments import CATEGORIES, lists, options, row

LIMITS = ConnectionLimits(
    messages=(100.0, 1_000.0),  # none is documented
    connects=(500 / 300, 500.0),
    requests=(120.0, 600.0),
)
_IDLE_NS = 600 * SECOND
_CHARACTERS = 21_000  # of all topics of a connection
_SPOT_ARGS = 10  # a request
_OPTION_ARGS = 2_000  # a connection
_OF_OPTIONS = frozenset(("publicTrade", "tickers", *(f"orderbook.{depth}" for depth in OPTION_DEPTHS)))
_EVERYWHERE = frozenset(("publicTrade", "tickers", "orderbook.1", *(f"orderbook.{depth}" for depth in DEPTHS)))


class BybitExchange(Exchange):
    """One bad topic refuses all of its request, and the refusal does not repeat the request's id."""

    venue = VENUE
    default_limits = LIMITS
    paths = tuple(f"/v5/public/{category}" for category in CATEGORIES)
    connections = 1000
    lists = ("/instruments-info",)

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes["category"] = path.removeprefix("/v5/public/")

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        request = _read(message)
        if request is None:
            self._reply(peer, "", "Params Error", success=False)
            return
        if request.op == "ping":
            if _category(peer) == "option":
                self.reply(peer, {"args": [str(now_ns // _MS)], "op": "pong"})
            else:
                self._reply(peer, "ping", "pong", request.req_id)
            return
        if _category(peer) == "option":
            self._on_option_request(peer, request, now_ns)
            return
        topics = [f"{_category(peer)}/{arg}" for arg in request.args]
        refusal = self._refusal(peer, request, topics)
        if refusal:
            self._reply(peer, request.op, refusal, success=False)
            return
        text = "subscribe" if _category(peer) == "spot" and request.op == "subscribe" else ""
        if request.op == "unsubscribe":
            self.leave(peer, topics)
            self._reply(peer, request.op, text, request.req_id)
            return
        for topic in topics:
            channel, key = _split(topic)
            if self.join(peer, topic):
                self._feed(key).rebase(channel, now_ns)
        self._reply(peer, request.op, text, request.req_id)
        for topic in topics:
            self._greet(peer, topic, now_ns)

    def _on_option_request(self, peer: Peer, request: Request, now_ns: int) -> None:
        """The socket of options answers by topic, and a bad topic costs no other. Trades are those of an asset."""
        done, failed = list[str](), list[str]()
        for arg in request.args:
            topic = f"option/{arg}"
            if request.op == "unsubscribe":
                self.leave(peer, [topic])
            channel, key = _split(topic)
            known = channel in _OF_OPTIONS and bool(self.markets_of(topic)) and len(peer.topics) < _OPTION_ARGS
            (done if known else failed).append(arg)
            if known and request.op == "subscribe" and self.join(peer, topic) and channel != "publicTrade":
                self._feed(key).rebase(channel, now_ns)
        self.reply(
            peer,
            {
                "success": not failed,
                "conn_id": f"{peer.number:08x}",
                "data": {"failTopics": failed, "successTopics": done},
                "type": "COMMAND_RESP",
            },
        )
        for arg in done if request.op == "subscribe" else ():
            if not arg.startswith("publicTrade."):
                self._greet(peer, f"option/{arg}", now_ns)

    def beat(self, peer: Peer, now_ns: int) -> None:
        if now_ns - peer.received_ns > _IDLE_NS:
            peer.close(1000, "idle")

    def markets_of(self, topic: str) -> list[str]:
        channel, key = _split(topic)
        if channel == "publicTrade" and topic.startswith("option/"):
            return [one.key for one in self.markets.listed("option") if key == f"option/{one.base}"]
        return [key] if key in self.markets else []

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        """What is wrong with a call is status 200 and a code."""
        call = _CALLS.get(path)
        if call is None:
            return Answer(404, b"")
        try:
            return _answer(call(self.markets, query, now_ns), now_ns)
        except _Wrong as wrong:
            return _answer({}, now_ns, _BAD, str(wrong))

    def too_many(self, retry_s: int) -> Answer:
        return Answer(403, b'{"retCode":10018,"retMsg":"access too frequent"}')

    def _refusal(self, peer: Peer, request: Request, topics: list[str]) -> str:
        """What is wrong with a request; empty where nothing is."""
        category = _category(peer)
        if request.op == "unsubscribe":
            return ""
        if category == "spot" and len(topics) > _SPOT_ARGS:
            return f"args size >{_SPOT_ARGS}"
        if sum(len(_arg(topic)) for topic in (*peer.topics, *topics)) > _CHARACTERS:
            return f"args length >{_CHARACTERS}"
        for topic in topics:
            channel, key = _split(topic)
            known = channel in _EVERYWHERE or (channel == "allLiquidation" and category != "spot")
            if not known or key not in self.markets.instruments:
                return f"error:handler not found,topic:{_arg(topic)}"
            if topic in peer.topics:
                return f"error:already subscribed,topic:{_arg(topic)}"
        return ""

    def _greet(self, peer: Peer, topic: str, now_ns: int) -> None:
        channel, key = _split(topic)
        frame = self._feed(key).snapshot(channel, now_ns)
        if frame is not None:
            peer.offer(frame)

    def _feed(self, key: str) -> BybitFeed:
        return self.markets[key].feed(BybitFeed)

    def _reply(self, peer: Peer, op: str, text: str, number: str | None = None, *, success: bool = True) -> None:
        answer: dict[str, Any] = {"success": success, "ret_msg": text, "conn_id": f"{peer.number:08x}"}
        self.reply(peer, answer | ({} if number is None else {"req_id": number}) | {"op": op})


class Request(msgspec.Struct):
    op: str
    args: list[str] = []
    req_id: str | None = None

    def __post_init__(self) -> None:
        if self.op not in ("subscribe", "unsubscribe", "ping"):
            raise ValueError(f"no such request: {self.op}")


_read = reader(Request)


def _category(peer: Peer) -> str:
    return str(peer.notes.get("category", "linear"))


def _arg(topic: str) -> str:
    """The topic as the client names it."""
    return topic.partition("/")[2]


def _split(topic: str) -> tuple[str, str]:
    """(channel, key of the market)."""
    category, _, arg = topic.partition("/")
    channel, _, symbol = arg.rpartition(".")
    return channel, f"{category}/{symbol}"


_MS = 1_000_000
_BAD = 10001


class _Wrong(Exception):
    """What is wrong with a call."""


def _answer(result: dict[str, Any], now_ns: int, code: int = 0, text: str = "OK") -> Answer:
    return answer({"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": now_ns // _MS})


def _instruments(markets: Markets, query: Mapping[str, str], now_ns: int) -> dict[str, Any]:
    """In pages; spot comes whole."""
    category = _requested_category(query)
    base = query.get("baseCoin", "BTC" if category == "option" else None)
    rows = [row(one) for one in markets.instruments.values() if one.section == category and base in (None, one.base)]
    if category == "spot":
        return {"category": category, "list": rows}
    start = _number({"cursor": query.get("cursor", "").removeprefix("page_token=")}, "cursor", 0, 10**6)
    end = start + _number(query, "limit", 500, 1000)
    cursor = quote(f"page_token={end}") if end < len(rows) else ""
    return {"category": category, "list": rows[start:end], "nextPageCursor": cursor}


def _book(markets: Markets, query: Mapping[str, str], now_ns: int) -> dict[str, Any]:
    runner = _runner(markets, query)
    market = runner.market
    bids, asks = runner.levels(_number(query, "limit", 1 if _requested_category(query) == "spot" else 25, 1000))
    times = {"ts": now_ns // _MS, "cts": now_ns // _MS}
    return {"s": market.instrument.symbol, "b": bids, "a": asks, "u": 1, "seq": market.update_id, **times}


def _trades(markets: Markets, query: Mapping[str, str], now_ns: int) -> dict[str, Any]:
    runner, category = _runner(markets, query), _requested_category(query)
    instrument = runner.market.instrument
    most = _number(query, "limit", 60 if category == "spot" else 500, 60 if category == "spot" else 1000)
    rows = [
        {
            "execId": str(exec_id(instrument.key, one)),
            "symbol": instrument.symbol,
            "price": instrument.price.text(one.tick),
            "size": instrument.size.text(one.lots),
            "side": one.taker_side.title(),
            "time": str(one.ns // _MS),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(one.update_id),
        }
        for one in runner.latest(most)
    ]
    return {"category": category, "list": rows}


def _requested_category(query: Mapping[str, str]) -> str:
    category = query.get("category", "")
    if category not in CATEGORIES:
        raise _Wrong("Illegal category")
    return category


def _runner(markets: Markets, query: Mapping[str, str]) -> MarketRunner:
    key = f"{_requested_category(query)}/{query.get('symbol', '')}"
    if key not in markets:
        raise _Wrong("params error: symbol invalid")
    return markets[key]


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    return number(query, name, default, most, lambda name: _Wrong(f"params error: {name} invalid"), digits=9)


_CALLS: dict[str, Callable[[Markets, Mapping[str, str], int], dict[str, Any]]] = {
    "/v5/market/instruments-info": _instruments,
    "/v5/market/orderbook": _book,
    "/v5/market/recent-trade": _trades,
}

ENGINES = (MatchingEngine(VENUE, lists, DEPTHS[50], ((BybitExchange, BybitFeed),), options),)
