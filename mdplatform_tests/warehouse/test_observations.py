"""What Dagster and people ask about the tables themselves."""

from datetime import timedelta

from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.queries import run
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_trades


def test_available_hours_are_those_with_rows(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1}, {"at": after(3601), "sequence": 2})
    put_trades(warehouse, {"at": after(1), "id": "1"})
    rows = run(warehouse, "available_hours", since=HOUR)
    hour_later = HOUR + timedelta(hours=1)
    assert [(row["dataset"], row["hour"], row["rows"]) for row in rows] == [
        ("books", HOUR, 1),
        ("trades", HOUR, 1),
        ("books", hour_later, 1),
    ]


def test_stored_offset_is_the_largest_of_each_partition(warehouse: Client) -> None:
    put_books(
        warehouse,
        {"at": after(1), "sequence": 1, "_offset": 3},
        {"at": after(2), "sequence": 2, "_offset": 9},
        {"at": after(3), "sequence": 3, "_offset": 4, "_partition": 1},
    )
    rows = run(warehouse, "observe_offsets")
    assert [(row["topic"], row["partition"], row["stored_offset"]) for row in rows] == [("test", 0, 9), ("test", 1, 4)]


def test_tables_report_their_rows(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1), "id": "1"}, {"at": after(2), "id": "2"})
    rows = {row["name"]: row["rows"] for row in run(warehouse, "observe_tables")}
    assert rows == {"md_trades": 2, "md_messages": 2, "md_trades_hours": 1}


def test_freshness_states_newest_time_and_lag_of_each_feed(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1}, {"at": after(2), "sequence": 2})
    (row,) = run(warehouse, "feed_freshness", since=HOUR)
    assert (row["newest"], float(row["lag_s"])) == (HOUR + timedelta(seconds=2), 0.1)
