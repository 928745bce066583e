"""md_spread_hourly against numbers worked out by hand."""

from datetime import timedelta

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import WarehouseError
from mdplatform.warehouse.rollups import build_spread_hourly
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_status

COLUMNS = (
    "exchange, symbol, updates, coverage, spread, spread_median, spread_p95, mid_open, mid_high, mid_low, mid_close"
)


def small_hour(client: Client) -> None:
    """Spread 1 carried in for 10 s, 2 for 20 s, 1 for 10 s until the feed's proof ends, and 4 for 20 s later on."""
    put_books(
        client,
        {"at": after(-10), "sequence": 1, "b": [99.5], "a": [100.5]},
        {"at": after(10), "sequence": 2, "b": [99.0], "a": [101.0]},
        {"at": after(30), "sequence": 3, "b": [100.5], "a": [101.5]},
        {"at": after(600), "sequence": 4, "b": [98.0], "a": [102.0]},
    )
    put_status(client, "valid", after(-60) + LAG_NS, after(40) + LAG_NS)
    put_status(client, "gap", after(40) + LAG_NS, after(600) + LAG_NS)
    put_status(client, "valid", after(600) + LAG_NS, after(620) + LAG_NS)


def only_row(client: Client, columns: str = "*") -> dict[str, object]:
    (row,) = client.query(f"SELECT {columns} FROM md_spread_hourly").named_results()
    return dict(row)


def test_spread_is_weighted_by_valid_time_only(warehouse: Client) -> None:
    small_hour(warehouse)
    build_spread_hourly(warehouse, HOUR)
    row = only_row(warehouse)
    assert row["coverage"] == pytest.approx(60 / 3600)
    assert row["spread"] == pytest.approx((10 * 1 + 20 * 2 + 10 * 1 + 20 * 4) / 60)
    assert row["spread_bps"] == pytest.approx(1e4 * (10 * 1 / 100 + 20 * 2 / 100 + 10 * 1 / 101 + 20 * 4 / 100) / 60)


def test_quantiles_are_shares_of_time(warehouse: Client) -> None:
    small_hour(warehouse)
    build_spread_hourly(warehouse, HOUR)
    row = only_row(warehouse)
    assert (row["spread_median"], row["spread_p95"], row["spread_p99"]) == (2.0, 4.0, 4.0)


def test_mid_opens_with_the_book_carried_in(warehouse: Client) -> None:
    small_hour(warehouse)
    build_spread_hourly(warehouse, HOUR)
    row = only_row(warehouse)
    assert (row["updates"], row["mid_open"], row["mid_high"], row["mid_low"], row["mid_close"]) == (
        3,
        100,
        101,
        100,
        100,
    )


def test_depth_is_what_was_measured_on_the_whole_book(warehouse: Client) -> None:
    put_books(
        warehouse,
        {"at": after(0), "sequence": 1, "bid_depth_10bps": 30.0, "ask_depth_10bps": None},
        {"at": after(10), "sequence": 2, "bid_depth_10bps": None, "ask_depth_10bps": None},
        {"at": after(20), "sequence": 3, "b": [100.0], "bid_depth_10bps": 60.0, "ask_depth_10bps": None},
    )
    put_status(warehouse, "valid", after(0) + LAG_NS, after(40) + LAG_NS)
    build_spread_hourly(warehouse, HOUR)
    row = only_row(warehouse)
    assert row["bid_depth_10bps_base"] == pytest.approx((10 * 30 + 20 * 60) / 30)
    assert row["bid_depth_10bps_quote"] == pytest.approx((10 * 30 * 100 + 20 * 60 * 100.5) / 30)
    assert (row["ask_depth_10bps_base"], row["ask_depth_10bps_quote"]) == (None, None)


def test_order_flow_imbalance_follows_its_definition(warehouse: Client) -> None:
    put_books(
        warehouse,
        {"at": after(1), "sequence": 1, "b": [99.0], "bv": [5.0], "a": [101.0], "av": [7.0]},
        {"at": after(2), "sequence": 2, "b": [99.5], "bv": [2.0], "a": [101.0], "av": [4.0]},  # +2, and 7 - 4 = +3
        {"at": after(3), "sequence": 3, "b": [99.0], "bv": [6.0], "a": [100.5], "av": [1.0]},  # -2, and -1
    )
    put_status(warehouse, "valid", after(1) + LAG_NS, after(4) + LAG_NS)
    build_spread_hourly(warehouse, HOUR)
    assert only_row(warehouse)["order_flow_imbalance"] == pytest.approx(2 + 3 - 2 - 1)


def test_volatility_is_of_ten_second_returns(warehouse: Client) -> None:
    put_books(
        warehouse,
        {"at": after(0), "sequence": 1, "b": [99.0], "a": [101.0]},
        {"at": after(15), "sequence": 2, "b": [109.0], "a": [111.0]},
    )
    put_status(warehouse, "valid", after(0) + LAG_NS, after(25) + LAG_NS)
    build_spread_hourly(warehouse, HOUR)
    # Mids at 0, 10 and 20 s: 100, 100, 110.
    expected = (0.0953101798**2 / 20 * 31536000) ** 0.5
    assert only_row(warehouse)["realized_volatility"] == pytest.approx(expected)


def test_hour_without_proof_has_updates_but_no_spread(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1})
    build_spread_hourly(warehouse, HOUR)
    row = only_row(warehouse)
    assert (row["updates"], row["coverage"], row["spread"], row["mid_open"]) == (1, 0, None, None)


def test_two_collectors_of_one_feed_prove_it_together(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(0), "sequence": 1})
    put_status(warehouse, "valid", after(0) + LAG_NS, after(20) + LAG_NS)
    put_status(warehouse, "valid", after(10) + LAG_NS, after(40) + LAG_NS)
    put_status(warehouse, "valid", after(15) + LAG_NS, after(16) + LAG_NS)
    build_spread_hourly(warehouse, HOUR)
    assert only_row(warehouse)["coverage"] == pytest.approx(40 / 3600)


def test_building_an_hour_again_gives_the_same_rows(warehouse: Client) -> None:
    small_hour(warehouse)
    assert build_spread_hourly(warehouse, HOUR) == 1
    first = only_row(warehouse, "* EXCEPT inserted_at")
    assert build_spread_hourly(warehouse, HOUR) == 1
    assert only_row(warehouse, "* EXCEPT inserted_at") == first


def test_building_an_hour_leaves_other_hours_alone(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1}, {"at": after(3601), "sequence": 2})
    build_spread_hourly(warehouse, HOUR)
    build_spread_hourly(warehouse, HOUR + timedelta(hours=1))
    build_spread_hourly(warehouse, HOUR)
    hours = warehouse.query("SELECT toUnixTimestamp(hour) FROM md_spread_hourly ORDER BY hour").result_rows
    assert hours == [(int(HOUR.timestamp()),), (int(HOUR.timestamp()) + 3600,)]


def test_rows_that_vanished_leave_the_hour(warehouse: Client) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1})
    build_spread_hourly(warehouse, HOUR)
    warehouse.command("TRUNCATE TABLE md_orderbook_depth_store")
    assert build_spread_hourly(warehouse, HOUR) == 0


def test_hour_must_be_the_begin_of_one(warehouse: Client) -> None:
    with pytest.raises(WarehouseError, match="begin of an hour"):
        build_spread_hourly(warehouse, HOUR + timedelta(minutes=1))
