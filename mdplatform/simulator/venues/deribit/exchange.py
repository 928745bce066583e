"""Deribit: JSON-RPC on a socket and over HTTP. https://docs.deribit.com"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from secrets import token_urlsafe
from typing import Any

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.feed import Frame
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import Bucket, ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.protocol.wire import reader
from mdplatform.simulator.venues.deribit.feed import DEPTHS, INDICES, INTERVALS, PUBLISH_NS, VENUE, DeribitFeed
from mdplatform.simulator.venues.deribit.instruments import lists, options, row

LIMITS = ConnectionLimits(
    messages=(1_000.0, 1_000.0),  # its own limits count what a call costs
    connects=(20.0, 32.0),
    requests=(20.0, 100.0),
)
CLIENT_ID, CLIENT_SECRET = "simulated-client", "simulated-secret"  # who may log in
LOGIN_S = 900
CONNECTIONS = 32
_SHORTEST_HEARTBEAT_S = 10
_CHANNELS_A_CALL = 500


class DeribitExchange(Exchange):
    """One address's limits: 20 calls a second (100 at once), 3.3 subscriptions (10 at once), 32 connections."""

    venue = VENUE
    default_limits = LIMITS
    paths = ("", "/", "/ws/api/v2")
    connections = CONNECTIONS
    lists = ("/get_instruments",)

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._calls = Bucket(20.0, 100.0)
        self._subscriptions = Bucket(10 / 3, 10.0)
        self._lists = Bucket(1.0, 50.0)

    def markets_of(self, topic: str) -> Iterable[str]:
        return [self._symbol(topic)]

    # --- calls

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        request = _read(message)
        if request is None:
            peer.reply(_envelope(now_ns, None, error={"code": -32700, "message": "Parse error"}))
            return
        try:
            if not self._affordable(request.method, now_ns):
                raise Refused(10028, "too_many_requests")
            result, greeted = self._on_socket(peer, request, now_ns)
        except Refused as refused:
            code, text = refused.args
            peer.reply(_envelope(now_ns, request.id, error={"code": code, "message": text}))
            if code == 10028:
                peer.close(1008, text)
            return
        peer.reply(_envelope(now_ns, request.id, result=result))
        for topic in greeted:
            self._greet(peer, topic, now_ns)

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        method = path.removeprefix("/api/v2").strip("/")
        try:
            if method == "public/get_instruments" and not self._lists.take(now_ns):
                return self.too_many(1)
            result = _result(self.markets, method, query, now_ns)
        except Refused as refused:
            code, text = refused.args
            return Answer(400, _envelope(now_ns, None, error={"code": code, "message": text}))
        return Answer(200, _envelope(now_ns, None, result=result))

    def too_many(self, retry_s: int) -> Answer:
        return Answer(429, _envelope(0, None, error={"code": 10028, "message": "too_many_requests"}))

    def _affordable(self, method: str, now_ns: int) -> bool:
        if method.endswith("/subscribe"):
            return self._subscriptions.take(now_ns)
        if method == "public/get_instruments" and not self._lists.take(now_ns):
            return False
        return self._calls.take(now_ns)

    def _on_socket(self, peer: Peer, request: Request, now_ns: int) -> tuple[Any, list[str]]:
        """(result, topics that are new); raises Refused."""
        params, fresh = request.params, list[str]()
        result: Any = "ok"
        match request.method:
            case "public/subscribe" | "private/subscribe":
                result, fresh = self._subscribe(peer, params)
            case "public/unsubscribe" | "private/unsubscribe":
                result = [name for name in _names(params) if name in peer.topics]
                self.leave(peer, result)
            case "public/unsubscribe_all":
                self.leave(peer, peer.topics)
            case "public/auth":
                result = self._log_in(peer, params)
            case "public/set_heartbeat":
                self._set_heartbeat(peer, params, now_ns)
            case "public/disable_heartbeat":
                peer.notes.pop("heartbeat_ns", None)
            case _:
                if request.method == "public/test":
                    peer.notes["tested"] = False
                result = _result(self.markets, request.method, params, now_ns)
        return result, fresh

    def _log_in(self, peer: Peer, params: Mapping[str, Any]) -> dict[str, Any]:
        match params.get("grant_type"):
            case "client_credentials":
                granted = (params.get("client_id"), params.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
            case "refresh_token":
                token = params.get("refresh_token")
                granted = token is not None and token == peer.notes.get("refresh_token")
            case _:
                raise Refused(-32602, "Invalid params")
        if not granted:
            raise Refused(13004, "invalid_credentials")
        peer.notes["refresh_token"] = refresh_token = token_urlsafe(24)
        return {
            "access_token": token_urlsafe(24),
            "refresh_token": refresh_token,
            "expires_in": LOGIN_S,
            "scope": "connection mainaccount",
            "token_type": "bearer",
        }

    # --- subscriptions

    def _subscribe(self, peer: Peer, params: Mapping[str, Any]) -> tuple[list[str], list[str]]:
        """A channel that needs a login refuses them all; one that there is not is passed over in silence."""
        names = _names(params)
        if any(name.endswith(".raw") for name in names) and "refresh_token" not in peer.notes:
            raise Refused(13778, "raw_subscriptions_not_available_for_unauthorized")
        known = [name for name in dict.fromkeys(names) if self._exists(name)]
        fresh = [name for name in known if name not in peer.topics]
        for name in fresh:
            self.join(peer, name)
        return known, fresh

    def _exists(self, name: str) -> bool:
        head, symbol, *rest = name.split(".")[:5] if "." in name else (name, "")
        if self._symbol(name) not in self.markets:
            return False
        match head, rest:
            case (("book" | "trades" | "ticker"), [interval]):
                return interval in INTERVALS
            case "book", ["none", depth, interval]:
                return depth in map(str, DEPTHS) and interval in INTERVALS[1:]
            case "perpetual", [interval]:
                return interval in INTERVALS[1:] and self.markets.instruments[symbol].kind is Kind.PERPETUAL
            case "quote", []:
                return True
        return not rest and symbol in INDICES.get(head, ())

    def _symbol(self, topic: str) -> str:
        """The instrument whose market publishes a topic; of an index its perpetual."""
        head, _, name = topic.partition(".")
        symbol = name.partition(".")[0]
        return f"{symbol.upper().removesuffix('_USD')}-PERPETUAL" if head in INDICES else symbol

    def _greet(self, peer: Peer, topic: str, now_ns: int) -> None:
        feed = self.markets[self._symbol(topic)].feed(DeribitFeed)
        for frame in self._caught_up(feed, topic, now_ns):
            self.publish(frame)
        first = feed.first(topic, now_ns)
        if first is not None:
            peer.offer(first)

    def _caught_up(self, feed: DeribitFeed, topic: str, now_ns: int) -> Iterable[Frame]:
        """What the other subscribers of a book lack of the snapshot that one is about to get."""
        head, _, *rest = topic.split(".")
        return (
            feed.changes(rest[0], now_ns) if head == "book" and len(rest) == 1 and len(self.topics[topic]) > 1 else ()
        )

    # --- heartbeats

    def _set_heartbeat(self, peer: Peer, params: Mapping[str, Any], now_ns: int) -> None:
        interval = params.get("interval")
        if not isinstance(interval, int | float) or interval < _SHORTEST_HEARTBEAT_S:
            raise Refused(-32602, "Invalid params")
        peer.notes.update(heartbeat_ns=int(interval * SECOND), beat_ns=now_ns, tested=False)

    def beat(self, peer: Peer, now_ns: int) -> None:
        """At each interval a heartbeat and a request for a test; who has not answered the one before is let go."""
        every_ns = peer.notes.get("heartbeat_ns")
        if every_ns is None or now_ns < peer.notes["beat_ns"] + every_ns:
            return
        if peer.notes["tested"]:
            peer.close(1001, "heartbeat timeout")
            return
        peer.notes.update(beat_ns=now_ns, tested=True)
        for kind in ("heartbeat", "test_request"):
            peer.reply(b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"%s"}}' % kind.encode())


