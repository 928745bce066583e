"""Binance spot: streams and control frames.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from mdplatform.simulator import binance_rest
from mdplatform.simulator.budget import Window
from mdplatform.simulator.config import Manners, SimulatorConfig
from mdplatform.simulator.events import Change, Event, Print, Quote
from mdplatform.simulator.exchange import Answer, Exchange, Peer
from mdplatform.simulator.feed import Batch, Feed, Frame
from mdplatform.simulator.floors import Floors
from mdplatform.simulator.market import Market
from mdplatform.simulator.pit import Pit
from mdplatform.simulator.profiles import Asset, Instrument, Lattice

VENUE = "binance"
PUBLISH_NS = 100_000_000
_SLOW_NS = 1_000_000_000
_MICRO = "?us"  # marks the topics of connections that asked for timeUnit=MICROSECOND
_PARTIAL = (5, 10, 20)
_STREAMS_A_CONNECTION = 1024

MANNERS = Manners(
    ping_every=20.0,
    pong_within=60.0,
    lifetime=86_400.0,
    notice=600.0,
    subscribe_within=None,
    messages=(5.0, 5.0),
    connects=(1.0, 300.0),
    requests=(1_000.0, 300_000.0),
)


class BinanceFeed(Feed):
    """The streams of one symbol."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._name = self.symbol.lower()
        self._price = market.instrument.price.text
        self._size = market.instrument.size.text
        self._diffs = {PUBLISH_NS: Batch(), _SLOW_NS: Batch()}
        self._aggregate: list[Print] = []

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            for batch in self._diffs.values():
                batch.add(event)
        elif isinstance(event, Print):
            yield from self._to(event.ns, "trade", self._trade, event)
            yield from self._aggregated(event)
        elif isinstance(event, Quote):
            yield from self._to(event.ns, "bookTicker", self._ticker, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self._aggregated(None)
        for cadence, suffixes in ((PUBLISH_NS, ("@100ms",)), (_SLOW_NS, ("", "@1000ms"))):
            batch = self._diffs[cadence]
            if batch and ns % cadence == 0:
                self._diffs[cadence] = Batch()
                for suffix in suffixes:
                    yield from self._to(ns, f"depth{suffix}", self._diff, batch)
                    for depth in _PARTIAL:
                        yield from self._to(ns, f"depth{depth}{suffix}", self._partial, depth)

    def _to(self, ns: int, channel: str, write: Any, subject: Any) -> Iterator[Frame]:
        """The frame for those who want it, in either time unit."""
        topic = f"{self._name}@{channel}"
        if topic in self.wanted:
            yield self.frame(topic, channel, write(subject, ns, 1_000_000).encode(), ns)
        if topic + _MICRO in self.wanted:
            yield self.frame(topic + _MICRO, channel, write(subject, ns, 1_000).encode(), ns)

    def _aggregated(self, trade: Print | None) -> Iterator[Frame]:
        """Fills of one taker's order at one price make one aggregate; it is out when the next begins."""
        done = self._aggregate
        if done and (trade is None or trade.order_id != done[0].order_id):
            yield from self._to(done[0].ns, "aggTrade", self._aggregate_text, done)
            self._aggregate = []
        if trade is not None:
            self._aggregate.append(trade)

    def _levels(self, levels: Iterable[tuple[int, int]]) -> str:
        price, size = self._price, self._size
        return ",".join([f'["{price(tick)}","{size(lots)}"]' for tick, lots in levels])

    def _diff(self, batch: Batch, ns: int, unit: int) -> str:
        return (
            f'{{"e":"depthUpdate","E":{ns // unit},"s":"{self.symbol}","U":{batch.first},"u":{batch.last},'
            f'"b":[{self._levels(batch.bids.items())}],"a":[{self._levels(batch.asks.items())}]}}'
        )

    def _partial(self, depth: int, ns: int, unit: int) -> str:
        market = self.market
        bids, asks = self._levels(market.bids.top(depth)), self._levels(market.asks.top(depth))
        return f'{{"lastUpdateId":{market.update_id},"bids":[{bids}],"asks":[{asks}]}}'

    def _trade(self, trade: Print, ns: int, unit: int) -> str:
        return (
            f'{{"e":"trade","E":{ns // unit},"s":"{self.symbol}","t":{trade.trade_id},"p":"{self._price(trade.tick)}",'
            f'"q":"{self._size(trade.lots)}","T":{trade.ns // unit},"m":{_bool(not trade.taker_buys)},"M":true}}'
        )

    def _aggregate_text(self, trades: list[Print], ns: int, unit: int) -> str:
        first, lots = trades[0], sum(trade.lots for trade in trades)
        return (
            f'{{"e":"aggTrade","E":{ns // unit},"s":"{self.symbol}","a":{first.order_id},'
            f'"p":"{self._price(first.tick)}","q":"{self._size(lots)}",'
            f'"f":{first.trade_id},"l":{trades[-1].trade_id},"T":{first.ns // unit},'
            f'"m":{_bool(not first.taker_buys)},"M":true}}'
        )

    def _ticker(self, quote: Quote, ns: int, unit: int) -> str:
        price, size = self._price, self._size
        return (
            f'{{"u":{quote.update_id},"s":"{self.symbol}","b":"{price(quote.bid)}","B":"{size(quote.bid_lots)}",'
            f'"a":"{price(quote.ask)}","A":"{size(quote.ask_lots)}"}}'
        )


class BinanceExchange(Exchange):
    """Connections: raw streams at /ws, combined ones at /stream; subscriptions by path or by SUBSCRIBE."""

    venue = VENUE
    default_manners = MANNERS

    def __init__(self, floors: Floors, config: SimulatorConfig) -> None:
        super().__init__(floors, config)
        self.weight = Window(config.weight_limit)

    def accepts(self, path: str) -> bool:
        return path in ("/ws", "/stream") or path.startswith("/ws/")

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.combined = path == "/stream"
        peer.microseconds = query.get("timeUnit", "").upper() == "MICROSECOND"
        streams = query.get("streams", "") if peer.combined else unquote(path.removeprefix("/ws").lstrip("/"))
        for stream in filter(None, streams.split("/")):
            self.join(peer, self._topic(peer, stream))

    def envelope(self, peer: Peer, frame: Frame) -> bytes:
        if not peer.combined:
            return frame.body
        return b'{"stream":"%s","data":%s}' % (frame.topic.removesuffix(_MICRO).encode(), frame.body)

    def receive(self, peer: Peer, message: bytes, now_ns: int) -> None:
        try:
            request = msgspec.json.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            peer.reply(msgspec.json.encode({"code": 3, "msg": f"Invalid JSON: {error}"}))
            return
        wrong = _wrong(request)
        if wrong:
            known = isinstance(request, dict) and isinstance(request.get("id"), int | str)
            answer = {"code": 2, "msg": f"Invalid request: {wrong}"} | ({"id": request["id"]} if known else {})
        else:
            answer = self._do(peer, request)
        peer.reply(msgspec.json.encode(answer))

    def farewell(self, peer: Peer, now_ns: int) -> None:
        unit = 1_000 if peer.microseconds else 1_000_000
        body = b'{"e":"serverShutdown","E":%d}' % (now_ns // unit)
        peer.reply(b'{"stream":"!serverShutdown","data":%s}' % body if peer.combined else body)

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return binance_rest.respond(self.floors, self.weight, path, query, now_ns)

    def subscribe_all(self, peer: Peer) -> Iterable[bytes]:
        peer.combined = True
        names = [f"{symbol.lower()}@{channel}" for symbol in self.floors for channel in ("depth@100ms", "trade")]
        return [msgspec.json.encode({"method": "SUBSCRIBE", "params": names, "id": 1})]

    def snapshots_asked(self) -> Iterable[tuple[str, dict[str, str]]]:
        return [("/api/v3/depth", {"symbol": symbol, "limit": "5000"}) for symbol in self.floors]

    def too_many(self, retry_s: int) -> Answer:
        return binance_rest.too_many(retry_s)

    def _do(self, peer: Peer, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out a request that is well formed."""
        number, streams = request.get("id"), request.get("params", [])
        if request["method"] == "LIST_SUBSCRIPTIONS":
            return {"result": [topic.removesuffix(_MICRO) for topic in peer.topics], "id": number}
        topics = [self._topic(peer, stream) for stream in streams]
        if request["method"] == "UNSUBSCRIBE":
            self.leave(peer, topics)
        elif len({*peer.topics, *topics}) > _STREAMS_A_CONNECTION:
            return {"code": 2, "msg": f"Invalid request: above {_STREAMS_A_CONNECTION} streams", "id": number}
        else:
            for topic in topics:  # a name that no stream has is acknowledged too, and stays silent
                self.join(peer, topic)
        return {"result": None, "id": number}

    def _topic(self, peer: Peer, stream: str) -> str:
        return stream + _MICRO if peer.microseconds else stream


def _wrong(request: Any) -> str | None:
    """What is wrong with a control frame, in the venue's manner."""
    if not isinstance(request, dict):
        return "request must be an object"
    number = request.get("id")
    if isinstance(number, bool) or not isinstance(number, int | str | None) or len(str(number)) > 36:
        return "request ID must be an integer, a string of at most 36 characters or null"
    if request.get("method") not in ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS"):
        return f"unknown method {request.get('method')!r}"
    params = request.get("params", [] if request["method"] == "LIST_SUBSCRIPTIONS" else None)
    if not isinstance(params, list) or not all(isinstance(stream, str) for stream in params):
        return "params must be a list of strings"
    return None


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """Binance writes every number with eight decimals whatever the tick."""
    price, size = Lattice(asset.tick_decimals, 8), Lattice(asset.lot_decimals, 8)
    return [Instrument(asset, f"{asset.name}USDT", "USDT", price, size)]


PIT = Pit(VENUE, _lists, PUBLISH_NS, ((BinanceExchange, BinanceFeed),))
