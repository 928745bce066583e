"""At every venue that lists trades by REST: a bad row of an answer costs no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest

from mdplatform import venues
from mdplatform.core.events import DeadLetter, Trade
from mdplatform.core.session import Output
from mdplatform.venuekit.base_session import SocketSession
from mdplatform.venuekit.market import Market

T = 1_790_000_000_000  # ms
NOW = (T + 1000) * 1_000_000
TIME = "2026-09-21T14:13:20.100000Z"
Row = dict[str, object] | list[object]


class Case(NamedTuple):
    """``row`` makes the row of a number with this price, ``body`` the answer that holds rows; ``live`` came before."""

    venue: str
    symbol: str
    row: Callable[[int, str], Row]
    body: Callable[[list[Row]], object] = lambda rows: rows
    live: Row | None = None


CASES = [
    Case(
        "binance",
        "BTC-USDT",
        lambda n, price: {"id": n, "price": price, "qty": "1", "time": T + n, "isBuyerMaker": True},
    ),
    Case(
        "binance-usdm",
        "BTC-USDT-PERP",
        lambda n, price: {"a": n, "p": price, "q": "1", "f": n, "l": n, "T": T + n, "m": True},
    ),
    Case(
        "bybit",
        "BTC-USDT-PERP",
        lambda n, price: {
            "execId": f"id-{n}",
            "symbol": "BTCUSDT",
            "price": price,
            "size": "1",
            "side": "Buy",
            "time": str(T + n),
        },
        lambda rows: {"retCode": 0, "result": {"category": "linear", "list": rows}},
        {
            "topic": "publicTrade.BTCUSDT",
            "type": "snapshot",
            "ts": T,
            "data": [{"T": T + 3, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "13", "i": "id-3"}],
        },
    ),
    Case(
        "coinbase",
        "BTC-USD",
        lambda n, price: {"trade_id": n, "side": "sell", "size": "1", "price": price, "time": TIME},
    ),
    Case(
        "cryptocom",
        "BTC-USD",
        lambda n, price: {"d": str(n), "t": T + n, "tn": T * 10**6, "p": price, "q": "1", "s": "BUY", "i": "BTC_USD"},
        lambda rows: {"id": -1, "method": "public/get-trades", "code": 0, "result": {"data": rows}},
    ),
    Case(
        "deribit",
        "BTC-USD-PERP",
        lambda n, price: {
            "instrument_name": "BTC-PERPETUAL",
            "timestamp": T + n,
            "trade_id": str(n),
            "trade_seq": n,
            "price": int(price),
            "amount": 10,
            "direction": "buy",
        },
        lambda rows: {"jsonrpc": "2.0", "result": {"trades": rows, "has_more": False}},
    ),
    Case(
        "gate",
        "BTC-USDT",
        lambda n, price: {
            "id": str(n),
            "create_time_ms": f"{T + n}.5",
            "side": "buy",
            "amount": "1",
            "price": price,
            "sequence_id": str(n),
        },
    ),
    Case(
        "hyperliquid",
        "BTC-USD-PERP",
        lambda n, price: {"coin": "BTC", "side": "A", "px": price, "sz": "1", "time": T + n, "tid": n},
    ),
    Case(
        "kraken",
        "BTC-USD",
        lambda n, price: [price, "1", T / 1000 + n, "b", "l", "", n],
        lambda rows: {"error": [], "result": {"XXBTZUSD": rows, "last": "1"}},
    ),
    Case(
        "kucoin",
        "BTC-USDT",
        lambda n, price: {"sequence": str(n), "price": price, "size": "1", "side": "buy", "time": (T + n) * 1_000_000},
        lambda rows: {"code": "200000", "data": rows},
    ),
    Case(
        "okx",
        "BTC-USDT",
        lambda n, price: {
            "instId": "BTC-USDT",
            "tradeId": str(n),
            "px": price,
            "sz": "1",
            "side": "buy",
            "ts": str(T + n),
        },
        lambda rows: {"code": "0", "msg": "", "data": rows},
    ),
]


def answered(case: Case, rows: list[Row]) -> tuple[list[Output], bytes]:
    venue = venues.venue(case.venue)
    lines = venue.plan_connections(venue.known_instruments().select([case.symbol]), ("trades",))
    session = lines[0].session
    assert isinstance(session, SocketSession)
    session.connected("c", NOW)
    if case.live is not None:
        session.receive(json.dumps(case.live, separators=(",", ":")).encode(), NOW)
    [market] = list(session.markets)
    assert isinstance(market, Market)
    body = json.dumps(case.body(rows)).encode()
    return session.filled(market, 200, body, NOW), body


@pytest.mark.parametrize("odd", ["price", "shape"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.venue)
def test_a_bad_row_of_an_answer_costs_no_other(case: Case, odd: str) -> None:
    bad = case.row(2, "0") if odd == "price" else {"odd": 1}
    out, body = answered(case, [case.row(1, "11"), bad, case.row(3, "13")])
    live = {"13"} if case.live is not None else set()
    assert {o.price for o in out if isinstance(o, Trade)} == {"11", "13"} - live
    [letter] = [o for o in out if isinstance(o, DeadLetter)]
    assert letter.error.startswith("row 2 of 3: ")
    assert letter.frame == body
