"""Bybit: the REST calls a market data client needs. https://bybit-exchange.github.io/docs/v5/market/instrument"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.rest import Answer, answer, number
from mdplatform.simulator.venues.bybit.feed import exec_id
from mdplatform.simulator.venues.bybit.instruments import CATEGORIES, row

_MS = 1_000_000
_BAD = 10001


class _Wrong(Exception):
    """What is wrong with a call."""


def respond(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer a call below /v5/market; what is wrong with it is status 200 and a code."""
    call = _CALLS.get(path)
    if call is None:
        return Answer(404, b"")
    try:
        return _answer(call(markets, query, now_ns), now_ns)
    except _Wrong as wrong:
        return _answer({}, now_ns, _BAD, str(wrong))


def _answer(result: dict[str, Any], now_ns: int, code: int = 0, text: str = "OK") -> Answer:
    return answer({"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": now_ns // _MS})


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
        for one in runner.latest(most)
    ]
    return {"category": category, "list": rows}


def _category(query: Mapping[str, str]) -> str:
    category = query.get("category", "")
    if category not in CATEGORIES:
        raise _Wrong("Illegal category")
    return category


def _runner(markets: Markets, query: Mapping[str, str]) -> MarketRunner:
    key = f"{_category(query)}/{query.get('symbol', '')}"
    if key not in markets:
        raise _Wrong("params error: symbol invalid")
    return markets[key]


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    return number(query, name, default, most, lambda name: _Wrong(f"params error: {name} invalid"), digits=9)


_CALLS: dict[str, Callable[[Markets, Mapping[str, str], int], dict[str, Any]]] = {
    "/v5/market/instruments-info": _instruments,
    "/v5/market/orderbook": _book,
    "/v5/market/recent-trade": _trades,
}
