"""Open interest that was collected and that archives have is read by one name, each once."""

from __future__ import annotations

from datetime import datetime, timedelta

from clickhouse_connect.driver.client import Client

from mdplatform_tests.warehouse.rows import HOUR

FIELDS = {"exchange": "binance-usdm", "symbol": "BTC-USDT-PERP"}


def collect(client: Client, at: datetime, size: float) -> None:
    row = {**FIELDS, "open_interest": size, "timestamp": at, "venue_time": at, "received_at": at}
    row |= {"_topic": "t", "_partition": 0, "_offset": 0}
    client.insert("md_open_interest_store", [list(row.values())], column_names=list(row))


def publish(client: Client, at: datetime, size: float | None) -> None:
    row = {**FIELDS, "timestamp": at, "open_interest": size, "provenance": "archive"}
    client.insert("md_open_interest_history_store", [list(row.values())], column_names=list(row))


def after(minutes: float) -> datetime:
    return HOUR + timedelta(minutes=minutes)


def test_an_archived_row_stands_only_where_nothing_was_collected(warehouse: Client) -> None:
    for minutes in (0, 5, 10, 15):
        publish(warehouse, after(minutes), 100.0 + minutes)
    publish(warehouse, after(20), None)
    for minutes in (4, 5, 6, 8):
        collect(warehouse, after(minutes), 1000.0 + minutes)
    sql = "SELECT toMinute(timestamp), open_interest, provenance FROM md_open_interest_all ORDER BY 1"
    assert warehouse.query(sql).result_rows == [
        (0, 100.0, "archive"),
        (4, 1004.0, "live"),
        (5, 1005.0, "live"),
        (6, 1006.0, "live"),
        (8, 1008.0, "live"),
        (15, 115.0, "archive"),
    ]
