"""Binance spot: the REST calls a market data client needs, with their weights.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import msgspec

from mdplatform.simulator.budget import Window
from mdplatform.simulator.events import Print
from mdplatform.simulator.exchange import Answer
from mdplatform.simulator.floors import Floor, Floors
from mdplatform.simulator.profiles import Instrument

_MS = 1_000_000
_DEPTH_WEIGHTS = ((100, 5), (500, 25), (1000, 50), (5000, 250))
_WEIGHTS = {"exchangeInfo": 20, "trades": 25, "historicalTrades": 25, "aggTrades": 4, "ping": 1, "time": 1}
_IGNORED_BEFORE_BAN = 10  # calls over the budget in one minute until 429 becomes 418


class _Refused(Exception):
    """The call is answered with one of the venue's error codes."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.answer = Answer(400, msgspec.json.encode({"code": code, "msg": text}))


def respond(floors: Floors, weight: Window, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer one call and charge its weight; 429 above the budget, 418 to those who go on."""
    call = path.removeprefix("/api/v3/")
    if path == call or call not in {*_WEIGHTS, "depth"}:
        return Answer(404, b'{"code":-1,"msg":"Not found"}')
    try:
        cost = _depth_weight(query) if call == "depth" else _WEIGHTS[call]
        within = weight.use(cost, now_ns)
        answer = _answer(floors, call, query, now_ns, weight) if within else over_budget(weight, now_ns)
    except _Refused as refused:
        answer = refused.answer
    used = (("X-MBX-USED-WEIGHT", str(weight.used)), ("X-MBX-USED-WEIGHT-1M", str(weight.used)))
    return answer._replace(headers=(*answer.headers, *used))


def over_budget(weight: Window, now_ns: int) -> Answer:
    banned = weight.used > weight.limit + _IGNORED_BEFORE_BAN * 250
    return too_many(120, 418) if banned else too_many(weight.left_s(now_ns))


def too_many(retry_s: int, status: int = 429) -> Answer:
    body = b'{"code":-1003,"msg":"Too much request weight used; please use WebSocket Streams for live updates."}'
    return Answer(status, body, (("Retry-After", str(retry_s)),))


def _answer(floors: Floors, call: str, query: Mapping[str, str], now_ns: int, weight: Window) -> Answer:
    match call:
        case "ping":
            return Answer(200, b"{}")
        case "time":
            return Answer(200, b'{"serverTime":%d}' % (now_ns // _MS))
        case "exchangeInfo":
            return Answer(200, msgspec.json.encode(_exchange_info(_listed(floors, query), now_ns, weight.limit)))
    floor = _floor(floors, query.get("symbol"))
    match call:
        case "depth":
            return Answer(200, depth(floor, _number(query, "limit", 100, 5000)))
        case "aggTrades":
            return Answer(200, msgspec.json.encode(_aggregates(floor, query)))
    return Answer(200, msgspec.json.encode(_trades(floor, query)))


def depth(floor: Floor, limit: int) -> bytes:
    """The snapshot: the best `limit` levels of each side."""
    market = floor.market
    price, size = market.instrument.price.text, market.instrument.size.text
    sides = [
        ",".join([f'["{price(tick)}","{size(lots)}"]' for tick, lots in side.top(limit)])
        for side in (market.bids, market.asks)
    ]
    return f'{{"lastUpdateId":{market.update_id},"bids":[{sides[0]}],"asks":[{sides[1]}]}}'.encode()


def _floor(floors: Floors, symbol: str | None) -> Floor:
    if symbol is None:
        raise _Refused(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
    if symbol not in floors:
        raise _Refused(-1121, "Invalid symbol.")
    return floors[symbol]


def _listed(floors: Floors, query: Mapping[str, str]) -> Iterable[Instrument]:
    if "symbol" in query:
        return [_floor(floors, query["symbol"]).market.instrument]
    if "symbols" in query:
        try:
            names = msgspec.json.decode(query["symbols"], type=list[str])
        except msgspec.MsgspecError:
            raise _Refused(-1100, "Illegal characters found in parameter 'symbols'.") from None
        return [_floor(floors, name).market.instrument for name in names]
    return floors.instruments.values()


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or not int(text):
        raise _Refused(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return min(int(text), most)


def _depth_weight(query: Mapping[str, str]) -> int:
    limit = _number(query, "limit", 100, 5000)
    return next(weight for most, weight in _DEPTH_WEIGHTS if limit <= most)


def _exchange_info(instruments: Iterable[Instrument], now_ns: int, limit: int) -> dict[str, Any]:
    weights = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": limit}
    raw = {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300_000}
    return {
        "timezone": "UTC",
        "serverTime": now_ns // _MS,
        "rateLimits": [weights, raw],
        "exchangeFilters": [],
        "symbols": [_listing(instrument) for instrument in instruments],
    }


def _listing(instrument: Instrument) -> dict[str, Any]:
    tick, step = instrument.price.text(1), instrument.size.text(1)
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
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000000.00000000", "stepSize": step},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }


def _trades(floor: Floor, query: Mapping[str, str]) -> list[dict[str, Any]]:
    limit = _number(query, "limit", 500, 1000)
    trades = list(floor.trades)
    if "fromId" in query:
        first = _number(query, "fromId", 0, 2**62)
        return [_trade(floor, trade) for trade in trades if trade.trade_id >= first][:limit]
    return [_trade(floor, trade) for trade in trades[-limit:]]


def _trade(floor: Floor, trade: Print) -> dict[str, Any]:
    instrument = floor.market.instrument
    quote = instrument.price.value(trade.tick) * instrument.size.value(trade.lots)
    return {
        "id": trade.trade_id,
        "price": instrument.price.text(trade.tick),
        "qty": instrument.size.text(trade.lots),
        "quoteQty": f"{quote:.8f}",
        "time": trade.ns // _MS,
        "isBuyerMaker": not trade.taker_buys,
        "isBestMatch": True,
    }


def _aggregates(floor: Floor, query: Mapping[str, str]) -> list[dict[str, Any]]:
    limit = _number(query, "limit", 500, 1000)
    groups = [list(group) for _, group in groupby(floor.trades, key=lambda trade: trade.order_id)]
    if "fromId" in query:
        first = _number(query, "fromId", 0, 2**62)
        groups = [group for group in groups if group[0].order_id >= first][:limit]
    elif "startTime" in query or "endTime" in query:
        start, end = _number(query, "startTime", 1, 2**62), _number(query, "endTime", 2**62, 2**62)
        groups = [group for group in groups if start <= group[0].ns // _MS <= end][:limit]
    return [_aggregate(floor.market.instrument, group) for group in groups[-limit:]]


def _aggregate(instrument: Instrument, group: list[Print]) -> dict[str, Any]:
    first = group[0]
    return {
        "a": first.order_id,
        "p": instrument.price.text(first.tick),
        "q": instrument.size.text(sum(trade.lots for trade in group)),
        "f": first.trade_id,
        "l": group[-1].trade_id,
        "T": first.ns // _MS,
        "m": not first.taker_buys,
        "M": True,
    }
