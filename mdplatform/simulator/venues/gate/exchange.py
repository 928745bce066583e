"""Gate: a socket a section, its subscriptions, and the REST calls that a market data client needs.

https://www.gate.com/docs/developers/apiv4/ws/en/, https://www.gate.com/docs/developers/apiv4/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, Refused, answer
from mdplatform.simulator.protocol.wire import reader
from mdplatform.simulator.venues.gate.feed import PUBLISH_NS, STREAMS, VENUE, GateFeed
from mdplatform.simulator.venues.gate.instruments import BTC, DELIVERY, SPOT, USD1, USDT, lists, row

LIMITS = ConnectionLimits(
    ping_every_s=15.0,
    pong_within_s=30.0,
    lifetime_s=7 * 86_400.0,  # an upgrade a week
    notice_s=60.0,
    subscribe_within_s=30.5,  # probed in 2026-10
    messages=(100.0, 1_000.0),  # none is documented
    connects=(1.0, 300.0),
    requests=(20.0, 200.0),
)
_SECTIONS = {
    "/ws/v4/": SPOT,
    "/v4/ws/usdt": USDT,
    "/v4/ws/btc": BTC,
    "/v4/ws/usd1": USD1,
    "/v4/ws/delivery/usdt": DELIVERY,
}
_BOOK = "order_book_update"
_EVERYWHERE = frozenset((_BOOK, "trades", "book_ticker"))
_OF_CONTRACTS = frozenset(("tickers", "public_liquidates"))


class GateExchange(Exchange):
    """One unknown symbol refuses all of its request; an order book is one a request.

    A stream of ``obu`` that does not exist is acknowledged, and silent.
    """

    venue = VENUE
    default_limits = LIMITS
    paths = tuple(_SECTIONS)
    connections = 300
    lists = ("/currency_pairs", "/contracts")

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes["section"] = _SECTIONS[path]

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        request = _read(message)
        if request is None:
            self._reply(peer, Request(channel="", event=""), now_ns, (1, "invalid request body format"))
            return
        section = str(peer.notes["section"])
        word, _, channel = request.channel.partition(".")
        if channel == "ping":
            pong = {"time": now_ns // SECOND, "time_ms": now_ns // 1_000_000, "channel": f"{word}.pong", "event": ""}
            self.reply(peer, {**pong, "result": None})
            return
        if channel == "obu" and section != DELIVERY:
            self._stream(peer, request, section, now_ns)
            return
        names = request.payload[:1] if channel == _BOOK else request.payload
        topics = [f"{section}/{name}:{channel}" for name in names]
        refusal = self._refusal(peer, request, section, topics)
        if refusal is None and request.event == "unsubscribe":
            self.leave(peer, topics)
        elif refusal is None:
            for topic in topics:
                if self.join(peer, topic) and channel == _BOOK:
                    self.markets[topic.partition(":")[0]].feed(GateFeed).rebase()
        self._reply(peer, request, now_ns, refusal)

    def _stream(self, peer: Peer, request: Request, section: str, now_ns: int) -> None:
        """Streams of books, each beginning with the whole of it."""
        joined: list[tuple[str, int]] = []
        for name in request.payload:
            symbol, _, levels = name.removeprefix("ob.").rpartition(".")
            key = f"{section}/{symbol}"
            if key not in self.markets.instruments or levels not in map(str, STREAMS):
                continue
            topic = f"{key}:obu-{levels}"
            if request.event == "unsubscribe":
                self.leave(peer, [topic])
            elif topic in peer.topics:
                self._reply(peer, request, now_ns, (2, f"Alert sub {name}"))
                return
            else:
                self.join(peer, topic)
                joined.append((key, int(levels)))
        self._reply(peer, request, now_ns, None)
        for key, count in joined:
            peer.offer(self.markets[key].feed(GateFeed).whole(count, now_ns))

    def farewell(self, peer: Peer, now_ns: int) -> None:
        if peer.notes["section"] != SPOT:
            text = "The connection will soon be closed for an upgrade. Please reconnect."
            head = {"time": now_ns // SECOND, "time_ms": now_ns // 1_000_000, "channel": "futures.system"}
            self.reply(peer, {**head, "event": "update", "result": {"type": "upgrade", "msg": text}})

    def markets_of(self, topic: str) -> Iterable[str]:
        return [topic.partition(":")[0]]

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        section, _, call = path.removeprefix("/api/v4/").rpartition("/")
        if section not in _SECTIONS.values():
            return _NOT_FOUND
        if call == ("currency_pairs" if section == SPOT else "contracts"):
            return answer([row(one) for one in self.markets.listed(section)])
        if call == "order_book":
            return Answer(200, _book(self.markets, section, query, now_ns).encode())
        if call == "trades":
            return Answer(200, _trades(self.markets, section, query).encode())
        return _NOT_FOUND

    def too_many(self, retry_s: int) -> Answer:
        return Answer(429, b'{"label":"TOO_MANY_REQUESTS","message":"Request Rate Limit Exceeded"}')

    def _refusal(self, peer: Peer, request: Request, section: str, topics: list[str]) -> tuple[int, str] | None:
        """What is wrong with a request (code, text)."""
        word, _, channel = request.channel.partition(".")
        offered = _EVERYWHERE if section == SPOT else _EVERYWHERE | _OF_CONTRACTS
        if word != ("spot" if section == SPOT else "futures") or channel not in offered:
            return 2, f"unknown channel {request.channel}"
        if channel == _BOOK and (len(request.payload) not in (2, 3) or request.payload[1] != "100ms"):
            return 2, f"invalid argument {request.payload}"
        for topic in topics:
            key = topic.partition(":")[0]
            if key not in self.markets.instruments:
                return 2, f"unknown currency pair {key.removeprefix(f'{section}/')}"
            if channel == _BOOK and request.event == "subscribe" and topic in peer.topics:
                return 2, f"Alert sub {request.payload[0]}"
        return None

    def _reply(self, peer: Peer, request: Request, now_ns: int, refusal: tuple[int, str] | None) -> None:
        answer: dict[str, Any] = {"time": now_ns // SECOND, "time_ms": now_ns // 1_000_000}
        if request.id is not None:
            answer["id"] = request.id
        answer |= {"conn_id": f"{peer.number:08x}", "channel": request.channel, "event": request.event}
        error = None if refusal is None else {"code": refusal[0], "message": refusal[1]}
        status = {"status": "success" if refusal is None else "fail"}
        self.reply(peer, {**answer, "payload": request.payload, "error": error, "result": status})


class Request(msgspec.Struct):
    channel: str
    event: str = "subscribe"
    payload: list[str] = []
    id: int | None = None
    time: int = 0


_read = reader(Request)

_MS = 1_000_000
_MOST_LEVELS = 100
_MOST_TRADES = 1000
_NOT_FOUND = Answer(404, b'{"label":"NOT_FOUND","message":"Not Found"}')


def _book(markets: Markets, section: str, query: Mapping[str, str], now_ns: int) -> str:
    runner = _runner(markets, section, query)
    bids, asks = runner.feed(GateFeed).top(_limit(query, 10, _MOST_LEVELS))
    number = f'"id":{runner.market.update_id},' if query.get("with_id") == "true" else ""
    at = f"{now_ns // _MS}" if section == SPOT else f"{now_ns // _MS / 1000:.3f}"
    return f'{{{number}"current":{at},"update":{at},"asks":[{asks}],"bids":[{bids}]}}'


def _trades(markets: Markets, section: str, query: Mapping[str, str]) -> str:
    """Newest first."""
    runner = _runner(markets, section, query)
    latest, feed = runner.latest(_limit(query, 100, _MOST_TRADES)), runner.feed(GateFeed)
    return f"[{','.join(feed.rest_trade(one) if section == SPOT else feed.contract_trade(one) for one in latest)}]"


def _runner(markets: Markets, section: str, query: Mapping[str, str]) -> MarketRunner:
    name, label = ("currency_pair", "INVALID_CURRENCY_PAIR") if section == SPOT else ("contract", "CONTRACT_NOT_FOUND")
    symbol = query.get(name)
    if not symbol:
        raise _refused("MISSING_REQUIRED_PARAM", f"Missing required parameter: {name}")
    if f"{section}/{symbol}" not in markets:
        raise _refused(label, f"Invalid {name} {symbol}")
    return markets[f"{section}/{symbol}"]


def _limit(query: Mapping[str, str], default: int, most: int) -> int:
    text = query.get("limit") or str(default)
    if not text.isdecimal() or len(text) > 9 or not 0 < int(text) <= most:
        raise _refused("INVALID_PARAM_VALUE", f"Invalid parameter `limit` with value: {text[:20]}")
    return int(text)


def _refused(label: str, message: str) -> Refused:
    return Refused(answer({"label": label, "message": message}, 400))


ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((GateExchange, GateFeed),)),)
