"""A table that stands still with messages to read is posted after a minute, with ClickHouse's reason."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from confluent_kafka import Consumer, Producer, TopicPartition

from mdplatform.bus.admin import Admin, Lag
from mdplatform.core.settings import Settings
from mdplatform.defs.alerts.stalls import PATIENCE, Standing, last_errors, stall_alerts, standing
from mdplatform.defs.hours.topic_lag import unread
from mdplatform.defs.resources import Platform
from mdplatform.warehouse.render import placeholders
from mdplatform_tests.warehouse.conftest import streaming

__all__ = ["streaming"]

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
KEY = "g trades/0"


def lag(committed: int | None, end: int) -> Lag:
    return Lag("g", "trades", 0, committed, end, end - (committed or 0))


def test_a_group_that_moves_on_is_measured_from_there() -> None:
    known = standing({}, [lag(5, 10)], NOW)
    assert standing(known, [lag(6, 20)], NOW + PATIENCE) == {KEY: Standing(6, NOW + PATIENCE)}


def test_a_group_that_stands_is_known_since_when() -> None:
    known = standing({}, [lag(5, 10)], NOW)
    assert standing(known, [lag(5, 20)], NOW + PATIENCE) == {KEY: Standing(5, NOW)}


def test_a_group_that_has_read_all_does_not_stand() -> None:
    assert standing({KEY: Standing(10, NOW)}, [lag(10, 10)], NOW) == {}


def test_a_fenced_consumer_which_is_assigned_nothing_states_its_reason() -> None:
    fenced = {"topics": [], "subscribed": ["trades"], "errors": ["old", "fenced"], "error_times": [NOW, NOW]}
    earlier = {"topics": ["trades"], "subscribed": [], "errors": ["away"], "error_times": [NOW - PATIENCE]}
    quiet = {"topics": ["books"], "subscribed": ["books"], "errors": [], "error_times": []}
    assert last_errors([fenced, earlier, quiet]) == {"trades": "fenced"}


def platform_of(settings: Settings, home: Path) -> Platform:
    variables = {f.metadata["variable"]: str(getattr(settings, f.name)) for f in dataclasses.fields(settings)}
    return Platform(overrides=variables | {"MDPLATFORM_DATA_DIR": str(home)})


def written(settings: Settings, values: list[bytes | None], read: int) -> None:
    """These messages on one partition of the books, of which the tables' group has read so many, an hour ago."""
    Admin(settings).ensure([settings.topic_books])
    producer = Producer({"bootstrap.servers": settings.kafka_brokers})
    at_ms = round((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1000)
    for value in values:
        producer.produce(settings.topic_books, value, key=b"BTC-USDT", partition=0, timestamp=at_ms)
    producer.flush(10)
    group = f"{placeholders(settings)['group']}.books"
    consumer = Consumer({"bootstrap.servers": settings.kafka_brokers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(settings.topic_books, 0, read)], asynchronous=False)
    consumer.close()


def test_messages_that_are_not_read_for_a_minute_are_a_sign_with_a_reason(streaming: Settings, tmp_path: Path) -> None:
    written(streaming, [b"{}", b"{}", b"{}"], read=1)
    platform = platform_of(streaming, tmp_path)
    alerts, known = stall_alerts(platform, {}, NOW)
    assert [alert.text for alert in alerts] == [None]
    alerts, _ = stall_alerts(platform, known, NOW + PATIENCE)
    (text,) = [alert.text for alert in alerts if alert.text]
    assert text.startswith(f"{streaming.topic_books}/0 is not read since 2026-11-30 10:00 UTC: 2 messages wait; ")
    assert "no such database" in text  # the reason


def test_where_clickhouse_is_away_that_is_the_reason(streaming: Settings, tmp_path: Path) -> None:
    written(streaming, [b"{}", b"{}"], read=1)
    broken = platform_of(dataclasses.replace(streaming, clickhouse_url="http://127.0.0.1:1"), tmp_path)
    _, known = stall_alerts(broken, {}, NOW)
    alerts, _ = stall_alerts(broken, known, NOW + PATIENCE)
    (text,) = [alert.text for alert in alerts if alert.text]
    assert "127.0.0.1:1" in text


def test_tombstones_at_the_end_of_a_partition_hold_nothing_back(streaming: Settings, tmp_path: Path) -> None:
    written(streaming, [b"{}", None, None], read=1)
    platform = platform_of(streaming, tmp_path)
    _, known = stall_alerts(platform, {}, NOW)
    alerts, _ = stall_alerts(platform, known, NOW + PATIENCE)
    assert not [alert for alert in alerts if alert.text]
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert unread(streaming, hour) == {}


def test_a_message_behind_a_tombstone_is_waited_for(streaming: Settings) -> None:
    written(streaming, [b"{}", None, b"{}"], read=1)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert unread(streaming, hour) == {(streaming.topic_books, 0): 2}


def test_the_sensor_posts_it_once(streaming: Settings, tmp_path: Path, instance: dg.DagsterInstance) -> None:
    from mdplatform.defs.alerts.stalls import stalled_tables

    written(streaming, [b"{}", b"{}"], read=1)
    platform = platform_of(streaming, tmp_path)
    group = f"{placeholders(streaming)['group']}.books"
    place = f"{group} {streaming.topic_books}/0"
    cursor = json.dumps({"standing": {place: [1, "2026-11-30T10:00:00+00:00"]}, "open": []})
    for _ in range(2):
        with dg.build_sensor_context(instance=instance, resources={"platform": platform}, cursor=cursor) as context:
            result = stalled_tables(context)
        assert isinstance(result, dg.SensorResult)
        assert result.cursor is not None
        cursor = result.cursor
    assert [alert["cause"] for alert in json.loads(cursor)["open"]] == [f"stalled/{streaming.topic_books}/0"]
