"""Kraken: the sockets of spot (v2) and futures, and their REST calls, on one address here.

https://docs.kraken.com/api/docs/websocket-v2/book, https://docs.kraken.com/api/docs/futures-api/websocket/book
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from mdplatform.simulator.engine.events import Event
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.protocol.wire import iso, reader
from mdplatform.simulator.venues.kraken.futures_feed import LATEST as LATEST_FILLS
from mdplatform.simulator.venues.kraken.futures_feed import FuturesFeed
from mdplatform.simulator.venues.kraken.instruments import FUTURES, SPOT, lists, pairs, products, rest_name
from mdplatform.simulator.venues.kraken.spot_feed import DEPTHS, LATEST, PUBLISH_NS, VENUE, SpotFeed

LIMITS = ConnectionLimits(
    subscribe_within_s=60.0,
    messages=(100.0, 200.0),
    connects=(0.25, 150.0),
    requests=(1.0, 15.0),
)
_SECTIONS = {"/v2": SPOT, "/ws/v1": FUTURES}
_SPOT_CHANNELS = ("book", "trade", "ticker")
_FEEDS = ("book", "trade", "ticker")


class KrakenFeed(Feed):
    """One instrument, by the protocol of its section."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self.spot = SpotFeed(market, wanted)
        self.futures = FuturesFeed(market, wanted)
        self._own: Feed = self.futures if market.instrument.section == FUTURES else self.spot

    def event(self, event: Event) -> Iterator[Frame]:
        return self._own.event(event)

    def edge(self, ns: int) -> Iterator[Frame]:
        return self._own.edge(ns)


