"""Deribit: the calls that it answers alike on a socket and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.venues.deribit.feed import DeribitFeed
from mdplatform.simulator.venues.deribit.instruments import row

_DEPTHS = ("1", "5", "10", "20", "50", "100", "1000", "10000")


class Refused(Exception):
    """A call that is not granted: (code, message)."""


def answer(markets: Markets, method: str, params: Mapping[str, Any], now_ns: int) -> Any:
    """The result of a public call; raises Refused."""
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
    if kind not in ("any", "future"):
        return []
    return [row(one) for one in markets.instruments.values() if currency in ("any", one.settle)]


def _runner(markets: Markets, params: Mapping[str, Any]) -> MarketRunner:
    name = params.get("instrument_name")
    if not isinstance(name, str) or name not in markets:
        raise Refused(-32602, "Invalid params")
    return markets[name]


def _order_book(runner: MarketRunner, depth: str, now_ns: int) -> dict[str, Any]:
    if depth not in _DEPTHS:
        raise Refused(-32602, "Invalid params")
    market = runner.market
    price, size, mark = market.instrument.price.text, market.instrument.size.text, market.mark(now_ns)
    bids, asks = (
        [(float(price(tick)), float(size(lots))) for tick, lots in side.top(int(depth))]
        for side in (market.bids, market.asks)
    )
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
