"""Late rows of every dataset reopen their hour; the last book of an hour reopens the next one, too."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse import queries
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_status, put_trades

NEXT = HOUR + timedelta(hours=1)
BEFORE, SINCE, STORED = (HOUR + timedelta(days=days) for days in (1, 2, 3))
COMMON = {"exchange": "okx", "symbol": "BTC-USDT", "_topic": "test", "_partition": 0, "_offset": 0}


def late(client: Client) -> list[datetime]:
    return [row["hour"] for row in queries.run(client, "late_hours", since=SINCE)]


def put(client: Client, table: str, **fields: Any) -> None:
    at = HOUR + timedelta(seconds=10)
    row: Mapping[str, Any] = {
        **COMMON,
        "timestamp": at,
        "venue_time": at,
        "received_at": at,
        "inserted_at": STORED,
        **fields,
    }
    client.insert(table, [list(row.values())], column_names=list(row))


@pytest.mark.parametrize(
    ("table", "fields"),
    [
        ("md_quotes_store", {"sequence": 1, "bid_price": 1.0, "bid_size": 1.0, "ask_price": 2.0, "ask_size": 1.0}),
        ("md_liquidations_store", {"id": "1", "price": 1.0, "qty": 1.0, "side": "buy"}),
        ("md_funding_store", {"rate": 0.1}),
        ("md_open_interest_store", {"open_interest": 1.0}),
        ("md_index_store", {"price": 1.0}),
        ("md_option_summary_store", {"mark_price": 1.0}),
    ],
)
def test_a_late_row_reopens_its_hour(warehouse: Client, table: str, fields: dict[str, Any]) -> None:
    put(warehouse, table, **fields)
    assert late(warehouse) == [HOUR]


def test_a_late_trade_reopens_its_hour(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1), "id": "1", "inserted_at": STORED})
    assert late(warehouse) == [HOUR]


def test_a_late_book_that_is_the_last_of_its_hour_reopens_the_next_one_too(warehouse: Client) -> None:
    put_books(
        warehouse,
        {"at": after(3000), "sequence": 1, "inserted_at": BEFORE},
        {"at": after(3500), "sequence": 2, "inserted_at": STORED},
    )
    assert late(warehouse) == [HOUR, NEXT]


def test_a_late_book_before_another_reopens_its_own_hour_only(warehouse: Client) -> None:
    put_books(
        warehouse,
        {"at": after(3000), "sequence": 1, "inserted_at": STORED},
        {"at": after(3500), "sequence": 2, "inserted_at": BEFORE},
    )
    assert late(warehouse) == [HOUR]


def test_a_status_that_is_new_or_filled_reopens_its_hour_and_one_that_lasts_does_not(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(1), after(7200), inserted_at=STORED)
    assert late(warehouse) == []
    put_status(warehouse, "gap", after(4000), after(4001), missed=0, inserted_at=STORED)
    assert late(warehouse) == [NEXT]
    put_status(warehouse, "down", after(5), None, inserted_at=STORED)
    assert late(warehouse) == [HOUR, NEXT]


def test_rows_stored_before_reopen_nothing(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1, "inserted_at": BEFORE})
    assert late(warehouse) == []
