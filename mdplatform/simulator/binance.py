"""Binance spot: streams and control frames.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from urllib.parse import unquote

import msgspec

from mdplatform.simulator.binance_calls import too_many
from mdplatform.simulator.binance_rest import SpotCalls
from mdplatform.simulator.binance_streams import MANNERS, StreamsExchange, StreamsFeed, boolean
from mdplatform.simulator.budget import Window
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.events import Change, Event, Print, Quote
from mdplatform.simulator.exchange import Answer, Peer
from mdplatform.simulator.feed import Batch, Frame
from mdplatform.simulator.floors import Floors
from mdplatform.simulator.market import Market
from mdplatform.simulator.pit import Pit
from mdplatform.simulator.profiles import Asset, Instrument, Lattice

VENUE = "binance"
PUBLISH_NS = 100_000_000
_SLOW_NS = 1_000_000_000
_PARTIAL = (5, 10, 20)


class BinanceFeed(StreamsFeed):
    """The streams of one symbol."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._diffs = {PUBLISH_NS: Batch(), _SLOW_NS: Batch()}

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            for batch in self._diffs.values():
                batch.add(event)
        elif isinstance(event, Print):
            yield from self.to(event.ns, "trade", self._trade, event)
            yield from self.aggregated(event)
        elif isinstance(event, Quote):
            yield from self.to(event.ns, "bookTicker", self._ticker, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self.aggregated(None)
        for cadence, suffixes in ((PUBLISH_NS, ("@100ms",)), (_SLOW_NS, ("", "@1000ms"))):
            batch = self._diffs[cadence]
            if batch and ns % cadence == 0:
                self._diffs[cadence] = Batch()
                for suffix in suffixes:
                    yield from self.to(ns, f"depth{suffix}", self._diff, batch)
                    for depth in _PARTIAL:
                        yield from self.to(ns, f"depth{depth}{suffix}", self._partial, depth)

    def _diff(self, batch: Batch, ns: int, unit: int) -> str:
        return (
            f'{{"e":"depthUpdate","E":{ns // unit},"s":"{self.symbol}","U":{batch.first},"u":{batch.last},'
            f'"b":[{self.levels(batch.bids.items())}],"a":[{self.levels(batch.asks.items())}]}}'
        )

    def _partial(self, depth: int, ns: int, unit: int) -> str:
        market = self.market
        bids, asks = self.levels(market.bids.top(depth)), self.levels(market.asks.top(depth))
        return f'{{"lastUpdateId":{market.update_id},"bids":[{bids}],"asks":[{asks}]}}'

    def _trade(self, trade: Print, ns: int, unit: int) -> str:
        return (
            f'{{"e":"trade","E":{ns // unit},"s":"{self.symbol}","t":{trade.trade_id},"p":"{self.price(trade.tick)}",'
            f'"q":"{self.size(trade.lots)}","T":{trade.ns // unit},"m":{boolean(not trade.taker_buys)},"M":true}}'
        )

    def aggregate_text(self, trades: list[Print], ns: int, unit: int) -> str:
        first, lots = trades[0], sum(trade.lots for trade in trades)
        return (
            f'{{"e":"aggTrade","E":{ns // unit},"s":"{self.symbol}","a":{first.order_id},'
            f'"p":"{self.price(first.tick)}","q":"{self.size(lots)}",'
            f'"f":{first.trade_id},"l":{trades[-1].trade_id},"T":{first.ns // unit},'
            f'"m":{boolean(not first.taker_buys)},"M":true}}'
        )

    def _ticker(self, quote: Quote, ns: int, unit: int) -> str:
        price, size = self.price, self.size
        return (
            f'{{"u":{quote.update_id},"s":"{self.symbol}","b":"{price(quote.bid)}","B":"{size(quote.bid_lots)}",'
            f'"a":"{price(quote.ask)}","A":"{size(quote.ask_lots)}"}}'
        )


class BinanceExchange(StreamsExchange):
    """Connections: raw streams at /ws, combined ones at /stream."""

    venue = VENUE
    default_manners = MANNERS
    lists = ("/exchangeInfo",)

    def __init__(self, floors: Floors, config: SimulatorConfig) -> None:
        super().__init__(floors, config)
        self._calls = SpotCalls(floors, Window(config.weight_limit, config.weight_window_s))

    def accepts(self, path: str) -> bool:
        return path in ("/ws", "/stream") or path.startswith("/ws/")

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.combined = path == "/stream"
        peer.microseconds = query.get("timeUnit", "").upper() == "MICROSECOND"
        self.join_path(peer, query.get("streams", "") if peer.combined else unquote(path.removeprefix("/ws")))

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return self._calls.respond(path, query, now_ns)

    def subscribe_all(self, peer: Peer) -> Iterable[bytes]:
        peer.combined = True
        names = [f"{symbol.lower()}@{channel}" for symbol in self.floors for channel in ("depth@100ms", "trade")]
        return [msgspec.json.encode({"method": "SUBSCRIBE", "params": names, "id": 1})]

    def snapshots_asked(self) -> Iterable[tuple[str, dict[str, str]]]:
        return [("/api/v3/depth", {"symbol": symbol, "limit": "5000"}) for symbol in self.floors]

    def too_many(self, retry_s: int) -> Answer:
        return too_many(retry_s)


def _lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """Binance writes every number with eight decimals whatever the tick."""
    price, size = Lattice(asset.tick_decimals, 8), Lattice(asset.lot_decimals, 8)
    return [Instrument(asset, f"{asset.name}USDT", "USDT", price, size)]


PIT = Pit(VENUE, _lists, PUBLISH_NS, ((BinanceExchange, BinanceFeed),))
