"""A book at an instant is the same from ClickHouse and from the archive, and says whether it is proven."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform import read
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export
from mdplatform.cli.book import FORMS
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import BookChange, Event, FeedStatus
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect
from mdplatform_tests.read.recorded import store
from mdplatform_tests.venues.recordings_digest import recorded
from mdplatform_tests.venues.test_book_changes import Rebuilt, played
from mdplatform_tests.warehouse.conftest import empty, warehouse
from mdplatform_tests.warehouse.copied import Copies, drop
from mdplatform_tests.warehouse.rows import put_status
from mdplatform_tests.warehouse.test_book_at import put_changes

__all__ = ["empty", "warehouse"]

VENUE, SYMBOL = "binance", "BTC-USDT"


class Kept(NamedTuple):
    settings: Settings
    archive: Path
    events: list[Event]

    @property
    def changes(self) -> list[BookChange]:
        return [event for event in self.events if isinstance(event, BookChange)]


@pytest.fixture(scope="module")
def kept(
    clickhouse_node: ClickHouseNode, copies: Copies, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    """A recording with its changes, in ClickHouse and in an archive."""
    root = tmp_path_factory.mktemp("books")
    settings = Settings(clickhouse_url=clickhouse_node.url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}")
    copies.make(settings)
    events = list(played(VENUE, recorded("binance/hft_spot")[1], 20))
    found = Kept(settings, root, events)
    hour = at(found.changes[0].received_ns).replace(minute=0, second=0, microsecond=0)
    with connect(settings) as client:
        store(client, events)
        put_changes(client, found.changes)
        for name in ("books", "increments", "statuses"):
            rows = stream(client, export(name), exchange=VENUE, hour=hour)
            publish(root, Partition(name, VENUE, hour), rows, Origin(query=name, code_version="test"))
    yield found
    drop(settings)


def at(ns: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000 + 1)


def asked(kept: Kept, instant: datetime, source: str | Path = "clickhouse", depth: int = 100) -> read.BookAt:
    return read.book(VENUE, SYMBOL, instant, depth=depth, source=source, settings=kept.settings)


@pytest.mark.parametrize("number", [0, 1, 57, 200])
def test_both_sources_give_the_book_that_was_rebuilt(kept: Kept, number: int) -> None:
    change = kept.changes[number]
    book = Rebuilt()
    for earlier in kept.changes[: number + 1]:
        book.apply(earlier)
    bids, asks = book.top(100)
    found, archived = asked(kept, at(change.received_ns)), asked(kept, at(change.received_ns), kept.archive)
    assert found == archived
    assert found.bids == [(float(price), float(size)) for price, size in bids]
    assert found.asks == [(float(price), float(size)) for price, size in asks]
    assert (found.sequence, found.source, found.is_proven) == (change.sequence, "increments", True)


def test_after_the_feed_has_ended_it_is_not_proven(kept: Kept) -> None:
    last = max(event.ended_ns or 0 for event in kept.events if isinstance(event, FeedStatus))
    found = asked(kept, at(last) + timedelta(minutes=5))
    assert not found.is_proven
    assert found.reason.startswith("nothing is stated of the feed after 2024-08-0")


@pytest.mark.parametrize("minutes", [1, 50, 100])
def test_in_a_gap_over_hours_both_sources_say_why(
    warehouse: Client, empty: Settings, kept: Kept, tmp_path: Path, minutes: int
) -> None:
    """Archives hold intervals cut into hours: the piece of the hour that is asked for must not hide the whole."""
    began, asked_at = kept.changes[200].received_ns, at(kept.changes[200].received_ns) + timedelta(minutes=minutes)
    put_changes(warehouse, kept.changes[:200])
    put_status(warehouse, "valid", kept.changes[0].received_ns, began)
    put_status(warehouse, "gap", began, began + 7_000 * 10**9, cause="sequence_gap")
    put_status(warehouse, "valid", began + 7_000 * 10**9, began + 9_000 * 10**9)
    first = at(began).replace(minute=0, second=0, microsecond=0)
    for hour in (first + timedelta(hours=number) for number in range(4)):
        for name in ("increments", "statuses"):
            rows = stream(warehouse, export(name), exchange=VENUE, hour=hour)
            publish(tmp_path, Partition(name, VENUE, hour), rows, Origin(query=name, code_version="test"))
    live = read.book(VENUE, SYMBOL, asked_at, settings=empty)
    assert (live.is_proven, live.sequence) == (False, kept.changes[199].sequence)
    assert live.reason.startswith("the feed is in state gap (sequence_gap) since 2024-08-08 ")
    assert read.book(VENUE, SYMBOL, asked_at, source=tmp_path, settings=empty) == live


def test_without_changes_the_published_levels_are_given_and_said_to_be(kept: Kept, copies: Copies) -> None:
    bare = dataclasses.replace(kept.settings, clickhouse_database=f"{kept.settings.clickhouse_database}b")
    copies.make(bare)
    with connect(bare) as client:
        store(client, kept.events)
    found = read.book(VENUE, SYMBOL, at(kept.changes[57].received_ns), depth=100, settings=bare)
    drop(bare)
    assert (found.source, len(found.bids), found.is_proven) == ("published", 20, True)


@pytest.mark.parametrize(
    ("venue", "instant", "depth", "said"),
    [
        ("nowhere", datetime(2024, 8, 8, tzinfo=UTC), 20, "no venue 'nowhere'"),
        (VENUE, datetime(2024, 8, 8), 20, "with a time zone"),
        (VENUE, datetime(2020, 1, 1, tzinfo=UTC), 20, "no book of BTC-USDT at binance was received"),
        (VENUE, datetime(2024, 8, 8, tzinfo=UTC), 0, "depth must be at least 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(
    kept: Kept, venue: str, instant: datetime, depth: int, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        read.book(venue, SYMBOL, instant, depth=depth, settings=kept.settings)


def test_the_command_shows_the_same_book_in_every_form(kept: Kept) -> None:
    found = asked(kept, at(kept.changes[57].received_ns), depth=3)
    table, plot, rows = FORMS["table"](found), FORMS["plot"](found), FORMS["csv"](found).splitlines()
    assert table.splitlines()[1] == "proven"
    assert len(table.splitlines()) == 3 + 1 + 3
    assert plot.count("█") >= 6
    assert rows[0] == "side,level,price,size"
    assert rows[1] == f"bid,1,{found.bids[0][0]!r},{found.bids[0][1]!r}"
    assert len(rows) == 1 + 6
    assert json.loads(FORMS["json"](found))["sequence"] == found.sequence
