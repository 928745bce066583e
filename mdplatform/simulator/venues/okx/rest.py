"""OKX: the REST calls a market data client needs. https://www.okx.com/docs-v5/en/"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mdplatform.simulator.engine.events import Trade
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.rest import Answer, Refused, answer, number
from mdplatform.simulator.venues.okx.instruments import INST_TYPES, row

_MS = 1_000_000


def respond(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer a call below /api/v5."""
    call = _CALLS.get(path)
    if call is None:
        raise _refused("404", "Not Found", 404)
    return answer({"code": "0", "msg": "", "data": call(markets, query, now_ns)})


def too_many() -> Answer:
    return _refused("50011", "Too Many Requests", 429).answer


def _time(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    return [{"ts": str(now_ns // _MS)}]


def _instruments(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    kind = query.get("instType")
    if kind is None:
        raise _refused("50014", "Parameter instType can not be empty.", 400)
    if kind not in ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"):
        raise _refused("51000", "Parameter instType error")
    return [row(one) for one in markets.instruments.values() if INST_TYPES[one.kind] == kind]


def _book(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    runner, count = _runner(markets, query), _number(query, "sz", 1, 400)
    market = runner.market
    price, size = market.instrument.price.text, market.instrument.size.text
    asks, bids = (
        [(price(tick), size(lots), "0", "1") for tick, lots in side.top(count)] for side in (market.asks, market.bids)
    )
    return [{"asks": asks, "bids": bids, "ts": str(now_ns // _MS), "seqId": market.update_id}]


def _trades(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    runner = _runner(markets, query)
    return [_trade(runner, one) for one in runner.latest(_number(query, "limit", 100, 500))]


def _history(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    """Newest first; ``after`` pages to older trades, ``before`` to newer ones, by trade id."""
    if query.get("type", "1") != "1":
        raise _refused("51000", "Parameter type error")
    runner = _runner(markets, query)
    after, before = _number(query, "after", 2**62, 2**62), _number(query, "before", 0, 2**62)
    found = [one for one in reversed(runner.trades) if before < one.trade_id < after]
    return [_trade(runner, one) for one in found[: _number(query, "limit", 100, 100)]]


def _trade(runner: MarketRunner, trade: Trade) -> dict[str, str]:
    instrument = runner.market.instrument
    return {
        "instId": instrument.symbol,
        "side": trade.taker_side,
        "sz": instrument.size.text(trade.lots),
        "px": instrument.price.text(trade.tick),
        "source": "0",
        "tradeId": str(trade.trade_id),
        "ts": str(trade.ns // _MS),
    }


def _runner(markets: Markets, query: Mapping[str, str]) -> MarketRunner:
    name = query.get("instId")
    if not name:
        raise _refused("50014", "Parameter instId can not be empty.", 400)
    if name not in markets:
        raise _refused("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
    return markets[name]


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    return number(query, name, default, most, lambda name: _refused("51000", f"Parameter {name} error"))


def _refused(code: str, text: str, status: int = 200) -> Refused:
    return Refused(answer({"code": code, "msg": text, "data": []}, status))


_CALLS: dict[str, Callable[[Markets, Mapping[str, str], int], list[Any]]] = {
    "/api/v5/public/time": _time,
    "/api/v5/public/instruments": _instruments,
    "/api/v5/market/books": _book,
    "/api/v5/market/trades": _trades,
    "/api/v5/market/history-trades": _history,
}
