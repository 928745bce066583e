"""The nightly job, and what a build does with an hour whose rows have left."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.retention import retire
from mdplatform.defs.archive.retention import drop_old_rows_nightly, retention
from mdplatform.defs.hours.assets import spread_hourly
from mdplatform.defs.hours.checks import hour_checks
from mdplatform.defs.partitions import key_of
from mdplatform.defs.resources import Platform
from mdplatform.warehouse.rollups import build_spread_hourly
from mdplatform_tests.archive.stored import fill
from mdplatform_tests.defs.archive.test_assets import archive_hour
from mdplatform_tests.warehouse.rows import HOUR


def with_days(platform: Platform, **days: str) -> Platform:
    names = {f"MDPLATFORM_RETENTION_{name.upper()}": value for name, value in days.items()}
    return Platform(overrides=platform.overrides | names)


def books(client: Client) -> int:
    return int(client.query("SELECT count() FROM md_orderbook_depth_store").first_row[0])


def test_without_a_setting_nothing_runs(platform: Platform, instance: dg.DagsterInstance) -> None:
    with dg.build_schedule_context(instance=instance, resources={"platform": platform}) as context:
        assert isinstance(drop_old_rows_nightly(context), dg.SkipReason)


def test_the_job_drops_what_is_archived(warehouse: Client, platform: Platform, instance: dg.DagsterInstance) -> None:
    fill(warehouse)
    limited = with_days(platform, books="1", stats="1")
    archive_hour(warehouse, limited.archive_root(), HOUR)
    assert retention.execute_in_process(instance=instance, resources={"platform": limited}).success
    assert books(warehouse) == 0


def test_the_job_is_red_where_the_archive_does_not_prove_the_rows(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance
) -> None:
    fill(warehouse)
    limited = with_days(platform, books="1")
    outcome = retention.execute_in_process(instance=instance, resources={"platform": limited}, raise_on_error=False)
    assert not outcome.success
    assert books(warehouse) > 0


def test_a_build_of_an_hour_that_left_keeps_what_was_built(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    fill(warehouse)
    build_spread_hourly(warehouse, HOUR)
    before = warehouse.query("SELECT * EXCEPT inserted_at FROM md_spread_hourly ORDER BY ALL").result_rows
    root = platform.archive_root()
    archive_hour(warehouse, root, HOUR)
    list(retire(warehouse, root, {"books": 1}, HOUR + timedelta(days=3)))
    assert books(warehouse) == 0
    found = dg.materialize(
        [spread_hourly, hour_checks], partition_key=key_of(HOUR), instance=instance, resources={"platform": platform}
    )
    assert found.success
    assert warehouse.query("SELECT * EXCEPT inserted_at FROM md_spread_hourly ORDER BY ALL").result_rows == before
    evaluations = found.get_asset_check_evaluations()
    assert all(each.passed and "not judged again" in str(each.description) for each in evaluations)
    assert evaluations
