"""Observations of topics and tables, and the schedule's look at the lag, over a real broker and the real engine."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from confluent_kafka import Producer

from mdplatform.bus.admin import Admin
from mdplatform.core.settings import Settings
from mdplatform.definitions import defs
from mdplatform.defs import failures
from mdplatform.defs.external.assets import table_key, topic_key
from mdplatform.defs.external.sensors import stream_observer
from mdplatform.defs.hours.schedules import build_hours
from mdplatform.defs.hours.topic_lag import unread
from mdplatform.defs.resources import Platform
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import all_topics_read
from mdplatform_tests.eventually import eventually
from mdplatform_tests.warehouse.conftest import streaming
from mdplatform_tests.warehouse.copied import Copies
from mdplatform_tests.warehouse.rows import ns, put_status

__all__ = ["streaming"]

NOW = datetime(2026, 11, 21, 10, 5, tzinfo=UTC)
BOOK = {
    "exchange": "binance",
    "symbol": "BTC-USDT",
    "b": [99.0],
    "bv": [1.0],
    "a": [101.0],
    "av": [1.0],
    "timestamp": 1723154400000,
    "sequence": 1,
    "previous_sequence": None,
    "venue_ns": 1723154400000000000,
    "received_ns": 1723154400100000000,
}


def platform_of(settings: Settings, home: Path) -> Platform:
    variables = {f.metadata["variable"]: str(getattr(settings, f.name)) for f in dataclasses.fields(settings)}
    return Platform(overrides=variables | {"MDPLATFORM_DATA_DIR": str(home)})


def observed(platform: Platform, instance: dg.DagsterInstance) -> dict[dg.AssetKey, dict[str, Any]]:
    with dg.build_sensor_context(instance=instance, resources={"platform": platform}) as context:
        result = stream_observer(context)
    assert isinstance(result, dg.SensorResult)
    return {
        event.asset_key: {name: value.value for name, value in event.metadata.items()} for event in result.asset_events
    }


async def test_a_message_is_seen_in_its_topic_and_in_its_tables(
    streaming: Settings, copies: Copies, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    platform = platform_of(streaming, tmp_path)
    Admin(streaming).ensure(all_topics_read(streaming))
    copies.make(streaming)
    migrate(streaming)
    producer = Producer({"bootstrap.servers": streaming.kafka_brokers})
    producer.produce(streaming.topic_books, json.dumps(BOOK).encode(), key=b"BTC-USDT")
    producer.flush(10)
    with connect(streaming) as client:
        await eventually(lambda: client.command("SELECT count() FROM md_orderbook_depth") == 1, 60)
        await eventually(lambda: not unread(streaming, datetime.now(UTC)), 30)
    found = observed(platform, instance)
    assert (found[topic_key("books")]["messages_ever"], found[topic_key("books")]["table_lag"]) == (1, 0)
    table = found[table_key("md_orderbook_depth")]
    assert table["dagster/row_count"] == 1
    assert {"bv", "venue_time"} <= {column.name for column in table["dagster/column_schema"].columns}


def test_what_cannot_be_reached_is_said_and_the_rest_observed(
    streaming: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    Admin(streaming).ensure([streaming.topic_books])
    broken = dataclasses.replace(streaming, clickhouse_url="http://127.0.0.1:1")
    assert list(observed(platform_of(broken, tmp_path), instance)) == [topic_key("books")]


def test_hours_are_not_built_while_the_lag_is_unknown(lasting: dg.DagsterInstance, tmp_path: Path) -> None:
    platform = platform_of(Settings(kafka_brokers="127.0.0.1:1"), tmp_path)
    with dg.build_schedule_context(
        instance=lasting, scheduled_execution_time=NOW, resources={"platform": platform}
    ) as context:
        result = build_hours(context)
    assert isinstance(result, dg.SkipReason)


def collecting_since(settings: Settings, copies: Copies, begun: datetime) -> None:
    """Tables, and a status that began then."""
    copies.make(settings)
    with connect(settings) as client:
        put_status(client, "valid", ns(begun), None)


def test_hours_are_built_when_the_tables_have_caught_up(
    streaming: Settings, copies: Copies, lasting: dg.DagsterInstance, tmp_path: Path
) -> None:
    collecting_since(streaming, copies, NOW - timedelta(days=1))
    with dg.build_schedule_context(
        instance=lasting, scheduled_execution_time=NOW, resources={"platform": platform_of(streaming, tmp_path)}
    ) as context:
        found = build_hours(context)
    assert [request.partition_key for request in found] == ["2026-11-21-09:00", "2026-11-21-08:00"]


def test_an_hour_before_the_first_data_is_not_built(
    streaming: Settings, copies: Copies, lasting: dg.DagsterInstance, tmp_path: Path
) -> None:
    collecting_since(streaming, copies, NOW - timedelta(minutes=50))
    with dg.build_schedule_context(
        instance=lasting, scheduled_execution_time=NOW, resources={"platform": platform_of(streaming, tmp_path)}
    ) as context:
        found = build_hours(context)
    assert [request.partition_key for request in found] == ["2026-11-21-09:00"]


def test_an_hour_waits_for_the_messages_from_before_its_end_and_for_no_others(streaming: Settings) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    Admin(streaming).ensure([streaming.topic_books])
    producer = Producer({"bootstrap.servers": streaming.kafka_brokers})
    for minute in (10, 59, 65, 70):
        at_ms = round((hour + timedelta(minutes=minute)).timestamp() * 1000)
        producer.produce(streaming.topic_books, b"{}", partition=1, timestamp=at_ms)
    producer.flush(10)
    assert unread(streaming, hour) == {(streaming.topic_books, 1): 2}


def test_an_hour_that_is_built_is_not_requested(
    streaming: Settings, copies: Copies, lasting: dg.DagsterInstance, tmp_path: Path
) -> None:
    collecting_since(streaming, copies, NOW - timedelta(days=1))
    for key, read_at in (("2026-11-21-09:00", NOW), ("2026-11-21-08:00", NOW - timedelta(hours=2))):
        metadata = {"read_at": dg.MetadataValue.timestamp(read_at)}
        lasting.report_runless_asset_event(dg.AssetMaterialization("spread_hourly", partition=key, metadata=metadata))
    with dg.build_schedule_context(
        instance=lasting, scheduled_execution_time=NOW, resources={"platform": platform_of(streaming, tmp_path)}
    ) as context:
        found = build_hours(context)
    # The second one was built while it was under way.
    assert [request.partition_key for request in found] == ["2026-11-21-08:00"]


def test_an_unreachable_warehouse_is_one_clear_line_without_a_stack(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "RETRY", dg.RetryPolicy(max_retries=1))
    platform = platform_of(Settings(clickhouse_url="http://default:hidden@127.0.0.1:1"), tmp_path)
    result = defs.resolve_job_def("hourly_build").execute_in_process(
        partition_key="2026-11-21-09:00", instance=instance, resources={"platform": platform}, raise_on_error=False
    )
    failure = result.failure_data_for_node("spread_hourly")
    assert failure is not None
    assert failure.error is not None
    assert failure.error.cause is not None
    assert failure.error.cause.stack == []  # the UI shows the cause alone
    assert [event.step_key for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    assert "ClickHouse at http://default:***@127.0.0.1:1 cannot be reached" in failure.error.cause.message
    assert "hidden" not in failure.error.to_string()
