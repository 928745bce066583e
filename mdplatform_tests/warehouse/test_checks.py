"""Each check's SQL returns the bad rows and nothing else."""

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.queries import run
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_status, put_trades


def bad(client: Client, name: str, **params: object) -> list[dict[str, object]]:
    return run(client, name, hour=HOUR, limit=100, **params)


def test_crossed_and_locked_books_are_returned(warehouse: Client) -> None:
    put_books(
        warehouse,
        {"at": after(1), "sequence": 1},
        {"at": after(2), "sequence": 2, "b": [101.5], "a": [101.0]},
        {"at": after(3), "sequence": 3, "b": [101.0], "a": [101.0]},
        {"at": after(3700), "sequence": 4, "b": [102.0], "a": [101.0]},
    )
    assert [row["sequence"] for row in bad(warehouse, "book_is_not_crossed")] == [2, 3]


def test_number_of_bad_rows_is_known_beyond_the_limit(warehouse: Client) -> None:
    put_books(warehouse, *({"at": after(n), "sequence": n, "b": [102.0]} for n in range(1, 6)))
    rows = run(warehouse, "book_is_not_crossed", hour=HOUR, limit=2)
    assert [(row["sequence"], row["bad_rows"]) for row in rows] == [(1, 5), (2, 5)]


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("side", ["b", "bv", "a", "av"])
def test_prices_and_sizes_that_are_no_positive_number_are_returned(warehouse: Client, side: str, value: float) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 1}, {"at": after(2), "sequence": 2, side: [value]})
    assert [row["id"] for row in bad(warehouse, "prices_are_positive")] == ["2"]


def test_trades_without_price_are_returned(warehouse: Client) -> None:
    put_trades(warehouse, {"at": after(1), "id": "1"}, {"at": after(2), "id": "2", "price": 0.0})
    assert [(row["dataset"], row["id"]) for row in bad(warehouse, "prices_are_positive")] == [("trades", "2")]


def chain(*sequences: int, previous: dict[int, int | None] | None = None) -> list[dict[str, object]]:
    """Books a second apart, each following the one before unless ``previous`` says otherwise."""
    links = dict(zip(sequences, (None, *sequences), strict=False)) | (previous or {})
    return [{"at": after(n), "sequence": s, "previous_sequence": links[s]} for n, s in enumerate(sequences)]


def test_unbroken_chain_has_no_gap(warehouse: Client) -> None:
    put_books(warehouse, *chain(10, 11, 15, 20))
    assert bad(warehouse, "sequence_has_no_gap") == []


def test_missing_update_is_returned(warehouse: Client) -> None:
    put_books(warehouse, *chain(10, 11, 20, previous={20: 15}))
    rows = bad(warehouse, "sequence_has_no_gap")
    assert [(row["sequence"], row["previous_sequence"], row["last_sequence"]) for row in rows] == [(20, 15, 11)]


def test_missing_update_in_a_known_interval_is_not_returned(warehouse: Client) -> None:
    put_books(warehouse, *chain(10, 11, 20, previous={20: 15}))
    put_status(warehouse, "gap", after(1) + LAG_NS, after(2) + LAG_NS)
    assert bad(warehouse, "sequence_has_no_gap") == []


def test_interval_of_another_symbol_excuses_nothing(warehouse: Client) -> None:
    put_books(warehouse, *chain(10, 11, 20, previous={20: 15}))
    put_status(warehouse, "gap", after(1) + LAG_NS, after(2) + LAG_NS, symbol="ETH-USDT")
    assert len(bad(warehouse, "sequence_has_no_gap")) == 1


def test_snapshot_of_a_second_collector_is_no_gap(warehouse: Client) -> None:
    put_books(warehouse, *chain(10, 12, 20, previous={12: None, 20: 10}))
    assert bad(warehouse, "sequence_has_no_gap") == []


def test_chain_reaches_into_the_hour_before(warehouse: Client) -> None:
    put_books(
        warehouse,
        {"at": after(-1), "sequence": 10},
        {"at": after(1), "sequence": 12, "previous_sequence": 11},
    )
    assert [row["sequence"] for row in bad(warehouse, "sequence_has_no_gap")] == [12]


def test_missing_trade_number_is_returned(warehouse: Client) -> None:
    put_trades(warehouse, *({"at": after(n), "id": str(n)} for n in (1, 2, 4, 5)))
    rows = bad(warehouse, "trade_ids_have_no_gap", exchanges=["binance"])
    assert [(row["last_number"], row["number"]) for row in rows] == [(2, 4)]


def test_missing_trade_number_in_a_known_interval_is_not_returned(warehouse: Client) -> None:
    put_trades(warehouse, *({"at": after(n), "id": str(n)} for n in (1, 2, 4, 5)))
    put_status(warehouse, "down", after(3), after(3.5), channel="trades")
    assert bad(warehouse, "trade_ids_have_no_gap", exchanges=["binance"]) == []
