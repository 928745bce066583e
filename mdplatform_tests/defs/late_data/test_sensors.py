"""Late rows, from the warehouse to a run of their hours."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.definitions import defs
from mdplatform.defs.hours.topic_lag import missing
from mdplatform.defs.late_data.policy import PAUSE
from mdplatform.defs.late_data.sensors import late_data
from mdplatform.defs.partitions import key_of
from mdplatform.defs.resources import Platform
from mdplatform_tests.warehouse.rows import HOUR, after, put_trades


def look(platform: Platform, instance: dg.DagsterInstance, cursor: str) -> dg.SensorResult:
    with dg.build_sensor_context(instance=instance, resources={"platform": platform}, cursor=cursor) as context:
        result = late_data(context)
    assert isinstance(result, dg.SensorResult)
    return result


def test_late_rows_start_one_run_for_their_hours_and_then_none(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance
) -> None:
    built = datetime.now(UTC) - PAUSE
    for hour in (HOUR, HOUR + timedelta(hours=1)):
        metadata = {"read_at": dg.MetadataValue.timestamp(built)}
        instance.report_runless_asset_event(
            dg.AssetMaterialization("spread_hourly", partition=key_of(hour), metadata=metadata)
        )
    stored = datetime.now(UTC) - timedelta(minutes=10)
    for at, venue in ((after(1), "okx"), (after(3700), "gate")):
        put_trades(warehouse, {"at": at, "id": "1", "exchange": venue, "inserted_at": stored})
    first = look(platform, instance, json.dumps({"since": built.isoformat(), "owed": {}}))
    (request,) = first.run_requests or []
    assert request.tags["mdplatform/late"] == "gate,okx"
    ends = [request.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")]
    assert ends == [key_of(HOUR), key_of(HOUR + timedelta(hours=1))]
    assert first.cursor is not None
    assert not look(platform, instance, first.cursor).run_requests


def test_a_build_says_from_when_its_rows_are(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance
) -> None:
    before = datetime.now(UTC).timestamp()
    job = defs.resolve_job_def("hourly_build")
    job.execute_in_process(partition_key=key_of(HOUR), instance=instance, resources={"platform": platform})
    event = instance.get_latest_materialization_event(dg.AssetKey("spread_hourly"))
    assert event is not None
    assert event.asset_materialization is not None
    assert float(str(event.asset_materialization.metadata["read_at"].value)) >= before


def test_what_the_tables_must_read_is_counted_by_partition() -> None:
    needed = {("books", 0): 10, ("books", 1): 5, ("trades", 0): 7, ("status", 0): 3}
    committed = {("books", 0): 8, ("books", 1): 9}
    assert missing(needed, committed, {("trades", 0): 4, ("status", 0): 3}) == {("books", 0): 2, ("trades", 0): 3}
