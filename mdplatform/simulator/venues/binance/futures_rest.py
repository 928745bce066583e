"""Binance futures, USD-M (/fapi) and COIN-M (/dapi): the REST calls a market data client needs, with their weights.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Trade
from mdplatform.simulator.engine.instruments import Instrument, expires_ms
from mdplatform.simulator.engine.market_runner import MarketRunner
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.venues.binance.futures_feed import funding, wire_id
from mdplatform.simulator.venues.binance.rest import MS, Calls, filters, levels, number, refused

_NEVER_MS = 4_133_404_800_000  # when perpetuals end
_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)


class FuturesCalls(Calls):
    """What both venues answer alike."""

    weights = MappingProxyType(
        {
            "exchangeInfo": 1,
            "trades": 5,
            "historicalTrades": 200,
            "aggTrades": 20,
            "premiumIndex": 10,
            "openInterest": 1,
            "ticker/bookTicker": 5,
            "ping": 1,
            "time": 1,
        }
    )
    depth_weights = ((50, 2), (100, 5), (500, 10), (1000, 20))
    depth_default = 500

    def answer(self, call: str, query: Mapping[str, str], now_ns: int) -> Answer:
        match call:
            case "historicalTrades":
                raise refused(-2014, "API-key format invalid.", 401)
            case "openInterest":
                return answer(self._open(self.runner(query.get("symbol", "")), now_ns))
            case "premiumIndex" | "ticker/bookTicker":
                write = self._premium if call == "premiumIndex" else self._ticker
                wanted = [query["symbol"]] if "symbol" in query else list(self.markets)
                rows = [write(self.runner(symbol), now_ns) for symbol in wanted]
                return answer(rows[0] if "symbol" in query else rows)
        return super().answer(call, query, now_ns)

    def depth_limit(self, query: Mapping[str, str]) -> int:
        limit = number(query, "limit", self.depth_default, 2**31)
        if limit not in _DEPTHS:
            raise refused(-4021, f"{limit} is not valid depth limit")
        return limit

    def depth(self, runner: MarketRunner, limit: int, now_ns: int) -> bytes:
        head = f'"lastUpdateId":{wire_id(runner.market.update_id)},"E":{now_ns // MS},"T":{now_ns // MS}'
        return f"{{{head}{self.depth_tags(runner.market.instrument)},{levels(runner, limit)}}}".encode()

    def depth_tags(self, instrument: Instrument) -> str:
        """What a snapshot says of its symbol: nothing on USD-M."""
        return ""

    def listing(self, instrument: Instrument) -> dict[str, Any]:
        perpetual = instrument.kind == Kind.PERPETUAL
        return {
            "symbol": instrument.symbol,
            "pair": f"{instrument.base}{instrument.quote}",
            "contractType": "PERPETUAL" if perpetual else "CURRENT_QUARTER",
            "deliveryDate": expires_ms(instrument.expiry) if instrument.expiry else _NEVER_MS,
            "onboardDate": 1_569_398_400_000,
            **self.listing_tags(instrument),
            "baseAsset": instrument.base,
            "quoteAsset": instrument.quote,
            "marginAsset": instrument.settle,
            "pricePrecision": instrument.price.width,
            "quantityPrecision": instrument.size.width,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "filters": filters(instrument),
            "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        }

    def listing_tags(self, instrument: Instrument) -> dict[str, Any]:
        """Status and contract as the venue names them."""
        raise NotImplementedError

    def trade(self, instrument: Instrument, trade: Trade) -> dict[str, Any]:
        return {
            "id": trade.trade_id,
            "price": instrument.price.text(trade.tick),
            "qty": instrument.size.text(trade.lots),
            **self.worth(instrument, trade),
            "time": trade.ns // MS,
            "isBuyerMaker": not trade.taker_buys,
        }

    def worth(self, instrument: Instrument, trade: Trade) -> dict[str, Any]:
        """The trade in the other currency."""
        raise NotImplementedError

    def _premium(self, runner: MarketRunner, now_ns: int) -> dict[str, Any]:
        market = runner.market
        mark = market.mark(now_ns)
        rate, next_ms = funding(market, mark)
        return {
            "symbol": market.instrument.symbol,
            "markPrice": f"{mark.mark_price:.8f}",
            "indexPrice": f"{mark.index_price:.8f}",
            "estimatedSettlePrice": f"{mark.index_price:.8f}",
            "lastFundingRate": rate,
            "interestRate": "0.00010000",
            "nextFundingTime": next_ms,
            "time": now_ns // MS,
        }

    def _open(self, runner: MarketRunner, now_ns: int) -> dict[str, Any]:
        instrument = runner.market.instrument
        size = instrument.size.text(runner.market.open_lots)
        return {"symbol": instrument.symbol, "openInterest": size, "time": now_ns // MS}

    def _ticker(self, runner: MarketRunner, now_ns: int) -> dict[str, Any]:
        instrument, quote = runner.market.instrument, runner.market.quote(now_ns)
        return {
            "lastUpdateId": wire_id(quote.update_id),
            "symbol": instrument.symbol,
            "bidPrice": instrument.price.text(quote.bid),
            "bidQty": instrument.size.text(quote.bid_lots),
            "askPrice": instrument.price.text(quote.ask),
            "askQty": instrument.size.text(quote.ask_lots),
            "time": now_ns // MS,
        }


class UsdmCalls(FuturesCalls):
    prefix = "/fapi/v1/"

    def listing_tags(self, instrument: Instrument) -> dict[str, Any]:
        return {"status": "TRADING"}

    def worth(self, instrument: Instrument, trade: Trade) -> dict[str, Any]:
        quote = instrument.price.value(trade.tick) * instrument.size.value(trade.lots)
        return {"quoteQty": f"{quote:.2f}", "isRPITrade": False}


class CoinmCalls(FuturesCalls):
    prefix = "/dapi/v1/"

    def depth_tags(self, instrument: Instrument) -> str:
        return f',"symbol":"{instrument.symbol}","pair":"{instrument.base}{instrument.quote}"'

    def listing_tags(self, instrument: Instrument) -> dict[str, Any]:
        return {"contractStatus": "TRADING", "contractSize": int(instrument.contract_size or 1)}

    def worth(self, instrument: Instrument, trade: Trade) -> dict[str, Any]:
        dollars = instrument.size.value(trade.lots) * float(instrument.contract_size or 1)
        return {"baseQty": f"{dollars / instrument.price.value(trade.tick):.8f}"}
