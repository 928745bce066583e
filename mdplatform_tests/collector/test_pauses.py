"""A paused venue: the file that outlives processes, and what is stated of its feeds while nobody collects them."""

import dataclasses
import time
from pathlib import Path

import msgspec
import pytest

from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.collector import pauses
from mdplatform.collector.downtime import DowntimeTracker
from mdplatform.collector.pauses import Pause, follow
from mdplatform.collector.publisher import EventPublisher
from mdplatform.core.clock import SECOND, SystemClock
from mdplatform.core.events import FeedStatus, State
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.core.topics import Topics

FEED = ("BTC-USDT", "book")
SINCE = 100 * SECOND
OKX = Pause("okx", SINCE, "ann", "maintenance")


def status(state: State, cause: str, started: int, ended: int | None) -> FeedStatus:
    ends = None if ended is None else ended * SECOND
    return FeedStatus("okx", *FEED, state, cause, started * SECOND, ends, last_sequence=7)


def test_a_pause_is_there_until_it_is_resumed(tmp_path: Path) -> None:
    pauses.pause(str(tmp_path), OKX)
    assert pauses.read(str(tmp_path)) == {"okx": OKX}
    assert pauses.resume(str(tmp_path), "okx") == OKX
    assert pauses.read(str(tmp_path)) == {}


def test_a_second_pause_changes_nothing(tmp_path: Path) -> None:
    pauses.pause(str(tmp_path), OKX)
    assert pauses.pause(str(tmp_path), Pause("okx", 2 * SINCE, "bob")) == OKX


def test_a_file_that_cannot_be_read_still_pauses(tmp_path: Path) -> None:
    pauses.pause(str(tmp_path), OKX)
    (tmp_path / "paused" / "okx.json").write_bytes(b"{")
    assert "cannot be read" in str(pauses.read(str(tmp_path))["okx"])


@pytest.mark.parametrize(
    ("last", "begins"),
    [
        (status("valid", "snapshot", 50, 90), 90),  # proven no longer than its last update
        (status("down", "stopped", 103, None), 103),  # by the collector that the pause ended
        (status("gap", "sequence", 60, 95), 100),  # it lasted until the pause
        (status("stale", "no_updates", 60, 105), 105),
    ],
)
def test_what_a_feed_was_ends_where_its_pause_begins(last: FeedStatus, begins: int) -> None:
    ended, down = follow("okx", FEED, last, SINCE, 200 * SECOND)
    assert ended == msgspec.structs.replace(last, ended_ns=begins * SECOND)
    assert (down.state, down.cause, down.started_ns, down.ended_ns) == ("down", "paused", begins * SECOND, 200 * SECOND)


def test_a_pause_that_lasts_is_extended() -> None:
    (first,) = follow("okx", FEED, None, SINCE, 150 * SECOND)
    (again,) = follow("okx", FEED, first, SINCE, 200 * SECOND)
    assert again == msgspec.structs.replace(first, ended_ns=200 * SECOND)


def test_the_next_collector_goes_on_with_the_pause_until_it_proves_the_feed() -> None:
    _, down = follow("okx", FEED, status("valid", "snapshot", 50, 90), SINCE, 200 * SECOND)
    published: list[FeedStatus] = []
    tracker = DowntimeTracker({FEED: down}, published.append)
    assert tracker.last("book") == {"BTC-USDT": 7}
    tracker.seen(status("valid", "snapshot", 300, None))
    assert [(each.cause, each.ended_ns) for each in published] == [("paused", 300 * SECOND)]


def test_of_a_symbol_that_was_collected_no_channel_is_stated_that_it_does_not_have(
    kafka_settings: Settings, tmp_path: Path
) -> None:
    settings = dataclasses.replace(kafka_settings, data_dir=str(tmp_path))
    shard = Shard("okx", ("BTC-USDT",), ("books", "funding-rate"))
    pauses.pause(settings.data_dir, OKX)
    Admin(settings).ensure([settings.topic_status])
    with KafkaBus(settings) as bus:
        publisher = EventPublisher(bus, Topics.from_settings(settings), SystemClock(), shard.collector)
        publisher.publish(status("valid", "snapshot", 50, 90))
        bus.flush(10)
    assert pauses.state(settings, {"okx": OKX}, [shard], time.time_ns()) == 2  # the end of what was valid, and down
    with Reader(settings) as reader:
        assert reader.last_status(settings.topic_status, "okx", [FEED, ("BTC-USDT", "funding")]).keys() == {FEED}


def test_the_feeds_of_a_paused_venue_are_stated_once_a_minute(kafka_settings: Settings, tmp_path: Path) -> None:
    settings = dataclasses.replace(kafka_settings, data_dir=str(tmp_path))
    pauses.pause(settings.data_dir, OKX)
    now = time.time()
    assert pauses.due(settings.data_dir, [OKX], now) == [OKX]
    assert pauses.state(settings, {"okx": OKX}, [Shard("okx", ("BTC-USDT",), ("books", "trades"))], time.time_ns()) == 2
    assert pauses.due(settings.data_dir, [OKX], now) == []
    with Reader(settings) as reader:
        found = reader.last_status(settings.topic_status, "okx", [FEED, ("BTC-USDT", "trades")])
    assert {(each.state, each.cause, each.started_ns) for each in found.values()} == {("down", "paused", SINCE)}
    assert len(found) == 2
