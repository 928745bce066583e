"""Whoever makes up symbols or exchanges without end neither fills a consumer's memory nor hides what is real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.codec import encode
from mdplatform.core.market_room import MOST_MARKETS
from mdplatform.dashboard.board import MAX_FEEDS
from mdplatform.terminal.topofbook import MOST_ROWS
from mdplatform_tests.security.hostile import ENGINE, EXCHANGE, NOW_NS, SYMBOL, Line, event

INVENTED = 100_000
DATASETS = ("books", "quotes", "trades", "liquidations", "status")


def invented(number: int, real_exchange: bool) -> Iterator[tuple[str, bytes]]:
    dataset = DATASETS[number % len(DATASETS)]
    value = encode(event(dataset))[1]
    if real_exchange:
        yield dataset, value.replace(SYMBOL.encode(), b"X%d-USDT" % number)
    else:
        yield dataset, value.replace(EXCHANGE.encode(), b"nobody%d" % number)


@pytest.fixture(scope="module", params=[True, False], ids=["symbols", "exchanges"])
def flooded(request: pytest.FixtureRequest) -> Line:
    line = Line(show_every=INVENTED // 20)  # to show a full board costs as much as the messages between
    for number in range(INVENTED):
        for dataset, value in invented(number, request.param):
            line.take(dataset, value)
    return line


def test_a_hundred_thousand_invented_markets_take_the_room_of_a_few(flooded: Line) -> None:
    markets = flooded.engine._detection._markets
    assert len(markets) <= MOST_MARKETS
    assert len(flooded.board) <= MAX_FEEDS
    assert len(flooded.table.rows()) <= MOST_ROWS
    held = {
        f"{type(detector).__name__}.{name}": len(value)
        for detector in markets._detectors
        for name, value in vars(detector).items()
        if isinstance(value, (dict, set))
    }
    assert len(held) >= 8
    assert {name: size for name, size in held.items() if size > 2 * MOST_MARKETS} == {}


def test_a_market_that_comes_after_them_is_found_shown_and_listed(flooded: Line) -> None:
    symbol = "SOL-USDT"
    before = flooded.signals
    for place, price in enumerate(("100.1", "100.2", "110.3")):
        at_ns = NOW_NS + place * SECOND
        for dataset in ENGINE:
            flooded.take(dataset, encode(event(dataset, price, at_ns, 100 + place, symbol))[1])
    flooded.show()
    assert flooded.signals > before
    rows, _ = flooded.board.changes({}, NOW_NS // 1_000_000)
    assert (EXCHANGE, symbol) in {(row["exchange"], row["symbol"]) for row in rows}
    assert (EXCHANGE, symbol) in {(top.exchange, top.symbol) for top in flooded.table.rows()}


def test_all_of_them_are_accounted_for(flooded: Line) -> None:
    account = flooded.account()
    assert {name: read == accounted for name, (read, accounted) in account.items()} == dict.fromkeys(account, True)
