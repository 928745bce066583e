"""Binance spot: the REST calls a market data client needs, with their weights.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from mdplatform.simulator.binance_calls import MS, Calls, Refused, filters, levels
from mdplatform.simulator.events import Print
from mdplatform.simulator.floors import Floor
from mdplatform.simulator.profiles import Instrument


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
            return [self.floor(query["symbol"]).market.instrument]
        if "symbols" in query:
            try:
                names = msgspec.json.decode(query["symbols"], type=list[str])
            except msgspec.MsgspecError:
                raise Refused(-1100, "Illegal characters found in parameter 'symbols'.") from None
            return [self.floor(name).market.instrument for name in names]
        return super().listed(query)

    def depth(self, floor: Floor, limit: int, now_ns: int) -> bytes:
        return f'{{"lastUpdateId":{floor.market.update_id},{levels(floor, limit)}}}'.encode()

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

    def trade(self, instrument: Instrument, trade: Print) -> dict[str, Any]:
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
