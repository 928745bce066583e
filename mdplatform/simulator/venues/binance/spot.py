"""Binance spot: streams and control frames.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import msgspec

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.events import Change, Event, Quote, Trade
from mdplatform.simulator.engine.feed import Batch, Frame
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.exchange import MatchingEngine
from mdplatform.simulator.protocol.limits import Window
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.venues.binance.rest import MS, Calls, filters, levels, refused, too_many
from mdplatform.simulator.venues.binance.streams import LIMITS, StreamsExchange, StreamsFeed, boolean

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
        elif isinstance(event, Trade):
            yield from self.publish(event.ns, "trade", self._trade, event)
            yield from self.aggregated(event)
        elif isinstance(event, Quote):
            yield from self.publish(event.ns, "bookTicker", self._ticker, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self.aggregated(None)
        for cadence, suffixes in ((PUBLISH_NS, ("@100ms",)), (_SLOW_NS, ("", "@1000ms"))):
            batch = self._diffs[cadence]
            if batch and ns % cadence == 0:
                self._diffs[cadence] = Batch()
                for suffix in suffixes:
                    yield from self.publish(ns, f"depth{suffix}", self._diff, batch)
                    for depth in _PARTIAL:
                        yield from self.publish(ns, f"depth{depth}{suffix}", self._partial, depth)

    def _diff(self, batch: Batch, ns: int, unit: int) -> str:
        bids, asks = self.sides(batch.bids.items(), batch.asks.items())
        return (
            f'{{"e":"depthUpdate","E":{ns // unit},"s":"{self.symbol}","U":{batch.first},"u":{batch.last},'
            f'"b":[{bids}],"a":[{asks}]}}'
        )

    def _partial(self, depth: int, ns: int, unit: int) -> str:
        bids, asks = self.top(depth)
        return f'{{"lastUpdateId":{self.market.update_id},"bids":[{bids}],"asks":[{asks}]}}'

    def _trade(self, trade: Trade, ns: int, unit: int) -> str:
        return (
            f'{{"e":"trade","E":{ns // unit},"s":"{self.symbol}","t":{trade.trade_id},"p":"{self.price(trade.tick)}",'
            f'"q":"{self.size(trade.lots)}","T":{trade.ns // unit},"m":{boolean(not trade.taker_buys)},"M":true}}'
        )

    def aggregate_text(self, trades: list[Trade], ns: int, unit: int) -> str:
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
    default_limits = LIMITS
    lists = ("/exchangeInfo",)

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._calls = SpotCalls(markets, Window(config.weight_limit, config.weight_window_s))

    def accepts(self, path: str) -> bool:
        return path in ("/ws", "/stream") or path.startswith("/ws/")

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.combined = path == "/stream"
        peer.microseconds = query.get("timeUnit", "").upper() == "MICROSECOND"
        self.join_path(peer, query.get("streams", "") if peer.combined else unquote(path.removeprefix("/ws")))

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return self._calls.respond(path, query, now_ns)

    def too_many(self, retry_s: int) -> Answer:
        return too_many(retry_s)


def _lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """Binance writes every number with eight decimals whatever the tick."""
    price, size = Lattice(asset.tick_decimals, 8), Lattice(asset.lot_decimals, 8)
    return [Instrument(asset, f"{asset.name}USDT", "USDT", price, size)]


ENGINES = (MatchingEngine(VENUE, _lists, PUBLISH_NS, ((BinanceExchange, BinanceFeed),)),)


class SpotCalls(Calls):
    """Facts of the venue."""

    prefix = "/api/v3/"
    weights = MappingProxyType(
        {"exchangeInfo": 20, "trades": 25, "historicalTrades": 25, "aggTrades": 4, "ping": 1, "time": 1}
    )
    depth_weights = ((100, 5), (500, 25), (1000, 50), (5000, 250))
    depth_default = 100

    def listed(self, query: Mapping[str, str]) -> Iterable[Instrument]:
        if "symbol" in query:
            return [self.runner(query["symbol"]).market.instrument]
        if "symbols" in query:
            try:
                names = msgspec.json.decode(query["symbols"], type=list[str])
            except msgspec.MsgspecError:
                raise refused(-1100, "Illegal characters found in parameter 'symbols'.") from None
            return [self.runner(name).market.instrument for name in names]
        return super().listed(query)

    def depth(self, runner: MarketRunner, limit: int, now_ns: int) -> bytes:
        return f'{{"lastUpdateId":{runner.market.update_id},{levels(runner, limit)}}}'.encode()

    def listing(self, instrument: Instrument) -> dict[str, Any]:
        return {
            "symbol": instrument.symbol,
            "status": "TRADING",
            "baseAsset": instrument.base,
            "baseAssetPrecision": 8,
            "quoteAsset": instrument.quote,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": filters(instrument),
            "permissions": [],
            "permissionSets": [["SPOT"]],
        }

    def trade(self, instrument: Instrument, trade: Trade) -> dict[str, Any]:
        quote = instrument.price.value(trade.tick) * instrument.size.value(trade.lots)
        return {
            "id": trade.trade_id,
            "price": instrument.price.text(trade.tick),
            "qty": instrument.size.text(trade.lots),
            "quoteQty": f"{quote:.8f}",
            "time": trade.ns // MS,
            "isBuyerMaker": not trade.taker_buys,
            "isBestMatch": True,
        }
