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


@pytest.mark.parametrize("name", ["binance/hft_spot", "okx/cryptofeed", "gate/cryptofeed"])
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
