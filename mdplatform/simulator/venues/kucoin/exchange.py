"""KuCoin: tickets, sockets and REST calls. https://www.kucoin.com/docs-new/websocket-api/base-info/introduction

Spot and futures share an address here; the connection that a ticket opens takes the topics of both. One that is opened
without a ticket is a UTA push socket: books by ``obu``, one symbol a request, in binary frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.exchange import SECOND, Answer, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.venues.kucoin.feed import PUBLISH_NS, TOPICS, VENUE, KucoinFeed
from mdplatform.simulator.venues.kucoin.instruments import FUTURES, SPOT, lists, row

LIMITS = ConnectionLimits(
    lifetime_s=86_400.0,
    messages=(10.0, 100.0),
    connects=(0.5, 30.0),
    requests=(30.0, 400.0),
)
_SILENT_S = 60.0  # a client that does not ping is dropped
_PING_MS = 18_000
_SYMBOLS = 100  # a topic
_UTA_PING_MS = 30_000
_UTA_TOPICS = 600  # a connection
_TICKETS = 1_000  # remembered; each opens one connection
_NAMES = {topic: section for section, topics in TOPICS.items() for topic in topics.values()}


class KucoinExchange(Exchange):
    """One unknown symbol refuses all of its request."""

    venue = VENUE
    default_limits = LIMITS
    topics_a_connection = 300  # of third parties' word; more of them have been seen to stay silent
    lists = ("/api/v2/symbols", "/contracts/active")

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._granted = 0
        self._tickets: dict[str, None] = {}  # those that open a connection yet

    def accepts(self, path: str) -> bool:
        return path in ("", "/")

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        if "token" not in query:
            peer.binary = True
            peer.notes["uta"] = True
            welcome = {"sessionId": f"{peer.number:08x}", "message": "welcome", "pingInterval": _UTA_PING_MS}
            peer.reply(msgspec.json.encode(welcome))
        elif self._tickets.pop(query["token"], 0) is None:
            peer.reply(msgspec.json.encode({"id": query.get("connectId", ""), "type": "welcome"}))
        else:
            peer.close(4001, "token is invalid")

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        if "uta" in peer.notes:
            self._on_uta(peer, message, now_ns)
            return
        try:
            request = _read_request(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            peer.reply(_error("", 400, "invalid request"))
            return
        if request.type == "ping":
            peer.reply(msgspec.json.encode({"id": request.id, "type": "pong", "timestamp": now_ns // 1000}))
            return
        name, _, symbols = request.topic.partition(":")
        section = _NAMES.get(name, "")
        unknown = [symbol for symbol in symbols.split(",") if f"{section}/{symbol}" not in self.markets]
        if symbols.count(",") >= _SYMBOLS:
            peer.reply(_error(request.id, 400, f"exceed max symbols limitation of {_SYMBOLS} per topic"))
            return
        if request.type not in ("subscribe", "unsubscribe") or unknown:
            peer.reply(_error(request.id, 404, f"topic {request.topic} is not found"))
            return
        topics = [f"{name}:{symbol}" for symbol in symbols.split(",")]
        if request.type == "unsubscribe":
            self.leave(peer, topics)
        for topic in topics if request.type == "subscribe" else ():
            self.join(peer, topic)
        if request.response:
            peer.reply(msgspec.json.encode({"id": request.id, "type": "ack"}))

    def _on_uta(self, peer: Peer, message: bytes, now_ns: int) -> None:
        """A symbol that does not exist is acknowledged, and silent."""
        try:
            wish = _read_wish(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            peer.reply(msgspec.json.encode({"id": "", "result": False, "message": "invalid request"}))
            return
        if wish.type == "ping":
            peer.reply(msgspec.json.encode({"id": wish.id, "type": "pong", "ts": now_ns}))
            return
        section, topic = wish.tradeType.lower(), f"obu/{wish.tradeType.lower()}:{wish.symbol}"
        refusal = None
        if wish.channel != "obu" or wish.depth != "increment@10ms" or section not in (SPOT, FUTURES):
            refusal = f"unknown channel {wish.channel} {wish.depth} of {wish.tradeType}"
        elif len(peer.topics) >= _UTA_TOPICS and wish.action == "subscribe":
            refusal = "too many topics"
        if refusal is not None:
            peer.reply(msgspec.json.encode({"id": wish.id, "result": False, "message": refusal}))
            return
        peer.reply(msgspec.json.encode({"id": wish.id, "result": True}))
        if f"{section}/{wish.symbol}" not in self.markets:
            return
        if wish.action == "unsubscribe":
            self.leave(peer, [topic])
            return
        feed = _feed(self.markets[f"{section}/{wish.symbol}"])
        if topic in self.topics:
            for frame in feed.pending(now_ns):  # so that the snapshot stands where the next delta goes on
                self.publish(frame)
        self.join(peer, topic)
        frame = feed.uta_snapshot(now_ns)
        peer.offer(frame, frame.body)

    def beat(self, peer: Peer, now_ns: int) -> None:
        if now_ns - peer.received_ns > _SILENT_S * SECOND:
            peer.close(1000, "Bye")

    def markets_of(self, topic: str) -> Iterable[str]:
        name, _, symbol = topic.partition(":")
        section = name.removeprefix("obu/") if name.startswith("obu/") else _NAMES[name]
        return [f"{section}/{symbol}"]

    def post(self, path: str, query: Mapping[str, str], body: bytes, now_ns: int) -> Answer:
        if path != "/api/v1/bullet-public":
            return _refused(404, "404", "Not Found")
        self._granted += 1
        token = f"{self._granted:08x}{now_ns:016x}"
        self._tickets[token] = None
        if len(self._tickets) > _TICKETS:
            del self._tickets[next(iter(self._tickets))]
        server = {"endpoint": f"{self.address}/", "encrypt": False, "protocol": "websocket"}
        servers = [{**server, "pingInterval": _PING_MS, "pingTimeout": 10_000}]
        return _answer(msgspec.json.encode({"token": token, "instanceServers": servers}).decode())

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        if path in _LISTS:
            rows = [row(one) for one in self.markets.instruments.values() if one.section == _LISTS[path]]
            return _answer(msgspec.json.encode(rows).decode())
        if path == "/api/v1/bullet-public":
            return _refused(405, "405", "Method Not Allowed")
        section = _CALLS.get(path)
        if section is None:
            return _refused(404, "404", "Not Found")
        key = f"{section}/{query.get('symbol', '')}"
        if key not in self.markets:
            return _refused(400, "400100", "symbol not exists")
        runner = self.markets[key]
        return _answer(_trades(runner) if "histor" in path else _book(runner, now_ns))

    def too_many(self, retry_s: int) -> Answer:
        return _refused(429, "429000", "Too many requests in a short period of time, please retry later")

    def subscribe_all(self, peer: Peer) -> Iterable[bytes]:
        """After the lists, by which alone contracts can be read."""
        for path, section in _LISTS.items():
            peer.reply(self.respond(path, {}, peer.opened_ns).body)
            symbols = [one.symbol for one in self.markets.instruments.values() if one.section == section]
            parts = [",".join(symbols[start : start + _SYMBOLS]) for start in range(0, len(symbols), _SYMBOLS)]
            for channel, topic in TOPICS[section].items():
                for part in parts if channel != "whole" else ():
                    yield msgspec.json.encode({"id": channel, "type": "subscribe", "topic": f"{topic}:{part}"})

    def snapshot_requests(self) -> Iterable[tuple[str, dict[str, str]]]:
        for one in self.markets.instruments.values():
            path = next(path for path, section in _CALLS.items() if section == one.section)
            yield path, {"symbol": one.symbol}


class Wish(msgspec.Struct):
    """A request on a UTA socket."""

    id: str = ""
    type: str = ""
    action: Literal["subscribe", "unsubscribe", ""] = ""
    channel: str = ""
    tradeType: str = ""
    symbol: str = ""
    depth: str = ""
    rpiFilter: int = 0


class Request(msgspec.Struct):
    type: str
    id: str = ""
    topic: str = ""
    response: bool = False


_LISTS = {"/api/v2/symbols": SPOT, "/api/v1/contracts/active": FUTURES}
_CALLS = {
    "/api/v1/market/orderbook/level2_100": SPOT,
    "/api/v1/level2/snapshot": FUTURES,
    "/api/v1/market/histories": SPOT,
    "/api/v1/trade/history": FUTURES,
}
_read_wish = msgspec.json.Decoder(Wish).decode
_read_request = msgspec.json.Decoder(Request).decode


def _feed(runner: MarketRunner) -> KucoinFeed:
    return next(feed for feed in runner.feeds if isinstance(feed, KucoinFeed))


def _book(runner: MarketRunner, now_ns: int) -> str:
    """The best 100 levels of spot, all of a contract."""
    market, feed, is_spot = runner.market, _feed(runner), runner.market.instrument.section == SPOT
    asks, bids = (feed.levels(side.top(100 if is_spot else len(side))) for side in (market.asks, market.bids))
    if is_spot:
        return f'{{"time":{now_ns // 1_000_000},"sequence":"{market.update_id}","bids":[{bids}],"asks":[{asks}]}}'
    head = f'{{"sequence":{market.update_id},"symbol":"{market.instrument.symbol}"'
    return f'{head},"bids":[{bids}],"asks":[{asks}],"ts":{now_ns}}}'


def _trades(runner: MarketRunner) -> str:
    """The latest 100."""
    return f"[{','.join(_feed(runner).printed(trade) for trade in list(runner.trades)[-100:])}]"


def _answer(data: str) -> Answer:
    return Answer(200, f'{{"code":"200000","data":{data}}}'.encode())


def _refused(status: int, code: str, text: str) -> Answer:
    return Answer(status, msgspec.json.encode({"code": code, "msg": text}))


def _error(request: str, code: int, text: str) -> bytes:
    return msgspec.json.encode({"id": request, "type": "error", "code": code, "data": text})


ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((KucoinExchange, KucoinFeed),)),)
