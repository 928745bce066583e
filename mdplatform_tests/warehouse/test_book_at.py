"""The book of any instant, asked in SQL, is the one that an independent reconstruction of the changes gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.events import BookChange
from mdplatform_tests.venues.recordings_digest import recorded
from mdplatform_tests.venues.test_book_changes import Rebuilt, played

INSTANTS = 20
DEPTH = 200
BOOK_AT = """
SELECT * FROM md_book_at(exchange={exchange:String}, symbol={symbol:String}, at={at:String}, depth={depth:UInt32})
"""
COLUMNS = ("exchange", "symbol", "kind", "b", "bv", "a", "av", "timestamp", "first_sequence", "sequence")
COLUMNS += ("previous_sequence", "venue_time", "received_at", "_topic", "_partition", "_offset")


def put_changes(client: Client, changes: Sequence[BookChange]) -> None:
    client.insert("md_book_increments_store", [_row(change) for change in changes], column_names=list(COLUMNS))


def _row(change: BookChange) -> list[Any]:
    sides = (change.bid_prices, change.bid_sizes, change.ask_prices, change.ask_sizes)
    return [
        *(change.exchange, change.symbol, change.kind),
        *([float(number) for number in numbers] for numbers in sides),
        datetime.fromtimestamp(change.venue_ns // 1_000_000 / 1000, UTC),
        *(change.first_sequence, change.sequence, change.previous_sequence, change.venue_ns, change.received_ns),
        *("test", 0, 0),
    ]


def text(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%d %H:%M:%S}.{ns % 10**9:09d}"


def asked(client: Client, change: BookChange, at_ns: int, depth: int = DEPTH) -> list[dict[str, Any]]:
    given = {"exchange": change.exchange, "symbol": change.symbol, "at": text(at_ns), "depth": depth}
    return list(client.query(BOOK_AT, parameters=given).named_results())


def side(rows: list[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    return [(row["price"], row["size"]) for row in rows if row["side"] == name]


@pytest.mark.parametrize("name", ["binance/hft_spot", "okx/cryptofeed", "gate/cryptofeed", "coinbase/cryptofeed"])
def test_a_book_at_random_instants_is_the_reconstruction(warehouse: Client, shared_data: Path, name: str) -> None:
    venue_id, lines = recorded(name)
    every = [event for event in played(venue_id, lines, 20) if isinstance(event, BookChange)]
    changes = [change for change in every if change.symbol == every[0].symbol]
    put_changes(warehouse, changes)
    put_changes(warehouse, changes[::3])  # as a second collector would
    book, place = Rebuilt(), 0
    instants = sorted(random.Random(name).sample(range(changes[0].received_ns, changes[-1].received_ns), INSTANTS))
    for at_ns in instants:
        while place < len(changes) and changes[place].received_ns <= at_ns:
            book.apply(changes[place])
            place += 1
        rows = asked(warehouse, changes[0], at_ns)
        bids, asks = book.top(DEPTH)
        assert side(rows, "bid") == [(float(price), float(size)) for price, size in bids]
        assert side(rows, "ask") == [(float(price), float(size)) for price, size in asks]
        assert {(row["sequence"], row["is_chained"]) for row in rows} == {(book.sequence, True)}


def test_a_missing_change_shows(warehouse: Client, shared_data: Path) -> None:
    _, lines = recorded("binance/hft_spot")
    changes = [event for event in played("binance", lines, 20) if isinstance(event, BookChange)][:50]
    put_changes(warehouse, [*changes[:20], *changes[21:]])
    assert {row["is_chained"] for row in asked(warehouse, changes[0], changes[-1].received_ns)} == {False}


def test_before_the_first_snapshot_there_is_no_book(warehouse: Client, shared_data: Path) -> None:
    _, lines = recorded("binance/hft_spot")
    changes = [event for event in played("binance", lines, 20) if isinstance(event, BookChange)][:5]
    put_changes(warehouse, changes)
    assert asked(warehouse, changes[0], changes[0].received_ns - 1) == []


UNREPEATABLE = 0.1 + 0.2  # more digits than any decimal of a venue


def changed(**levels: list[float]) -> dict[str, Any]:
    row = {"exchange": "kraken", "symbol": "BTC-USD", "kind": "update", "previous_sequence": 1}
    return row | {"b": [], "bv": [], "a": [], "av": []} | levels


@pytest.mark.parametrize(
    ("row", "digits"),
    [
        (changed(b=[61828.01, 61828.0], bv=[0.5, 0.0], a=[61829.5], av=[12.0]), (2, 1)),
        (changed(b=[1e-8, 9e-9], bv=[123456789.0, 1.0]), (9, 0)),
        # 100 and 30,000 USD at these prices, and 7 USD.
        (changed(b=[61799.2, 61802.0], bv=[0.001618143924, 0.48542118378], a=[61849.6], av=[0.0]), (1, 102)),
        (changed(a=[61849.6], av=[0.000113177773]), (1, 100)),
        (changed(a=[UNREPEATABLE, 61849.6], av=[UNREPEATABLE, 1 / 3]), (255, 255)),
        (changed(a=[9.007199254740993e15], av=[1e300]), (255, 255)),
        (changed(), (0, 0)),
    ],
)
def test_packed_levels_come_back_to_the_bit(warehouse: Client, row: dict[str, Any], digits: tuple[int, int]) -> None:
    at = datetime(2026, 11, 30, 12, tzinfo=UTC)
    whole = row | {"timestamp": at, "sequence": 2, "venue_time": at, "received_at": at}
    warehouse.insert("md_book_increments_store", [list(whole.values())], column_names=list(whole))
    stored = warehouse.query("SELECT price_digits, size_digits FROM md_book_increments_store").first_row
    read = warehouse.query("SELECT b, bv, a, av, received_at FROM md_book_increments", tz_mode="aware").first_row
    assert (read, stored) == ((row["b"], row["bv"], row["a"], row["av"], at), digits)
