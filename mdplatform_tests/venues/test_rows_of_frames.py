"""At every venue: of a frame [good, bad, good] the good rows are published once each, the bad one is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest

from mdplatform import venues
from mdplatform.core.events import DeadLetter, Liquidation, Trade
from mdplatform.core.session import Output, Session

T = 1_790_000_000_000  # ms
TIME = "2026-09-21T14:13:20.100000Z"
NOW = (T + 1000) * 1_000_000
Row = dict[str, object]


class Case(NamedTuple):
    """``row`` makes the row of a number with this price, ``frame`` what holds rows; ``before`` is received first."""

    venue: str
    row: Callable[[int, str], Row]
    frame: Callable[[list[Row]], object]
    before: Row | None = None


def _hyperliquid(n: int, price: str) -> Row:
    return {"coin": "BTC", "side": "A", "px": price, "sz": "1", "hash": "0x", "time": T + n, "tid": n}


def _bybit(n: int, price: str) -> Row:
    return {"T": T + n, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": price, "i": f"id-{n}"}


def _bybit_forced(n: int, price: str) -> Row:
    return {"T": T + n, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": price}


def _okx(n: int, price: str) -> Row:
    return {"instId": "BTC-USDT", "tradeId": str(n), "px": price, "sz": "1", "side": "buy", "ts": str(T + n)}


def _okx_forced(n: int, price: str) -> Row:
    return {"bkPx": price, "side": "sell", "sz": "1", "ts": str(T + n)}


def _bitget(n: int, price: str) -> Row:
    return {"i": str(n), "p": price, "v": "1", "S": "buy", "T": str(T + n)}


def _bitget_v2(n: int, price: str) -> Row:
    return {"tradeId": str(n), "price": price, "size": "1", "side": "buy", "ts": str(T + n)}


def _bitget_forced(n: int, price: str) -> Row:
    return {"symbol": "BTCUSDT", "side": "buy", "price": price, "amount": "100000", "ts": str(T + n)}


def _gate(n: int, price: str) -> Row:
    return {"size": 1, "id": n, "create_time_ms": T + n, "price": price, "contract": "BTC_USDT"}


def _gate_forced(n: int, price: str) -> Row:
    return {"size": 1, "time_ms": T + n, "price": price, "contract": "BTC_USDT"}


def _kraken(n: int, price: str) -> Row:
    return {"symbol": "BTC/USD", "side": "buy", "price": int(price), "qty": 1, "trade_id": n, "timestamp": TIME}


def _kraken_futures(n: int, price: str) -> Row:
    sides = {"product_id": "PI_XBTUSD", "side": "buy", "type": "fill", "qty": 1}
    return {"feed": "trade", **sides, "seq": n, "time": T + n, "price": int(price)}


def _order(n: int, price: str) -> Row:
    order = {"s": "BTCUSDT", "S": "SELL", "ap": price, "z": "1", "T": T + n * 1000}
    return {"e": "forceOrder", "E": T + n * 1000, "o": order}


def _advanced(n: int, price: str) -> Row:
    return {"trade_id": str(n), "product_id": "BTC-USD", "price": price, "size": "1", "side": "BUY", "time": TIME}


def _deribit(n: int, price: str) -> Row:
    name = {"instrument_name": "BTC-PERPETUAL", "timestamp": T + n, "trade_id": str(n), "trade_seq": n}
    return {**name, "price": int(price), "amount": 100, "direction": "buy"}


def _cryptocom(n: int, price: str) -> Row:
    return {"d": str(n), "t": T + n, "p": price, "q": "1", "s": "BUY", "i": "BTC_USD"}


def _cryptocom_push(rows: list[Row]) -> object:
    names = {"instrument_name": "BTC_USD", "subscription": "trade.BTC_USD", "channel": "trade"}
    return {"id": -1, "method": "subscribe", "code": 0, "result": {**names, "data": rows}}


def _push(head: Row) -> Callable[[list[Row]], object]:
    return lambda rows: {**head, "data": rows}


def _notified(rows: list[Row]) -> object:
    return {
        "jsonrpc": "2.0",
        "method": "subscription",
        "params": {"channel": "trades.BTC-PERPETUAL.100ms", "data": rows},
    }


def _bitget_push(topic: str, symbol: str | None) -> Callable[[list[Row]], object]:
    arg = {"instType": "usdt-futures", "topic": topic} | ({} if symbol is None else {"symbol": symbol})
    return _push({"action": "update", "arg": arg, "ts": T})


def _gate_push(channel: str) -> Callable[[list[Row]], object]:
    return lambda rows: {"time": T // 1000, "time_ms": T, "channel": channel, "event": "update", "result": rows}


CASES = {
    "binance_usdm_forced": Case("binance-usdm", _order, _push({"stream": "!forceOrder@arr"})),
    "hyperliquid": Case("hyperliquid", _hyperliquid, _push({"channel": "trades"})),
    "bybit": Case("bybit", _bybit, _push({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": T})),
    "bybit_forced": Case(
        "bybit", _bybit_forced, _push({"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": T})
    ),
    "okx": Case("okx", _okx, _push({"arg": {"channel": "trades", "instId": "BTC-USDT"}})),
    "okx_forced": Case(
        "okx",
        _okx_forced,
        lambda rows: {
            "arg": {"channel": "liquidation-orders", "instType": "SWAP"},
            "data": [{"instId": "BTC-USDT-SWAP", "details": rows}],
        },
    ),
    "bitget": Case("bitget", _bitget, _bitget_push("publicTrade", "BTCUSDT")),
    "bitget_v2": Case(
        "bitget",
        _bitget_v2,
        _push(
            {
                "action": "update",
                "arg": {"instType": "USDT-FUTURES", "channel": "trade", "instId": "BTCUSDT"},
                "ts": T,
            }
        ),
    ),
    "bitget_forced": Case("bitget", _bitget_forced, _bitget_push("liquidation", None)),
    "gate": Case("gate", _gate, _gate_push("futures.trades")),
    "gate_forced": Case("gate", _gate_forced, _gate_push("futures.public_liquidates")),
    "kraken": Case("kraken", _kraken, _push({"channel": "trade", "type": "update"})),
    "kraken_futures": Case(
        "kraken",
        _kraken_futures,
        lambda rows: {"feed": "trade_snapshot", "product_id": "PI_XBTUSD", "trades": rows},
        _kraken_futures(0, "10"),
    ),
    "coinbase_advanced": Case(
        "coinbase",
        _advanced,
        lambda rows: {
            "channel": "market_trades",
            "timestamp": TIME,
            "sequence_num": 0,
            "events": [{"type": "update", "trades": rows}],
        },
    ),
    "deribit": Case("deribit", _deribit, _notified),
    "cryptocom": Case("cryptocom", _cryptocom, _cryptocom_push),
}


def _session(case: Case) -> Session:
    venue = venues.venue(case.venue)
    session = venue.reader(venue.known_instruments())
    if case.before is not None:
        session.receive(json.dumps(case.before, separators=(",", ":")).encode(), NOW)
    return session


def _prices(outputs: list[Output]) -> list[str]:
    return [event.price for event in outputs if isinstance(event, Trade | Liquidation)]


def _letters(outputs: list[Output]) -> list[DeadLetter]:
    return [event for event in outputs if isinstance(event, DeadLetter)]


@pytest.mark.parametrize("name", CASES)
def test_a_bad_price_costs_no_other_row(name: str) -> None:
    case = CASES[name]
    frame = json.dumps(case.frame([case.row(1, "11"), case.row(2, "0"), case.row(3, "13")]), separators=(",", ":"))
    outputs = _session(case).receive(frame.encode(), NOW)
    assert sorted(_prices(outputs)) == ["11", "13"]
    assert [(letter.reason, letter.error[:11], letter.frame) for letter in _letters(outputs)] == [
        ("bad_number", "row 2 of 3:", frame.encode())
    ]


@pytest.mark.parametrize("name", CASES)
def test_a_row_of_another_shape_costs_no_other_row(name: str) -> None:
    case = CASES[name]
    frame = json.dumps(case.frame([case.row(1, "11"), {"odd": 1}, case.row(3, "13")]), separators=(",", ":"))
    outputs = _session(case).receive(frame.encode(), NOW)
    assert sorted(_prices(outputs)) == ["11", "13"]
    assert [(letter.reason, letter.error[:11]) for letter in _letters(outputs)] == [("wrong_shape", "row 2 of 3:")]


@pytest.mark.parametrize("name", CASES)
def test_no_row_is_known_as_seen_that_was_not_published(name: str) -> None:
    case = CASES[name]
    session = _session(case)
    session.receive(json.dumps(case.frame([case.row(n, "0") for n in (1, 2)]), separators=(",", ":")).encode(), NOW)
    frame = json.dumps(case.frame([case.row(n, f"1{n}") for n in (1, 2)]), separators=(",", ":"))
    assert sorted(_prices(session.receive(frame.encode(), NOW))) == ["11", "12"]
    assert _prices(session.receive(frame.encode(), NOW)) == []
