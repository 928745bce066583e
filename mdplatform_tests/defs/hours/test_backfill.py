"""A range of hours in one run: each hour has its own events, and a bad one keeps only itself out of the archive."""

from datetime import timedelta

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.archive.layout import published
from mdplatform.definitions import defs
from mdplatform.defs.partitions import key_of
from mdplatform.defs.resources import Platform
from mdplatform_tests.defs.conftest import Stage
from mdplatform_tests.warehouse.rows import HOUR, after, put_books

HOURS = [HOUR + timedelta(hours=n) for n in range(3)]
KEYS = [key_of(hour) for hour in HOURS]
CROSSED = KEYS[1]


def three_hours(client: Client) -> None:
    """One book in the first hour, a crossed one in the second, two in the third."""
    put_books(
        client,
        {"at": after(1), "sequence": 1},
        {"at": after(3601), "sequence": 2, "b": [101.0], "a": [101.0]},
        {"at": after(7201), "sequence": 3},
        {"at": after(7202), "sequence": 4, "symbol": "ETH-USDT"},
    )


def build(platform: Platform, instance: dg.DagsterInstance, first: str, last: str) -> dg.ExecuteInProcessResult:
    return defs.resolve_job_def("hourly_build").execute_in_process(
        instance=instance,
        resources={"platform": platform},
        raise_on_error=False,
        tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last},
    )


@pytest.fixture(scope="module")
def backfilled(stage: Stage) -> dg.ExecuteInProcessResult:
    three_hours(stage.warehouse)
    return build(stage.platform, stage.instance, KEYS[0], KEYS[-1])


def materialized(result: dg.ExecuteInProcessResult, asset: str) -> dict[str | None, object]:
    """Rows by partition, as the materializations say."""
    events = result.asset_materializations_for_node(asset)
    return {
        event.partition: event.metadata["dagster/partition_row_count"].value
        for event in events
        if event.asset_key == dg.AssetKey(asset)
    }


def test_each_hour_of_a_range_has_a_materialization_with_its_own_rows(
    backfilled: dg.ExecuteInProcessResult,
) -> None:
    assert materialized(backfilled, "spread_hourly") == dict(zip(KEYS, (1, 1, 2), strict=True))


def test_each_hour_of_a_range_has_an_evaluation_of_each_check(backfilled: dg.ExecuteInProcessResult) -> None:
    found = {(e.check_name, e.partition): e.passed for e in backfilled.get_asset_check_evaluations()}
    assert {key: found["book_is_not_crossed", key] for key in KEYS} == {key: key != CROSSED for key in KEYS}
    assert {key for name, key in found if name == "archive_matches_warehouse"} == {KEYS[0], KEYS[2]}


def test_only_the_bad_hour_of_a_range_is_kept_out_of_the_archive(
    backfilled: dg.ExecuteInProcessResult, stage: Stage
) -> None:
    assert {partition.hour for partition in published(stage.home / "archive")} == {HOURS[0], HOURS[2]}
    assert set(materialized(backfilled, "parquet_archive")) == {KEYS[0], KEYS[2]}


def test_what_each_hour_of_a_range_cost_is_noted_also_of_a_run_that_fails(
    backfilled: dg.ExecuteInProcessResult, stage: Stage
) -> None:
    parts = stage.warehouse.query(
        "SELECT part, groupArray(hour) FROM (SELECT * FROM _costs ORDER BY hour) GROUP BY part"
    )
    hours = {part: [key_of(hour) for hour in found] for part, found in parts.result_rows}
    assert hours == {
        "hour_checks": KEYS,
        "parquet_archive": [KEYS[0], KEYS[2]],
        "spread_hourly": KEYS,
        "top_of_book_minute": KEYS,
        "trades_minute": KEYS,
    }


def test_a_run_that_left_an_hour_out_fails_and_names_it(backfilled: dg.ExecuteInProcessResult) -> None:
    assert not backfilled.success
    failure = backfilled.failure_data_for_node("parquet_archive")
    assert failure is not None
    assert f"{CROSSED}: book_is_not_crossed" in str(failure.user_failure_data or failure.error)


def test_the_instance_knows_each_checks_state_by_hour(backfilled: dg.ExecuteInProcessResult, stage: Stage) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("spread_hourly"), "book_is_not_crossed")
    infos = stage.instance.event_log_storage.get_asset_check_partition_info([key])
    assert {info.partition_key: info.latest_execution_status.value for info in infos} == {
        key: "FAILED" if key == CROSSED else "SUCCEEDED" for key in KEYS
    }
    assert all(info.is_current for info in infos)


def test_a_range_of_one_hour_is_that_hour(warehouse: Client, platform: Platform, instance: dg.DagsterInstance) -> None:
    three_hours(warehouse)
    result = build(platform, instance, KEYS[2], KEYS[2])
    assert result.success
    assert materialized(result, "parquet_archive") == {KEYS[2]: 6}  # books, their tops, spreads
