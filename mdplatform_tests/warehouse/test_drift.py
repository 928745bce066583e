"""What a venue did in an hour that is not as documented: each thing one row, and nothing where it did all."""

from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.queries import run
from mdplatform_tests.warehouse.rows import HOUR, after, put_status

COUNTERS = ("symbols", "frames", "bytes", "events", "reconnects", "renewals", "gaps", "dead_letters", "published")
MORE = ("failed", "queue", "paused_ms")
STEADY = {"okx/funding": 1000.0}


def put(client: Client, second: int, **fields: Any) -> None:
    row = {name: 0 for name in (*COUNTERS, *MORE)} | {
        "exchange": "okx",
        "conn": "c",
        "timestamp": HOUR + timedelta(seconds=second),
        "_topic": "t",
        "_partition": 0,
        "_offset": 0,
        **fields,
    }
    client.insert("md_feed_stats_store", [list(row.values())], column_names=list(row))


def found(client: Client) -> list[tuple[str, str, str]]:
    rows = run(
        client, "venues_do_as_documented", hour=HOUR, limit=100, steady=list(STEADY), cadences_ms=list(STEADY.values())
    )
    return [(row["measure"], row["subject"], row["measured"]) for row in rows]


def test_a_venue_that_does_as_documented_is_no_row(warehouse: Client) -> None:
    usual = {"unfamiliar": {"x y": 4}, "limits_met": 2, "cadence_ms": {"funding": 1010.0, "book": 90_000.0}}
    put(warehouse, 1, frames=100, gaps=5, **usual)
    put(warehouse, 3000, frames=3_000_000, gaps=12, **usual)
    assert found(warehouse) == []


def test_what_grew_in_the_hour_counts(warehouse: Client) -> None:
    put(warehouse, 1, frames=100, gaps=1, limits_met=1, unfamiliar={"a b": 2})
    put(warehouse, 3000, frames=100_100, gaps=5, limits_met=3, unfamiliar={"a b": 5, "a c": 1})
    assert found(warehouse) == [
        ("gaps a million frames", "all connections", "40"),
        ("limit met", "answers 429 and 418", "2"),
        ("unfamiliar field", "a b", "in 3 frames looked at"),
        ("unfamiliar field", "a c", "in 1 frames looked at"),
    ]


def test_a_collector_that_began_again_is_counted_from_its_beginning(warehouse: Client) -> None:
    put(warehouse, 1, frames=1_000_000, gaps=400, unfamiliar={"a b": 9})
    put(warehouse, 3000, frames=200_000, gaps=4, unfamiliar={"a b": 1})
    assert ("gaps a million frames", "all connections", "20") in found(warehouse)
    assert ("unfamiliar field", "a b", "in 1 frames looked at") in found(warehouse)


def test_a_steady_channel_that_is_slower_than_documented_on_every_connection_is_a_row(warehouse: Client) -> None:
    put(warehouse, 1, cadence_ms={"funding": 5200.0})
    put(warehouse, 2, cadence_ms={"funding": 5000.0}, conn="d")
    assert found(warehouse) == [("cadence", "funding", "5000 ms")]
    put(warehouse, 3, cadence_ms={"funding": 1100.0}, conn="d")
    assert found(warehouse) == []


@pytest.mark.parametrize("cause", ["silent_channel", "refused", "cadence"])
def test_a_channel_that_stays_silent_or_is_refused_is_a_row(warehouse: Client, cause: str) -> None:
    put_status(warehouse, "down", after(5), after(50), exchange="okx", cause=cause, channel="bbo")
    assert found(warehouse) == [(cause.replace("_", " "), "BTC-USDT bbo", cause)]
