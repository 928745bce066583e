"""Checks of rows against their messages, their times, and each other: each returns the bad rows and nothing else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.queries import run
from mdplatform.warehouse.rollups import build_spread_hourly
from mdplatform_tests.warehouse.copied import Copies, drop
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_status, put_trades

STORES = ("md_orderbook_depth", "md_top_of_book", "md_trades", "md_feed_status", "md_messages", "md_spread_hourly")


@pytest.fixture(scope="module")
def migrated(clickhouse_url: str, copies: Copies) -> Iterator[Client]:
    """One database for all tests of this module."""
    settings = Settings(clickhouse_url=clickhouse_url, clickhouse_database="t_checks_rows")
    drop(settings)
    copies.make(settings)
    with connect(settings) as client:
        yield client
    drop(settings)


@pytest.fixture
def tables(migrated: Client) -> Client:
    """Its tables, empty."""
    for table in STORES:
        migrated.command(f"TRUNCATE TABLE {table}_store")
    return migrated


def bad(client: Client, name: str, **params: object) -> list[dict[str, object]]:
    return run(client, name, hour=HOUR, limit=100, **params)


def numbered(*offsets: int) -> list[dict[str, object]]:
    """A trade a second, at these offsets."""
    return [{"at": after(n), "id": f"t{offset}", "_offset": offset} for n, offset in enumerate(offsets, 1)]


def test_messages_in_a_row_have_no_hole(tables: Client) -> None:
    put_trades(tables, *numbered(4, 5, 6))
    assert bad(tables, "offsets_have_no_holes") == []


def test_offsets_that_nobody_read_are_returned_as_one_run(tables: Client) -> None:
    put_trades(tables, *numbered(4, 5, 9))
    rows = bad(tables, "offsets_have_no_holes")
    found = [(row["fault"], row["first_offset"], row["last_offset"], row["bad_rows"]) for row in rows]
    assert found == [("never read", 6, 8, 3)]


def test_a_message_of_another_hour_fills_its_place(tables: Client) -> None:
    put_trades(tables, *numbered(4, 6), {"at": after(-9000), "id": "late", "_offset": 5})
    assert bad(tables, "offsets_have_no_holes") == []


def test_a_refused_message_fills_its_place(tables: Client) -> None:
    put_trades(tables, *numbered(4, 6))
    tables.insert(
        "md_dead_letter_store",
        [["binance", "unreadable_message", "", "{", HOUR, HOUR, "test", 0, 5]],
        column_names=[
            *("exchange", "reason", "error", "frame", "timestamp", "received_at"),
            *("_topic", "_partition", "_offset"),
        ],
    )
    assert bad(tables, "offsets_have_no_holes") == []


def test_a_deleted_row_is_returned_with_its_message(tables: Client) -> None:
    put_trades(tables, *numbered(4, 5, 6))
    tables.command("DELETE FROM md_trades_store WHERE id = 't5'")
    rows = bad(tables, "offsets_have_no_holes")
    found = [(row["fault"], row["dataset"], row["first_offset"]) for row in rows]
    assert found == [("row is missing", "trades", 5)]


def test_two_messages_of_one_update_are_no_hole(tables: Client) -> None:
    put_trades(tables, *numbered(4, 5), {"at": after(2), "id": "t5", "_offset": 6})
    tables.command("OPTIMIZE TABLE md_trades_store FINAL")
    assert bad(tables, "offsets_have_no_holes") == []


def test_a_deleted_book_is_no_gap_in_its_sequence(tables: Client) -> None:
    put_books(tables, *({"at": after(n), "sequence": n, "previous_sequence": n - 1} for n in (1, 2, 3)))
    tables.command("DELETE FROM md_orderbook_depth_store WHERE sequence = 2")
    assert bad(tables, "sequence_has_no_gap") == []


def test_a_deleted_trade_is_no_gap_in_the_numbers(tables: Client) -> None:
    put_trades(tables, *({"at": after(n), "id": str(n)} for n in (1, 2, 3)))
    tables.command("DELETE FROM md_trades_store WHERE id = '2'")
    assert bad(tables, "trade_ids_have_no_gap", exchanges=["binance"]) == []


def test_a_row_stored_twice_is_seen_once(tables: Client) -> None:
    put_trades(tables, *numbered(4, 5))
    put_trades(tables, *numbered(4, 5))
    assert bad(tables, "rows_are_unique") == []


def test_a_numbering_of_trades_that_begins_again_leaves_no_gap_and_hides_none(tables: Client) -> None:
    put_trades(tables, *({"at": after(n), "id": str(5000 + n), "_offset": n} for n in range(3)))
    put_trades(tables, *({"at": after(60 + n), "id": str(n), "_offset": 60 + n} for n in (1, 2, 4)))
    rows = run(tables, "trade_ids_have_no_gap", hour=HOUR, limit=100, exchanges=["binance"])
    assert [(row["last_number"], row["number"]) for row in rows] == [(2, 4)]


def test_a_trade_of_several_matches_leaves_no_gap(tables: Client) -> None:
    put_trades(tables, {"at": after(1), "id": "10"}, {"at": after(2), "id": "12", "provenance": "rest"})
    put_trades(tables, {"at": after(2), "id": "15", "first_id": "11", "count": 5})
    put_trades(tables, {"at": after(3), "id": "18", "first_id": "17", "count": 2})
    rows = run(tables, "trade_ids_have_no_gap", hour=HOUR, limit=100, exchanges=["binance"])
    assert [(row["last_number"], row["number"]) for row in rows] == [(15, 18)]


def test_one_message_as_two_trades_is_returned(tables: Client) -> None:
    put_trades(tables, *numbered(4, 5), {"at": after(2), "id": "again", "_offset": 5})
    rows = bad(tables, "rows_are_unique")
    assert [(row["fault"], row["id"], row["offsets"]) for row in rows] == [
        ("one message as several rows", "again t5", [5])
    ]


def test_one_trade_on_both_sides_of_a_midnight_is_returned(tables: Client) -> None:
    last = HOUR + timedelta(hours=1)
    put_trades(tables, {"at": after(7199), "id": "1"}, {"at": after(7201), "id": "1"})
    rows = run(tables, "rows_are_unique", hour=last, limit=100)
    assert [(row["fault"], row["id"]) for row in rows] == [("one key on two days", "1")]


def uncovered(client: Client, *wanted: str) -> list[dict[str, object]]:
    """``wanted``: feeds of the hour, where that is known."""
    return bad(client, "feeds_are_covered", wanted=list(wanted), wanted_is_known=bool(wanted))


def test_a_wanted_feed_without_a_book_is_returned_though_it_was_never_seen(tables: Client) -> None:
    rows = uncovered(tables, "okx/BTC-USDT", "deribit/")
    assert [(row["exchange"], row["symbol"], row["coverage"]) for row in rows] == [
        ("deribit", "(any)", 0.0),
        ("okx", "BTC-USDT", 0.0),
    ]


def test_what_is_no_longer_wanted_is_not_missed(tables: Client) -> None:
    put_books(tables, {"at": after(-1800), "sequence": 1}, {"at": after(0), "sequence": 1, "symbol": "ETH-USDT"})
    put_status(tables, "valid", after(0) + LAG_NS, after(3600) + LAG_NS, symbol="ETH-USDT")
    for hour in (HOUR - timedelta(hours=1), HOUR):
        build_spread_hourly(tables, hour)
    assert uncovered(tables, "binance/ETH-USDT") == []


def test_a_feed_is_judged_from_its_first_moment_on(tables: Client) -> None:
    put_books(tables, {"at": after(3000), "sequence": 1})
    put_status(tables, "valid", after(3000) + LAG_NS, after(3600) + LAG_NS)
    build_spread_hourly(tables, HOUR)
    assert uncovered(tables, "binance/BTC-USDT") == []


def test_thin_coverage_is_returned_with_its_cause(tables: Client) -> None:
    put_books(tables, {"at": after(0), "sequence": 1}, {"at": after(0), "sequence": 1, "symbol": "ETH-USDT"})
    put_status(tables, "valid", after(0) + LAG_NS, after(3000) + LAG_NS)
    put_status(tables, "stale", after(3000) + LAG_NS, after(3600) + LAG_NS)
    put_status(tables, "valid", after(0) + LAG_NS, after(3600) + LAG_NS, symbol="ETH-USDT")
    build_spread_hourly(tables, HOUR)
    rows = uncovered(tables)
    assert [(row["symbol"], row["coverage"]) for row in rows] == [("BTC-USDT", 0.8333)]
    causes = run(tables, "feed_causes", hour=HOUR)
    assert [(row["symbol"], row["causes"]) for row in causes] == [("BTC-USDT", "stale: test")]


def test_a_symbol_that_fell_silent_is_returned(tables: Client) -> None:
    put_books(tables, {"at": after(-1800), "sequence": 1})
    for hour in (HOUR - timedelta(hours=1), HOUR):
        build_spread_hourly(tables, hour)
    assert [(row["symbol"], row["coverage"]) for row in uncovered(tables)] == [("BTC-USDT", 0.0)]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"received_at": HOUR - timedelta(seconds=4)}, "ahead of its receipt"),
        ({"received_at": HOUR + timedelta(seconds=70)}, "long before its receipt"),
        ({"timestamp": HOUR + timedelta(seconds=3)}, "ms differ from ns"),
    ],
)
def test_times_that_contradict_each_other_are_returned(tables: Client, fields: dict[str, object], fault: str) -> None:
    put_trades(tables, {"at": after(1), "id": "1"}, {"at": after(2), "id": "2", **fields})
    assert [(row["id"], row["fault"]) for row in bad(tables, "timestamps_are_sane")] == [("2", fault)]


def test_trades_filled_in_later_may_be_late(tables: Client) -> None:
    late = HOUR + timedelta(hours=9)
    put_trades(tables, {"at": after(2), "id": "2", "received_at": late, "provenance": "rest"})
    assert bad(tables, "timestamps_are_sane") == []


def test_a_book_that_goes_back_in_time_is_returned(tables: Client) -> None:
    put_books(tables, *({"at": after(at), "sequence": n} for n, at in enumerate((10, 8, 11), 1)))
    rows = bad(tables, "timestamps_are_sane")
    assert [(row["id"], row["fault"]) for row in rows] == [("2", "before the update before it")]


def test_a_numbering_that_begins_again_is_no_time_going_back(tables: Client) -> None:
    old = [{"at": after(n), "sequence": 5000 + n, "_offset": n} for n in range(1, 4)]
    put_books(tables, *old, *({"at": after(60 + n), "sequence": n, "_offset": 60 + n} for n in range(1, 4)))
    assert bad(tables, "timestamps_are_sane") == []


def test_a_trade_far_outside_of_the_spread_is_returned(tables: Client) -> None:
    put_books(tables, {"at": after(1), "sequence": 1})
    put_trades(
        tables,
        {"at": after(2), "id": "inside", "price": 100.0},
        {"at": after(2), "id": "near", "price": 101.4},
        {"at": after(2), "id": "far", "price": 98.0},
        {"at": after(9), "id": "unquoted", "price": 98.0},
    )
    assert [row["id"] for row in bad(tables, "trades_are_within_the_spread")] == ["far"]


def test_a_venue_with_another_price_is_returned(tables: Client) -> None:
    for exchange, price in (("binance", 100.0), ("okx", 100.2), ("bybit", 103.0)):
        put_books(tables, {"at": after(1), "sequence": 1, "exchange": exchange, "b": [price - 0.1], "a": [price + 0.1]})
    rows = bad(tables, "venues_agree_on_price")
    assert [(row["exchange"], row["venues"]) for row in rows] == [("bybit", 3)]


def test_volumes_agree_where_a_match_is_known_twice(tables: Client) -> None:
    for number in range(1, 7):
        put_trades(tables, {"at": after(1), "id": str(number), "provenance": "rest"})
    put_trades(tables, {"at": after(1), "id": "5", "qty": 4.0, "first_id": "2", "count": 4})
    tables.command("TRUNCATE TABLE md_klines_store")
    tables.command(
        "INSERT INTO md_klines_store (exchange, symbol, interval, timestamp, open, high, low, close, volume, trades) "
        "SELECT 'binance', 'BTC-USDT', '1m', {hour:DateTime('UTC')}, 100, 100, 100, 100, volume, 6 "
        "FROM (SELECT arrayJoin([6]) AS volume)",
        parameters={"hour": HOUR},
    )
    rows = run(
        tables, "volume_agrees_with_klines", day=HOUR.date(), counted=["binance"], rounded=[], ppm=1.0, limit=100
    )
    assert rows == []
