"""Minutes against numbers worked out by hand."""

from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.rollups import build_top_of_book_minute, build_trades_minute
from mdplatform_tests.warehouse.copied import Copies, drop
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_status, put_trades


@pytest.fixture(scope="module")
def built(clickhouse_url: str, copies: Copies) -> Iterator[Client]:
    """An hour with four trades in two minutes and three books, proven from before the hour until 90 s into it."""
    settings = Settings(clickhouse_url=clickhouse_url, clickhouse_database="t_minutes")
    drop(settings)
    copies.make(settings)
    with connect(settings) as client:
        put_trades(
            client,
            {"at": after(1), "id": "9", "price": 100.0, "qty": 2.0},
            {"at": after(1), "id": "10", "price": 104.0, "side": "sell"},
            {"at": after(30), "id": "11", "price": 98.0},
            {"at": after(60), "id": "12", "price": 99.0},
        )
        put_books(
            client,
            {"at": after(-10), "sequence": 1, "b": [99.0], "a": [101.0]},
            {"at": after(30), "sequence": 2, "b": [101.0], "a": [105.0]},
            {"at": after(80), "sequence": 3, "b": [100.0], "a": [101.0]},
            {"at": after(600), "sequence": 4, "b": [100.0], "a": [101.0]},
        )
        put_status(client, "valid", after(-60) + LAG_NS, after(90) + LAG_NS)
        for _ in range(2):  # building again replaces
            build_trades_minute(client, HOUR)
            build_top_of_book_minute(client, HOUR)
        yield client
    drop(settings)


def rows(client: Client, columns: str, table: str) -> list[tuple[object, ...]]:
    answer = client.query(
        f"SELECT dateDiff('minute', {int(HOUR.timestamp())}::DateTime, minute), {columns} FROM {table} ORDER BY minute"
    )
    return [tuple(row) for row in answer.result_rows]


def test_trades_of_a_minute_are_open_high_low_close_and_volume(built: Client) -> None:
    assert rows(built, "open, high, low, close, volume, buy_volume, trades", "md_trades_minute") == [
        (0, 100.0, 104.0, 98.0, 98.0, 4.0, 3.0, 3),
        (1, 99.0, 99.0, 99.0, 99.0, 1.0, 1.0, 1),
    ]


def test_vwap_is_quote_volume_by_volume(built: Client) -> None:
    assert rows(built, "quote_volume, vwap", "md_trades_minute")[0] == (0, 402.0, 100.5)


def test_a_top_counts_in_each_minute_for_the_time_it_was_in_force(built: Client) -> None:
    found = rows(built, "updates, coverage, spread", "md_top_of_book_minute")
    assert found == [
        (0, 1, 1.0, 3.0),
        (1, 1, 0.5, pytest.approx((4 * 20 + 1 * 10) / 30)),
        (10, 1, 0.0, None),
    ]


def test_mids_of_a_minute_are_those_in_force(built: Client) -> None:
    found = rows(built, "mid_open, mid_high, mid_low, mid_close", "md_top_of_book_minute")
    assert found[:2] == [(0, 100.0, 103.0, 100.0, 103.0), (1, 103.0, 103.0, 100.5, 100.5)]


def test_a_match_that_is_known_twice_counts_once(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1), "id": "104", "qty": 5.0, "first_id": "100", "count": 5})
    put_trades(
        warehouse,
        *({"at": after(1), "id": str(number), "provenance": "rest"} for number in range(98, 107)),
        {"at": after(1), "id": "102", "symbol": "ETH-USDT"},
        {"at": after(90), "id": "101", "qty": 7.0},  # the numbering began again
    )
    build_trades_minute(warehouse, HOUR)
    build_top_of_book_minute(warehouse, HOUR)
    found = warehouse.query(
        "SELECT symbol, volume, trades, close FROM md_trades_minute ORDER BY symbol, minute"
    ).result_rows
    assert found == [("BTC-USDT", 9.0, 9, 100.0), ("BTC-USDT", 7.0, 1, 100.0), ("ETH-USDT", 1.0, 1, 100.0)]
