"""Funding as it was paid: of many statements about one payment the last one before it."""

from __future__ import annotations

from datetime import datetime, timedelta

from clickhouse_connect.driver.client import Client

from mdplatform_tests.warehouse.rows import HOUR

PAID = "SELECT paid_at, rate, mark_price, stated_at FROM md_funding_paid ORDER BY paid_at"
DUE = HOUR + timedelta(hours=1)


def put(client: Client, at: datetime, rate: float | None, due: datetime | None, mark: float | None = 100.0) -> None:
    row = {"exchange": "okx", "symbol": "BTC-USDT-PERP", "rate": rate, "mark_price": mark, "next_funding_at": due}
    row |= {"timestamp": at, "venue_time": at, "received_at": at, "_topic": "t", "_partition": 0, "_offset": 0}
    client.insert("md_funding_store", [list(row.values())], column_names=list(row))


def test_a_payment_is_one_row_with_what_was_stated_last_before_it(warehouse: Client) -> None:
    last = DUE - timedelta(seconds=1)
    put(warehouse, HOUR, 0.0001, DUE)
    put(warehouse, last, 0.0003, DUE, mark=101.0)
    put(warehouse, last - timedelta(seconds=5), 0.0002, DUE)
    put(warehouse, last + timedelta(seconds=0.5), None, DUE)  # states no rate
    put(warehouse, DUE, 0.0009, DUE)  # too late to be what was paid
    put(warehouse, DUE + timedelta(seconds=1), 0.0005, DUE + timedelta(hours=8))
    put(warehouse, DUE + timedelta(seconds=2), 0.0005, None)  # paid all the time
    rows = warehouse.query(PAID).result_rows
    naive = [tuple(v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in row) for row in rows]
    first, second = DUE.replace(tzinfo=None), last.replace(tzinfo=None)
    assert naive[0] == (first, 0.0003, 101.0, second)
    assert [row[1] for row in naive] == [0.0003, 0.0005]


def test_what_is_due_in_the_future_is_not_paid(warehouse: Client) -> None:
    put(warehouse, HOUR, 0.0001, datetime.now(HOUR.tzinfo) + timedelta(hours=1))
    assert warehouse.query(PAID).result_rows == []


def test_a_published_payment_is_one_row_with_what_was_collected_of_it(warehouse: Client) -> None:
    """The archive's time is some milliseconds off; its rate is what was paid."""
    last = DUE - timedelta(seconds=1)
    put(warehouse, last, 0.0003, DUE)
    put(warehouse, DUE + timedelta(hours=7), 0.0004, DUE + timedelta(hours=8))
    columns = ["exchange", "symbol", "timestamp", "rate", "interval_hours", "provenance"]
    published = [(DUE + timedelta(milliseconds=7), 0.00031), (DUE - timedelta(hours=8, milliseconds=-2), -0.0002)]
    rows = [["okx", "BTC-USDT-PERP", at, rate, 8, "archive"] for at, rate in published]
    warehouse.insert("md_funding_history_store", rows, columns)
    sql = "SELECT rate, stated_rate, provenance, isNull(stated_at), mark_price FROM md_funding_paid ORDER BY paid_at"
    assert warehouse.query(sql).result_rows == [
        (-0.0002, None, "archive", True, None),
        (0.00031, 0.0003, "archive", False, 100.0),
        (0.0004, 0.0004, "live", False, 100.0),
    ]
    assert [at.replace(tzinfo=DUE.tzinfo) for (at, *_) in warehouse.query(PAID).result_rows][1:] == [
        DUE,
        DUE + timedelta(hours=8),
    ]
