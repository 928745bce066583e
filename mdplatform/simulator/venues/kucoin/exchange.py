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
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, Refused, answer
from mdplatform.simulator.protocol.wire import reader
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
    paths = ("", "/")
    topics_a_connection = 300  # of third parties' word; more of them have been seen to stay silent
    lists = ("/api/v2/symbols", "/contracts/active")

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._granted = 0
        self._tickets: dict[str, None] = {}  # those that open a connection yet

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
        request = _read(message)
        if request is None:
            self._refuse(peer, "", 400, "invalid request")
            return
        if request.type == "ping":
            self.reply(peer, {"id": request.id, "type": "pong", "timestamp": now_ns // 1000})
            return
        name, _, symbols = request.topic.partition(":")
        section = _NAMES.get(name, "")
        unknown = [symbol for symbol in symbols.split(",") if f"{section}/{symbol}" not in self.markets]
        if symbols.count(",") >= _SYMBOLS:
            self._refuse(peer, request.id, 400, f"exceed max symbols limitation of {_SYMBOLS} per topic")
            return
        if request.type not in ("subscribe", "unsubscribe") or unknown:
            self._refuse(peer, request.id, 404, f"topic {request.topic} is not found")
            return
        topics = [f"{name}:{symbol}" for symbol in symbols.split(",")]
        if request.type == "unsubscribe":
            self.leave(peer, topics)
        for topic in topics if request.type == "subscribe" else ():
            self.join(peer, topic)
        if request.response:
            self.reply(peer, {"id": request.id, "type": "ack"})

    def _refuse(self, peer: Peer, request: str, code: int, text: str) -> None:
        self.reply(peer, {"id": request, "type": "error", "code": code, "data": text})

    def _on_uta(self, peer: Peer, message: bytes, now_ns: int) -> None:
        """A symbol that does not exist is acknowledged, and silent."""
        request = _read_uta(message)
        if request is None:
            self.reply(peer, {"id": "", "result": False, "message": "invalid request"})
        elif request.type == "ping":
            self.reply(peer, {"id": request.id, "type": "pong", "ts": now_ns})
        elif refusal := self._uta_refusal(peer, request):
            self.reply(peer, {"id": request.id, "result": False, "message": refusal})
        else:
            self.reply(peer, {"id": request.id, "result": True})
            self._on_book(peer, request, now_ns)

    def _uta_refusal(self, peer: Peer, request: UtaRequest) -> str | None:
        is_known = request.channel == "obu" and request.depth == "increment@10ms"
        if not is_known or request.tradeType.lower() not in (SPOT, FUTURES):
            return f"unknown channel {request.channel} {request.depth} of {request.tradeType}"
        return "too many topics" if len(peer.topics) >= _UTA_TOPICS and request.action == "subscribe" else None

    def _on_book(self, peer: Peer, request: UtaRequest, now_ns: int) -> None:
        section = request.tradeType.lower()
        key, topic = f"{section}/{request.symbol}", f"obu/{section}:{request.symbol}"
        if key not in self.markets:
            return
        if request.action == "unsubscribe":
            self.leave(peer, [topic])
            return
        feed = self.markets[key].feed(KucoinFeed)
        if topic in self.topics:
            for frame in feed.pending(now_ns):  # so that the snapshot stands where the next delta goes on
                self.publish(frame)
        self.join(peer, topic)
        peer.offer(feed.uta_snapshot(now_ns))

    def beat(self, peer: Peer, now_ns: int) -> None:
        if now_ns - peer.received_ns > _SILENT_S * SECOND:
            peer.close(1000, "Bye")

    def markets_of(self, topic: str) -> Iterable[str]:
        name, _, symbol = topic.partition(":")
        section = name.removeprefix("obu/") if name.startswith("obu/") else _NAMES[name]
        return [f"{section}/{symbol}"]

    def post(self, path: str, query: Mapping[str, str], body: bytes, now_ns: int) -> Answer:
        if path != "/api/v1/bullet-public":
            raise _refused(404, "404", "Not Found")
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
            raise _refused(405, "405", "Method Not Allowed")
        if path.startswith(_CONTRACT):
            return _answer(self._contract(path.removeprefix(_CONTRACT), now_ns))
        section = _CALLS.get(path)
        if section is None:
            raise _refused(404, "404", "Not Found")
        key = f"{section}/{query.get('symbol', '')}"
        if key not in self.markets:
            raise _refused(400, "400100", "symbol not exists")
        runner = self.markets[key]
        return _answer(_trades(runner) if "histor" in path else _book(runner, now_ns))

    def _contract(self, symbol: str, now_ns: int) -> str:
        """As the list has it, with what changes."""
        runner = self.markets.get(f"{FUTURES}/{symbol}")
        if runner is None:
            raise _refused(400, "400100", "symbol not exists")
        market = runner.market
        state = {
            "openInterest": market.instrument.size.text(market.open_lots),
            "markPrice": market.mark(now_ns).mark_price,
        }
        return msgspec.json.encode({**row(market.instrument), **state}).decode()

    def too_many(self, retry_s: int) -> Answer:
        return _refused(429, "429000", "Too many requests in a short period of time, please retry later").answer


class UtaRequest(msgspec.Struct):
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
_CONTRACT = "/api/v1/contracts/"
_CALLS = {
    "/api/v1/market/orderbook/level2_100": SPOT,
    "/api/v1/level2/snapshot": FUTURES,
    "/api/v1/market/histories": SPOT,
    "/api/v1/trade/history": FUTURES,
}
_read_uta = reader(UtaRequest)
_read = reader(Request)


def _book(runner: MarketRunner, now_ns: int) -> str:
    """The best 100 levels of spot, all of a contract."""
    market, is_spot = runner.market, runner.market.instrument.section == SPOT
    bids, asks = runner.feed(KucoinFeed).top(100 if is_spot else None)
    if is_spot:
        return f'{{"time":{now_ns // 1_000_000},"sequence":"{market.update_id}","bids":[{bids}],"asks":[{asks}]}}'
    head = f'{{"sequence":{market.update_id},"symbol":"{market.instrument.symbol}"'
    return f'{head},"bids":[{bids}],"asks":[{asks}],"ts":{now_ns}}}'


def _trades(runner: MarketRunner) -> str:
    """The latest 100."""
    return f"[{','.join(runner.feed(KucoinFeed).rest_trade(trade) for trade in list(runner.trades)[-100:])}]"


def _answer(data: str) -> Answer:
    return Answer(200, f'{{"code":"200000","data":{data}}}'.encode())


def _refused(status: int, code: str, text: str) -> Refused:
    return Refused(answer({"code": code, "msg": text}, status))


ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((KucoinExchange, KucoinFeed),), has_shares=True),)
