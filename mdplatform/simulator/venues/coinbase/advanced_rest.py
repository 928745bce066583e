"""Coinbase Advanced Trade: the keyless REST calls.

https://docs.cdp.coinbase.com/advanced-trade/reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.protocol.wire import iso

_NOT_FOUND = Answer(404, b'{"error":"NOT_FOUND","error_details":"not found","message":"not found"}')


def respond(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer `/market/...` with or without the `/api/v3/brokerage` in front."""
    parts = path.removeprefix("/api/v3/brokerage").strip("/").split("/")
    match parts:
        case ["time"]:
            return answer({"iso": iso(now_ns), "epochMillis": str(now_ns // 10**6)})
        case ["market", "products"]:
            rows = [_product(instrument, alias) for instrument in markets.instruments.values() for alias in ("", "C")]
            return answer({"products": rows, "num_products": len(rows)})
        case ["market", "products", name] if _listed(markets, name):
            return answer(_product(_listed(markets, name).market.instrument, "C" if name.endswith("-USDC") else ""))
        case ["market", "products", name, "ticker"] if _listed(markets, name):
            return _ticker(_listed(markets, name), query)
        case ["market", "product_book"] if _listed(markets, query.get("product_id", "")):
            return _book(_listed(markets, query["product_id"]), query, now_ns)
    return _NOT_FOUND


def _listed(markets: Markets, name: str) -> Any:
    """The runner of a product or of its alias; None when there is none."""
    return markets.get(name.removesuffix("C") if name.endswith("-USDC") else name)


def _product(instrument: Instrument, alias: str) -> dict[str, Any]:
    """The listing of a product, or (alias "C") of its X-USDC alias."""
    return {
        "product_id": f"{instrument.base}-{instrument.quote}{alias}",
        "price": instrument.price.text(instrument.start_tick),  # not the last one: that takes a market per product
        "base_increment": instrument.size.step,
        "quote_increment": instrument.price.step,
        "price_increment": instrument.price.step,
        "base_name": instrument.base,
        "quote_name": f"{instrument.quote}{alias}",
        "base_currency_id": instrument.base,
        "quote_currency_id": f"{instrument.quote}{alias}",
        "status": "online",
        "is_disabled": False,
        "trading_disabled": False,
        "cancel_only": False,
        "product_type": "SPOT",
        "product_venue": "CBE",
        "alias": instrument.symbol if alias else "",
        "alias_to": [] if alias else [f"{instrument.symbol}C"],
    }


def _ticker(runner: MarketRunner, query: Mapping[str, str]) -> Answer:
    instrument, quote = runner.market.instrument, runner.market.quote(0)
    trades = list(runner.trades)[-_limit(query, 100) :]
    rows = [
        {
            "trade_id": str(trade.trade_id),
            "product_id": instrument.symbol,
            "price": instrument.price.text(trade.tick),
            "size": instrument.size.text(trade.lots),
            "time": iso(trade.ns),
            "side": trade.maker_side.upper(),
            "bid": "",
            "ask": "",
            "exchange": "coinbase",
        }
        for trade in reversed(trades)
    ]
    best = {"best_bid": instrument.price.text(quote.bid), "best_ask": instrument.price.text(quote.ask)}
    return answer({"trades": rows, **best})


def _book(runner: MarketRunner, query: Mapping[str, str], now_ns: int) -> Answer:
    market = runner.market
    price, size, limit = market.instrument.price.text, market.instrument.size.text, _limit(query, 1_000_000)
    bids, asks = (
        [{"price": price(tick), "size": size(lots)} for tick, lots in side.top(limit)]
        for side in (market.bids, market.asks)
    )
    quote, decimals = market.quote(now_ns), market.instrument.price.decimals
    middle, spread = (quote.bid + quote.ask) / 2, quote.ask - quote.bid
    book = {"product_id": market.instrument.symbol, "bids": bids, "asks": asks, "time": iso(now_ns)}
    numbers = {
        "last": price(runner.trades[-1].tick) if runner.trades else "",
        "mid_market": f"{middle / 10**decimals:.{decimals + 1}f}",
        "spread_bps": f"{spread / middle * 1e4:.12f}",
        "spread_absolute": price(spread),
    }
    return answer({"pricebook": book, **numbers})


def _limit(query: Mapping[str, str], default: int) -> int:
    text = query.get("limit", "")
    return max(1, int(text)) if text.isdecimal() else default
