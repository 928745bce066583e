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
from mdplatform.simulator.engine.market_runner import MarketRunner
from mdplatform.simulator.protocol.exchange import SECOND, Answer, Exchange, MatchingEngine
from mdplatform.simulator.protocol.limits import ConnectionLimits
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.wire import iso
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
    lists = ("/AssetPairs", "/api/v3/instruments")

    def accepts(self, path: str) -> bool:
        return path in _SECTIONS

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes["section"] = _SECTIONS[path]
        peer.notes["beat_ns"] = peer.opened_ns
        if _SECTIONS[path] == FUTURES:
            peer.reply(b'{"event":"info","version":1}')
        else:
            data = {"api_version": "v2", "connection_id": peer.number, "system": "online", "version": "2.0.10"}
            peer.reply(msgspec.json.encode({"channel": "status", "type": "update", "data": [data]}))

    def farewell(self, peer: Peer, now_ns: int) -> None:
        if peer.notes["section"] == SPOT:
            data = {"api_version": "v2", "connection_id": peer.number, "system": "maintenance", "version": "2.0.10"}
            peer.reply(msgspec.json.encode({"channel": "status", "type": "update", "data": [data]}))

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
        listed = [one for one in self.markets.instruments.values() if one.section == section]
        return Answer(200, msgspec.json.encode(pairs(listed) if section == SPOT else products(listed)))

    def _trades(self, query: Mapping[str, str]) -> Answer:
        """The latest of a pair, named as REST names it."""
        listed = [one for one in self.markets.instruments.values() if one.section == SPOT]
        one = next((one for one in listed if rest_name(one) == query.get("pair")), None)
        if one is None:
            return Answer(200, b'{"error":["EQuery:Unknown asset pair"]}')
        runner, feed = self.markets[one.key], _feed(self.markets[one.key]).spot
        rows = ",".join([feed.printed(trade) for trade in list(runner.trades)[-1000:]])
        last = runner.trades[-1].ns if runner.trades else 0
        return Answer(200, f'{{"error":[],"result":{{"{rest_name(one)}":[{rows}],"last":"{last}"}}}}'.encode())

    def too_many(self, retry_s: int) -> Answer:
        return Answer(200, b'{"error":["EGeneral:Too many requests"]}')  # so it is: an error with the status 200

    def subscribe_all(self, peer: Peer) -> Iterable[bytes]:
        """Socket by socket, each after its list, by which alone the precision of checksums is known."""
        for path, call in (("/v2", "/0/public/AssetPairs"), ("/ws/v1", "/derivatives/api/v3/instruments")):
            self.opened(peer, path, {})
            peer.reply(self.respond(call, {}, peer.opened_ns).body)
            names = [one.symbol for one in self.markets.instruments.values() if one.section == _SECTIONS[path]]
            for channel in _SPOT_CHANNELS if path == "/v2" else ():
                params = {"channel": channel, "symbol": names, "depth": 25}
                yield msgspec.json.encode({"method": "subscribe", "params": params, "req_id": 1})
            for feed in _FEEDS if path != "/v2" else ():
                yield msgspec.json.encode({"event": "subscribe", "feed": feed, "product_ids": names})

    # --- spot

    def _on_spot(self, peer: Peer, message: bytes, now_ns: int) -> None:
        times = f'"time_in":"{iso(now_ns)}","time_out":"{iso(now_ns)}"'
        try:
            request = _read_request(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            peer.reply(f'{{"error":"Malformed request","success":false,{times}}}'.encode())
            return
        head = {"method": request.method, "req_id": request.req_id, "time_in": iso(now_ns), "time_out": iso(now_ns)}
        if request.method == "ping":
            peer.reply(msgspec.json.encode({**head, "method": "pong"}))
            return
        for symbol in request.params.symbol:
            error = self._refusal(request.params, symbol)
            if error is not None:
                peer.reply(msgspec.json.encode({**head, "error": error, "success": False, "symbol": symbol}))
                continue
            result: dict[str, Any] = {"channel": request.params.channel, "symbol": symbol}
            if request.params.channel == "book":
                result["depth"] = request.params.depth
            peer.reply(msgspec.json.encode({**head, "result": result, "success": True}))
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
        feed = _feed(runner).spot
        match params.channel:
            case "book":
                frame = feed.snapshot(params.depth, now_ns)
            case "ticker":
                frame = feed.best(now_ns)
            case _:
                frame = feed.latest(list(runner.trades)[-LATEST:], now_ns)
        if params.snapshot:
            peer.offer(frame, frame.body)

    # --- futures

    def _on_futures(self, peer: Peer, message: bytes, now_ns: int) -> None:
        try:
            wish = _read_wish(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            peer.reply(b'{"event":"error","message":"Json Error"}')
            return
        if wish.feed == "heartbeat":
            peer.notes["heartbeat"] = wish.event == "subscribe"
            peer.reply(msgspec.json.encode({"event": f"{wish.event}d", "feed": wish.feed}))
            return
        for product in wish.product_ids:
            if wish.feed not in _FEEDS or f"{FUTURES}/{product}" not in self.markets:
                text = "Invalid feed" if wish.feed not in _FEEDS else "Invalid product id"
                peer.reply(msgspec.json.encode({"event": "error", "message": text}))
                continue
            peer.reply(msgspec.json.encode({"event": f"{wish.event}d", "feed": wish.feed, "product_ids": [product]}))
            self._futures_topic(peer, wish, product, now_ns)

    def _futures_topic(self, peer: Peer, wish: Wish, product: str, now_ns: int) -> None:
        topic = f"{wish.feed}:{product}"
        if wish.event == "unsubscribe":
            self.leave(peer, [topic])
            return
        self.join(peer, topic)
        runner = self.markets[f"{FUTURES}/{product}"]
        feed = _feed(runner).futures
        if wish.feed != "ticker":
            is_book = wish.feed == "book"
            frame = feed.snapshot(now_ns) if is_book else feed.latest(list(runner.trades)[-LATEST_FILLS:], now_ns)
            peer.offer(frame, frame.body)


def _feed(runner: MarketRunner) -> KrakenFeed:
    return next(feed for feed in runner.feeds if isinstance(feed, KrakenFeed))


class Params(msgspec.Struct):
    channel: str = ""
    symbol: list[str] = []
    depth: int = 10
    snapshot: bool = True


class Request(msgspec.Struct):
    method: str
    params: Params = msgspec.field(default_factory=Params)
    req_id: int | None = None


class Wish(msgspec.Struct):
    event: str
    feed: str
    product_ids: list[str] = []


_read_request = msgspec.json.Decoder(Request).decode
_read_wish = msgspec.json.Decoder(Wish).decode

ENGINES = (MatchingEngine(VENUE, lists, PUBLISH_NS, ((KrakenExchange, KrakenFeed),)),)