class Request(msgspec.Struct):
    method: str
    id: int | str | None = None
    params: dict[str, Any] = {}


def _names(params: Mapping[str, Any]) -> list[str]:
    names = params.get("channels")
    if not isinstance(names, list) or not 0 < len(names) <= _CHANNELS_A_CALL:
        raise Refused(-32602, "Invalid params")
    return [str(name) for name in names]


def _envelope(now_ns: int, call_id: int | str | None, **content: Any) -> bytes:
    us = now_ns // 1000
    own = {} if call_id is None else {"id": call_id}
    times = {"usIn": us, "usOut": us + 100, "usDiff": 100, "testnet": False}
    return msgspec.json.encode({"jsonrpc": "2.0", **own, **content, **times})


_read = reader(Request)


_DEPTHS = ("1", "5", "10", "20", "50", "100", "1000", "10000")


class Refused(Exception):
    """A call that is not granted: (code, message)."""


def _result(markets: Markets, method: str, params: Mapping[str, Any], now_ns: int) -> Any:
    """The result of a public call, alike on a socket and over HTTP; raises Refused."""
    match method:
        case "public/test":
            return {"version": "1.2.26"}
        case "public/get_time":
            return now_ns // 1_000_000
        case "public/get_instruments":
            return _instruments(markets, params)
        case "public/get_order_book":
            return _order_book(_runner(markets, params), str(params.get("depth", "5")), now_ns)
        case "public/get_last_trades_by_instrument":
            return _last_trades(_runner(markets, params), params)
    raise Refused(-32601, "Method not found")


