"""What an hour asks of statuses is what the views over all of them say, though it goes over those of its time alone."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse import queries
from mdplatform.warehouse.files import included
from mdplatform_tests.warehouse.rows import HOUR, after, put_status

FEEDS = [(symbol, channel) for symbol in ("BTC-USDT", "ETH-USDT") for channel in ("book", "trades")]
STEP_S = 600
FIRST, LAST = -40, 20  # steps, from the hour on


class Stretch(NamedTuple):
    """A row of md_feed_proven."""

    exchange: str
    symbol: str
    channel: str
    begin: int
    end: int


@pytest.fixture(params=[(seed, count) for count in (3, 6, 25) for seed in range(3)], ids=str)
def stated(request: pytest.FixtureRequest, warehouse: Client) -> Client:
    """Intervals of two collectors that begin and end anywhere, overlap, and of which some have no end."""
    seed, count = request.param
    random = Random(seed)
    for symbol, channel in FEEDS:
        for collector in ("A", "B"):
            for _ in range(count):
                begin = random.randrange(FIRST, LAST)
                end = None if random.random() < 0.1 else after(STEP_S * (begin + random.choice((0, 1, 2, 3, 30))))
                state = random.choice(("valid", "valid", "gap", "stale", "down"))
                put_status(
                    warehouse, state, after(STEP_S * begin), end, symbol=symbol, channel=channel, collector=collector
                )
    return warehouse


def stretches(client: Client, source: str) -> list[Stretch]:
    found = client.query(f"SELECT exchange, symbol, channel, valid_from_ns, valid_to_ns FROM {source}")
    return [Stretch(*row) for row in found.result_rows]


def within(found: list[Stretch], since: int) -> list[Stretch]:
    """What of it lies from ``since`` on."""
    return sorted(one._replace(begin=max(one.begin, since)) for one in found if one.end > since)


def test_what_is_proven_from_a_time_on_is_what_the_view_says_of_it(stated: Client) -> None:
    everything = stretches(stated, "md_feed_proven")
    for step in range(FIRST, LAST):
        since = after(STEP_S * step)
        found = stretches(stated, "(" + included("proven_since", {"since": f"toInt64({since})"}) + ")")
        assert within(found, since) == within(everything, since)
    assert len(found) < len(everything)  # what ended before is left out


def test_gaps_that_touch_an_hour_are_those_of_the_view(stated: Client) -> None:
    touching = "started_at < {hour:DateTime('UTC')} + INTERVAL 1 HOUR AND (ended_at > {hour:DateTime('UTC')} "
    touching += "OR (ended_at IS NULL AND started_at >= {hour:DateTime('UTC')}))"
    columns = "symbol, channel, state, cause, started_ns, ended_ns, prevented"
    of_view = f"SELECT {columns} FROM md_feed_gaps WHERE {touching} ORDER BY ALL"
    of_hour = f"SELECT {columns} FROM ({included('hour_feed_gaps', {})}) ORDER BY ALL"
    rows = stated.query(of_hour, {"hour": HOUR}).result_rows
    assert rows == stated.query(of_view, {"hour": HOUR}).result_rows


def test_a_gap_without_an_end_is_not_prevented_by_what_it_ended(warehouse: Client) -> None:
    put_status(warehouse, "valid", after(0), after(1800))
    put_status(warehouse, "down", after(1800), None)
    put_status(warehouse, "stale", after(900), None, collector="B")
    assert [row["state"] for row in queries.run(warehouse, "hour_gaps", hour=HOUR)] == ["down"]


def test_an_hour_without_a_status_has_no_gap(warehouse: Client) -> None:
    assert queries.run(warehouse, "hour_gaps", hour=HOUR) == []
