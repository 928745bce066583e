"""Coverage by hour states what was planted: shares, gaps and who prevented them, what is missing a million."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.analysis import analysis
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_status, put_trades

TWO_HOURS = {"start": HOUR, "end": HOUR + timedelta(hours=2)}


def covered(client: Client, **given: object) -> list[dict[str, Any]]:
    question = analysis("coverage")
    values = question.bound({**TWO_HOURS, **given}, HOUR)
    return list(client.query(question.sql, parameters=values, tz_mode="aware").named_results())


def row(client: Client, hour: int, channel: str = "book") -> dict[str, Any]:
    found = covered(client, channel=channel)
    return next(row for row in found if row["hour"] == HOUR + timedelta(hours=hour))


def put_gap(client: Client, begin_s: float, end_s: float, **fields: object) -> None:
    """A feed that is valid but for this time."""
    put_status(client, "valid", after(0), after(begin_s), **fields)
    put_status(client, "gap", after(begin_s), after(end_s), **{"cause": "sequence_gap", "missed": 7, **fields})
    put_status(client, "valid", after(end_s), after(7200), **fields)


def test_a_gap_takes_its_share_of_its_hour(warehouse: Client) -> None:
    put_gap(warehouse, 600, 960)
    put_books(warehouse, *({"at": after(number), "sequence": number + 1} for number in range(93)))
    first, second = row(warehouse, 0), row(warehouse, 1)
    assert (first["proven"], first["gaps"], first["missed"], first["rows"]) == (0.9, 1, 7, 93)
    assert (first["per_million"], first["causes"]) == (70_000, "gap (sequence_gap)")
    assert (second["proven"], second["gaps"], second["missed"], second["rows"]) == (1, 0, 0, 0)


def test_a_gap_over_the_hour_counts_where_it_begins_and_costs_both(warehouse: Client) -> None:
    put_gap(warehouse, 3240, 3960)
    assert [(found["proven"], found["gaps"]) for found in covered(warehouse)] == [(0.9, 1), (0.9, 0)]


def test_what_another_collector_proved_is_no_gap(warehouse: Client) -> None:
    put_gap(warehouse, 600, 960, collector="A")
    put_status(warehouse, "valid", after(0), after(7200), collector="B")
    found = row(warehouse, 0)
    assert (found["proven"], found["gaps"], found["prevented"], found["missed"]) == (1, 0, 1, 0)


def test_the_time_before_a_feed_was_known_is_not_judged(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(1800), after(7200))
    assert [found["proven"] for found in covered(warehouse)] == [1, 1]


def test_trades_that_came_later_are_counted(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(0), after(7200), channel="trades")
    put_trades(warehouse, {"at": after(1), "id": "1"}, {"at": after(2), "id": "2", "provenance": "rest"})
    found = row(warehouse, 0, "trades")
    assert (found["rows"], found["refilled"], found["proven"]) == (2, 1, 1)


def test_only_what_is_asked_for_is_stated(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(0), after(7200))
    put_status(warehouse, "valid", after(0), after(7200), symbol="ETH-USDT")
    assert {found["symbol"] for found in covered(warehouse, symbol="ETH%")} == {"ETH-USDT"}
    assert covered(warehouse, exchange="okx") == []


@pytest.mark.parametrize("minutes", [30, 90])
def test_an_hour_that_is_not_over_is_judged_up_to_the_end(warehouse: Client, minutes: int) -> None:
    put_status(warehouse, "valid", after(0), after(60 * minutes))
    assert {found["proven"] for found in covered(warehouse, end=HOUR + timedelta(minutes=minutes))} == {1}