class KrakenExchange(Exchange):
    """Each symbol of a request is acknowledged or refused for itself; a refusal on futures names nothing."""

    venue = VENUE
    default_limits = LIMITS
    paths = tuple(_SECTIONS)
    lists = ("/AssetPairs", "/api/v3/instruments")

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes["section"] = _SECTIONS[path]
        peer.notes["beat_ns"] = peer.opened_ns
        if _SECTIONS[path] == FUTURES:
            peer.reply(b'{"event":"info","version":1}')
        else:
            self._state_status(peer, "online")

    def farewell(self, peer: Peer, now_ns: int) -> None:
        if peer.notes["section"] == SPOT:
            self._state_status(peer, "maintenance")

    def _state_status(self, peer: Peer, system: str) -> None:
        data = {"api_version": "v2", "connection_id": peer.number, "system": system, "version": "2.0.10"}
        self.reply(peer, {"channel": "status", "type": "update", "data": [data]})

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        if peer.notes["section"] == SPOT:
            self._on_spot(peer, message, now_ns)
        else:
            self._on_futures(peer, message, now_ns)

    def beat(self, peer: Peer, now_ns: int) -> None:
        if now_ns - peer.notes.get("beat_ns", now_ns) < SECOND:
            return
        peer.notes["beat_ns"] = now_ns
        if peer.notes["section"] == SPOT and peer.topics:
            peer.reply(b'{"channel":"heartbeat"}')
        elif peer.notes.get("heartbeat"):
            peer.reply(b'{"feed":"heartbeat","time":%d}' % (now_ns // 1_000_000))

    def markets_of(self, topic: str) -> Iterable[str]:
        symbol = topic.partition(":")[2]
        return [f"{SPOT if '/' in symbol else FUTURES}/{symbol}"]

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        if path == "/0/public/Trades":
            return self._trades(query)
        section = {"/0/public/AssetPairs": SPOT, "/derivatives/api/v3/instruments": FUTURES}.get(path)
        if section is None:
            return Answer(404, b'{"error":["EGeneral:Unknown method"]}')
        listed = self.markets.listed(section)
        return answer(pairs(listed) if section == SPOT else products(listed))

    def _trades(self, query: Mapping[str, str]) -> Answer:
        """The latest of a pair, named as REST names it."""
        listed = self.markets.listed(SPOT)
        one = next((one for one in listed if rest_name(one) == query.get("pair")), None)
        if one is None:
            return Answer(200, b'{"error":["EQuery:Unknown asset pair"]}')
        runner = self.markets[one.key]
        rows = ",".join([runner.feed(KrakenFeed).spot.rest_trade(trade) for trade in list(runner.trades)[-1000:]])
        last = runner.trades[-1].ns if runner.trades else 0
        return Answer(200, f'{{"error":[],"result":{{"{rest_name(one)}":[{rows}],"last":"{last}"}}}}'.encode())

    def too_many(self, retry_s: int) -> Answer:
        return Answer(200, b'{"error":["EGeneral:Too many requests"]}')  # so it is: an error with the status 200

    # --- spot

    def _on_spot(self, peer: Peer, message: bytes, now_ns: int) -> None:
        times = f'"time_in":"{iso(now_ns)}","time_out":"{iso(now_ns)}"'
        request = _read_spot(message)
        if request is None:
            peer.reply(f'{{"error":"Malformed request","success":false,{times}}}'.encode())
            return
        head = {"method": request.method, "req_id": request.req_id, "time_in": iso(now_ns), "time_out": iso(now_ns)}
        if request.method == "ping":
            self.reply(peer, {**head, "method": "pong"})
            return
        for symbol in request.params.symbol:
            error = self._refusal(request.params, symbol)
            if error is not None:
                self.reply(peer, {**head, "error": error, "success": False, "symbol": symbol})
                continue
            result: dict[str, Any] = {"channel": request.params.channel, "symbol": symbol}
            if request.params.channel == "book":
                result["depth"] = request.params.depth
            self.reply(peer, {**head, "result": result, "success": True})
            self._spot_topic(peer, request, symbol, now_ns)

    def _refusal(self, params: Params, symbol: str) -> str | None:
        if params.channel not in _SPOT_CHANNELS:
            return "Channel not found"
        if params.channel == "book" and params.depth not in DEPTHS:
            return "Depth not supported"
        return None if f"{SPOT}/{symbol}" in self.markets else f"Currency pair not supported {symbol}"

    def _spot_topic(self, peer: Peer, request: Request, symbol: str, now_ns: int) -> None:
        params = request.params
        topic = f"book-{params.depth}:{symbol}" if params.channel == "book" else f"{params.channel}:{symbol}"
        if request.method == "unsubscribe":
            self.leave(peer, [topic])
            return
        self.join(peer, topic)
        runner = self.markets[f"{SPOT}/{symbol}"]
        feed = runner.feed(KrakenFeed).spot
        match params.channel:
            case "book":
                frame = feed.snapshot(params.depth, now_ns)
            case "ticker":
                frame = feed.best(now_ns)
            case _:
                frame = feed.latest(list(runner.trades)[-LATEST:], now_ns)
        if params.snapshot:
            peer.offer(frame)

    # --- futures

    def _on_futures(self, peer: Peer, message: bytes, now_ns: int) -> None:
        request = _read_futures(message)
        if request is None:
            peer.reply(b'{"event":"error","message":"Json Error"}')
            return
        if request.feed == "heartbeat":
            peer.notes["heartbeat"] = request.event == "subscribe"
            self.reply(peer, {"event": f"{request.event}d", "feed": request.feed})
            return
        for product in request.product_ids:
            if request.feed not in _FEEDS or f"{FUTURES}/{product}" not in self.markets:
                text = "Invalid feed" if request.feed not in _FEEDS else "Invalid product id"
                self.reply(peer, {"event": "error", "message": text})
                continue
            self.reply(peer, {"event": f"{request.event}d", "feed": request.feed, "product_ids": [product]})
            self._futures_topic(peer, request, product, now_ns)

    def _futures_topic(self, peer: Peer, request: FuturesRequest, product: str, now_ns: int) -> None:
        topic = f"{request.feed}:{product}"
        if request.event == "unsubscribe":
            self.leave(peer, [topic])
            return
        self.join(peer, topic)
        runner = self.markets[f"{FUTURES}/{product}"]
        feed = runner.feed(KrakenFeed).futures
        if request.feed == "book":
            peer.offer(feed.snapshot(now_ns))
        elif request.feed == "trade":
            peer.offer(feed.latest(runner.latest(LATEST_FILLS), now_ns))


class Params(msgspec.Struct):
    channel: str = ""
    symbol: list[str] = []
    depth: int = 10
    snapshot: bool = True


class Request(msgspec.Struct):
    method: str
    params: Params = msgspec.field(default_factory=Params)
    req_id: int | None = None


class FuturesRequest(msgspec.Struct):
    event: str
    feed: str
    product_ids: list[str] = []


_read_spot = reader(Request)
_read_futures = reader(FuturesRequest)

ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((KrakenExchange, KrakenFeed),)),)
