"""What readers see in the tables."""

from datetime import UTC, datetime, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_status, put_trades

SECTION_5 = [
    "SELECT symbol, b, bv, a, av, timestamp FROM md_orderbook_depth"
    " WHERE symbol = 'BTC-USDT' ORDER BY timestamp DESC LIMIT 1",
    "SELECT symbol, timestamp, bid_price, ask_price FROM md_top_of_book ORDER BY timestamp DESC LIMIT 10",
    "SELECT symbol, avg(ask_price - bid_price) FROM md_top_of_book"
    " WHERE timestamp > now() - INTERVAL 1 HOUR GROUP BY symbol",
]
PROVEN = "SELECT valid_from_ns, valid_to_ns FROM md_feed_proven ORDER BY valid_from_ns"


@pytest.mark.parametrize("sql", SECTION_5)
def test_promised_queries_run_as_written(warehouse: Client, sql: str) -> None:
    now = int(datetime.now(UTC).timestamp()) * 10**9
    put_books(warehouse, {"at": now, "sequence": 1})
    assert len(warehouse.query(sql).result_rows) == 1


def test_latest_book_is_the_newest_by_venue_time(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(2), "sequence": 7, "b": [98.0]}, {"at": after(1), "sequence": 9})
    assert warehouse.query(SECTION_5[0]).first_row[1] == [98.0]


def received(seconds: float, sequence: int, **fields: object) -> dict[str, object]:
    """A book of a feed whose venue sends no time: it has that of its receipt."""
    return {"at": after(seconds), "sequence": sequence, "received_at": at(seconds), **fields}


def at(seconds: float) -> datetime:
    return HOUR + timedelta(seconds=seconds)


@pytest.mark.parametrize("view", ["md_orderbook_depth", "md_top_of_book"])
def test_second_collector_of_a_feed_without_venue_time_adds_no_rows(warehouse: Client, view: str) -> None:
    put_books(warehouse, received(1, 1), received(2, 2))
    put_books(warehouse, received(1.003, 1), received(2.001, 2))
    rows = warehouse.query(f"SELECT sequence, timestamp FROM {view} ORDER BY sequence").result_rows
    assert [sequence for sequence, _ in rows] == [1, 2]


@pytest.mark.parametrize("view", ["md_orderbook_depth", "md_top_of_book"])
def test_second_collector_of_a_feed_with_venue_time_adds_no_rows(warehouse: Client, view: str) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1}, {"at": after(2), "sequence": 2})
    later = [{"at": after(n), "sequence": n, "received_at": at(n + 5)} for n in (1, 2)]
    put_books(warehouse, *later)
    assert warehouse.query(f"SELECT sequence FROM {view} ORDER BY sequence").result_rows == [(1,), (2,)]


def test_first_received_of_equal_updates_is_kept_however_they_arrive(warehouse: Client) -> None:
    put_books(warehouse, received(1.003, 1, _offset=5))
    put_books(warehouse, received(1, 1, _offset=4))
    put_books(warehouse, received(1.002, 1, _offset=6))
    assert warehouse.query("SELECT _offset FROM md_orderbook_depth").result_rows == [(4,)]


@pytest.mark.parametrize("view", ["md_orderbook_depth", "md_top_of_book"])
def test_a_sequence_at_another_venue_time_is_another_book(warehouse: Client, view: str) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1}, {"at": after(60), "sequence": 1})
    assert warehouse.query(f"SELECT count() FROM {view}").result_rows == [(2,)]


@pytest.mark.parametrize("view", ["md_orderbook_depth", "md_top_of_book"])
def test_a_sequence_with_other_levels_is_another_book_where_the_venue_sends_no_time(
    warehouse: Client, view: str
) -> None:
    put_books(warehouse, received(1, 1), received(60, 1, b=[98.0]))
    assert warehouse.query(f"SELECT count() FROM {view}").result_rows == [(2,)]