def _instruments(markets: Markets, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    currency, kind = params.get("currency", "any"), params.get("kind", "any")
    if kind not in ("any", "future", "option", "spot", "future_combo", "option_combo"):
        raise Refused(-32602, "Invalid params")
    kinds = {"future": (Kind.FUTURE, Kind.PERPETUAL), "option": (Kind.OPTION,), "any": tuple(Kind)}.get(str(kind), ())
    listed = (one for one in markets.instruments.values() if one.kind in kinds)
    return [row(one) for one in listed if currency in ("any", one.settle)]


def _runner(markets: Markets, params: Mapping[str, Any]) -> MarketRunner:
    name = params.get("instrument_name")
    if not isinstance(name, str) or name not in markets:
        raise Refused(-32602, "Invalid params")
    return markets[name]


def _order_book(runner: MarketRunner, depth: str, now_ns: int) -> dict[str, Any]:
    if depth not in _DEPTHS:
        raise Refused(-32602, "Invalid params")
    market = runner.market
    mark = market.mark(now_ns)
    bids, asks = ([(float(price), float(size)) for price, size in side] for side in runner.levels(int(depth)))
    return {
        "instrument_name": market.instrument.symbol,
        "timestamp": now_ns // 1_000_000,
        "change_id": market.update_id,
        "state": "open",
        "mark_price": round(mark.mark_price, 4),
        "index_price": round(mark.index_price, 4),
        "bids": bids,
        "asks": asks,
    }


def _last_trades(runner: MarketRunner, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        first, last = int(params.get("start_seq", 0)), int(params.get("end_seq", 2**62))
        count = min(1000, max(1, int(params.get("count", 10))))
    except ValueError:
        raise Refused(-32602, "Invalid params") from None
    kept = [trade for trade in runner.trades if first <= trade.trade_id <= last]
    forwards = params.get("sorting") == "asc"
    chosen = kept[:count] if forwards else kept[::-1][:count]
    feed = runner.feed(DeribitFeed)
    rows = [msgspec.Raw(feed.trade(trade).encode()) for trade in chosen]
    return {"trades": rows, "has_more": len(kept) > count}


ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((DeribitExchange, DeribitFeed),), options),)
