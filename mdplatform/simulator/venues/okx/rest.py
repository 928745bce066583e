"""OKX: the REST calls a market data client needs. https://www.okx.com/docs-v5/en/"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from mdplatform.simulator.engine.events import Trade
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.exchange import Answer
from mdplatform.simulator.venues.okx.instruments import INST_TYPES, row

_MS = 1_000_000


class _Refused(Exception):
    """The call is answered with one of the venue's error codes."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.answer = Answer(400 if code == "50014" else 200, _body([], code, text))


def respond(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer a call below /api/v5."""
    call = _CALLS.get(path)
    if call is None:
        return Answer(404, _body([], "404", "Not Found"))
    try:
        return Answer(200, _body(call(markets, query, now_ns)))
    except _Refused as refused:
        return refused.answer


def too_many() -> Answer:
    return Answer(429, _body([], "50011", "Too Many Requests"))


def _time(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    return [{"ts": str(now_ns // _MS)}]


def _instruments(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    kind = query.get("instType")
    if kind is None:
        raise _Refused("50014", "Parameter instType can not be empty.")
    if kind not in ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"):
        raise _Refused("51000", "Parameter instType error")
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
    runner, most = _runner(markets, query), _number(query, "limit", 100, 500)
    return [_trade(runner, one) for one in list(runner.trades)[: -most - 1 : -1]]


def _history(markets: Markets, query: Mapping[str, str], now_ns: int) -> list[Any]:
    """Newest first; ``after`` pages to older trades, ``before`` to newer ones, by trade id."""
    if query.get("type", "1") != "1":
        raise _Refused("51000", "Parameter type error")
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
        raise _Refused("50014", "Parameter instId can not be empty.")
    if name not in markets:
        raise _Refused("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")
    return markets[name]


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdecimal() or len(text) > 19:
        raise _Refused("51000", f"Parameter {name} error")
    return min(int(text), most)


def _body(rows: list[Any], code: str = "0", text: str = "") -> bytes:
    return msgspec.json.encode({"code": code, "msg": text, "data": rows})


_CALLS: dict[str, Callable[[Markets, Mapping[str, str], int], list[Any]]] = {
    "/api/v5/public/time": _time,
    "/api/v5/public/instruments": _instruments,
    "/api/v5/market/books": _book,
    "/api/v5/market/trades": _trades,
    "/api/v5/market/history-trades": _history,
}