def test_collectors_that_keep_other_numbers_of_levels_add_no_rows(warehouse: Client) -> None:
    put_books(warehouse, received(1, 1, b=[99.0, 98.0], bv=[1.0, 1.0]))
    put_books(warehouse, received(1.003, 1))
    assert warehouse.query("SELECT b FROM md_orderbook_depth").result_rows == [([99.0, 98.0],)]


def test_an_id_at_another_venue_time_is_another_trade(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1), "id": "1"}, {"at": after(2), "id": "1", "price": 99.0})
    assert warehouse.query("SELECT id, price FROM md_trades ORDER BY timestamp").result_rows == [
        ("1", 100.0),
        ("1", 99.0),
    ]


def test_a_trade_whose_time_rest_states_more_coarsely_is_one_row(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1.234567), "id": "1"})
    put_trades(warehouse, {"at": after(1.234), "id": "1", "provenance": "rest", "received_at": at(60)})
    assert warehouse.query("SELECT id, provenance FROM md_trades").result_rows == [("1", "live")]


def test_a_trade_of_several_matches_is_kept_before_its_last_match(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1), "id": "9", "provenance": "rest", "qty": 1.0})
    put_trades(warehouse, {"at": after(1), "id": "9", "qty": 5.0, "first_id": "5", "count": 5, "received_at": at(60)})
    assert warehouse.query("SELECT qty, first_id, count FROM md_trades").result_rows == [(5.0, "5", 5)]


def test_trade_seen_twice_is_one_row(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1), "id": "1"})
    put_trades(warehouse, {"at": after(1), "id": "1", "provenance": "rest", "received_at": HOUR.replace(minute=59)})
    assert warehouse.query("SELECT id, provenance FROM md_trades").result_rows == [("1", "live")]


def test_status_statement_that_reaches_furthest_holds(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(0), after(10))
    put_status(warehouse, "valid", after(0), None)
    put_status(warehouse, "valid", after(0), after(5))
    assert warehouse.query("SELECT ended_ns FROM md_feed_status").result_rows == [(after(10),)]


def test_each_utc_day_is_a_partition(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(2 * 3600 - 0.001), "sequence": 1}, {"at": after(2 * 3600), "sequence": 2})
    parts = warehouse.query(
        "SELECT table, partition, sum(rows) FROM system.parts"
        " WHERE database = currentDatabase() AND active AND table = 'md_orderbook_depth_store'"
        " GROUP BY ALL ORDER BY ALL"
    )
    assert [row[1:] for row in parts.result_rows] == [("2024-08-08", 1), ("2024-08-09", 1)]


def test_derived_columns_of_the_top_follow_their_formulas(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1, "b": [99.0], "bv": [3.0], "a": [101.0], "av": [1.0]})
    columns = "mid, spread, spread_bps, imbalance"
    assert warehouse.query(f"SELECT {columns} FROM md_top_of_book").result_rows == [(100.0, 2.0, 200.0, 0.5)]


def test_time_that_its_collector_calls_down_afterwards_is_not_proven(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(0), after(60))
    put_status(warehouse, "down", after(40), after(70))
    put_status(warehouse, "valid", after(70), after(90))
    assert warehouse.query(PROVEN).result_rows == [(after(0), after(40)), (after(70), after(90))]


def test_time_that_another_collector_calls_valid_is_proven_while_one_is_down(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(0), after(60))
    put_status(warehouse, "down", after(40), after(70))
    put_status(warehouse, "valid", after(10), after(80), collector="B")
    assert warehouse.query(PROVEN).result_rows == [(after(0), after(80))]


def test_valid_intervals_that_touch_are_proven_as_one(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(0), after(10))
    put_status(warehouse, "valid", after(10), after(20))
    put_status(warehouse, "down", after(20), None)
    assert warehouse.query(PROVEN).result_rows == [(after(0), after(20))]
