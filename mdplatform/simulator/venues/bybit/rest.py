"""Bybit: the REST calls a market data client needs. https://bybit-exchange.github.io/docs/v5/market/instrument"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.exchange import Answer
from mdplatform.simulator.venues.bybit.feed import exec_id
from mdplatform.simulator.venues.bybit.instruments import CATEGORIES, row

_MS = 1_000_000
_BAD = 10001


class _Refused(Exception):
    """The call is answered with one of the venue's error codes."""


def respond(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer a call below /v5/market; what is wrong with it is status 200 and a code."""
    call = _CALLS.get(path)
    if call is None:
        return Answer(404, b"")
    try:
        result, code, text = call(markets, query, now_ns), 0, "OK"
    except _Refused as refused:
        result, code, text = {}, _BAD, str(refused)
    body = {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": now_ns // _MS}
    return Answer(200, msgspec.json.encode(body))


def too_many() -> Answer:
    return Answer(403, b'{"retCode":10018,"retMsg":"access too frequent"}')


def _instruments(markets: Markets, query: Mapping[str, str], now_ns: int) -> dict[str, Any]:
    """In pages; spot comes whole."""
    category = _category(query)
    rows = [row(one) for one in markets.instruments.values() if one.section == category]
    if category == "spot":
        return {"category": category, "list": rows}
    start = _number({"cursor": query.get("cursor", "").removeprefix("page_token=")}, "cursor", 0, 10**6)
    end = start + _number(query, "limit", 500, 1000)
    cursor = quote(f"page_token={end}") if end < len(rows) else ""
    return {"category": category, "list": rows[start:end], "nextPageCursor": cursor}


def _book(markets: Markets, query: Mapping[str, str], now_ns: int) -> dict[str, Any]:
    market = _runner(markets, query).market
    count = _number(query, "limit", 1 if _category(query) == "spot" else 25, 1000)
    price, size = market.instrument.price.text, market.instrument.size.text
    bids, asks = ([(price(tick), size(lots)) for tick, lots in side.top(count)] for side in (market.bids, market.asks))
    times = {"ts": now_ns // _MS, "cts": now_ns // _MS}
    return {"s": market.instrument.symbol, "b": bids, "a": asks, "u": 1, "seq": market.update_id, **times}


def _trades(markets: Markets, query: Mapping[str, str], now_ns: int) -> dict[str, Any]:
    runner, category = _runner(markets, query), _category(query)
    instrument = runner.market.instrument
    most = _number(query, "limit", 60 if category == "spot" else 500, 60 if category == "spot" else 1000)
    rows = [
        {
            "execId": str(exec_id(instrument.key, one)),
            "symbol": instrument.symbol,
            "price": instrument.price.text(one.tick),
            "size": instrument.size.text(one.lots),
            "side": one.taker_side.title(),
            "time": str(one.ns // _MS),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(one.update_id),
        }
        for one in list(runner.trades)[: -most - 1 : -1]
    ]
    return {"category": category, "list": rows}


def _category(query: Mapping[str, str]) -> str:
    category = query.get("category", "")
    if category not in CATEGORIES:
        raise _Refused("Illegal category")
    return category


def _runner(markets: Markets, query: Mapping[str, str]) -> MarketRunner:
    key = f"{_category(query)}/{query.get('symbol', '')}"
    if key not in markets:
        raise _Refused("params error: symbol invalid")
    return markets[key]


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdecimal() or len(text) > 9:
        raise _Refused(f"params error: {name} invalid")
    return min(int(text), most)


_CALLS: dict[str, Callable[[Markets, Mapping[str, str], int], dict[str, Any]]] = {
    "/v5/market/instruments-info": _instruments,
    "/v5/market/orderbook": _book,
    "/v5/market/recent-trade": _trades,
}
