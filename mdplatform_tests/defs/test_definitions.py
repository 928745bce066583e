"""What Dagster loads: assets, their lineage, checks, partitions, and when hours are built."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import AssetKey

from mdplatform.definitions import defs
from mdplatform.defs.columns import archive_lineage, archive_schema, rollup_lineage
from mdplatform.defs.partitions import HOURLY, complete_hours, is_over, key_of
from mdplatform.defs.schedules import requests

REPOSITORY = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 10, 5, tzinfo=UTC)


def test_lineage_goes_from_venue_to_file() -> None:
    graph = defs.resolve_asset_graph()
    upstream = graph.get_ancestor_asset_keys(AssetKey("parquet_archive"))
    wanted = [["feed", "binance"], ["topic", "books"], ["marketdata", "md_orderbook_depth"], ["spread_hourly"]]
    assert {AssetKey(path) for path in wanted} <= upstream


def test_every_asset_has_an_owner_a_group_a_kind_and_a_description() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert (bool(spec.owners), bool(spec.description), bool(spec.kinds)) == (True, True, True), spec.key
        assert spec.group_name != "default", spec.key


def test_only_what_is_built_can_be_materialized() -> None:
    graph = defs.resolve_asset_graph()
    assert graph.materializable_asset_keys == {AssetKey("spread_hourly"), AssetKey("parquet_archive")}


def test_every_check_belongs_to_an_hour() -> None:
    graph = defs.resolve_asset_graph()
    specs = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    assert {spec.name for spec in specs} == {
        "book_is_not_crossed",
        "prices_are_positive",
        "sequence_has_no_gap",
        "archive_matches_warehouse",
    }
    assert all(spec.partitions_def == HOURLY for spec in specs)


def test_the_hour_under_way_can_be_built_by_hand() -> None:
    before = datetime.now(UTC)
    last = HOURLY.get_last_partition_key()
    assert last in {time.strftime("%Y-%m-%d-%H:00") for time in (before, datetime.now(UTC))}


def test_the_schedule_builds_complete_hours_only() -> None:
    assert [r.partition_key for r in requests(NOW)] == ["2026-11-21-09:00", "2026-11-21-08:00"]


def test_a_later_tick_of_the_hour_repeats_nothing() -> None:
    later = requests(NOW + timedelta(minutes=20))
    assert [r.run_key for r in later] == [r.run_key for r in requests(NOW)]


def test_the_next_hour_builds_the_last_one_again() -> None:
    keys = {r.run_key for r in requests(NOW)} & {r.run_key for r in requests(NOW + timedelta(hours=1))}
    assert keys == set()


@pytest.mark.parametrize(("minute", "over"), [(59, False), (60, True)])
def test_an_hour_is_over_when_the_next_begins(minute: int, over: bool) -> None:
    hour = complete_hours(NOW, 1)[0]
    assert is_over(hour, hour + timedelta(minutes=minute)) is over


def test_partition_keys_are_dagsters() -> None:
    hour = complete_hours(NOW, 1)[0]
    assert HOURLY.time_window_for_partition_key(key_of(hour)).start == hour


def test_column_lineage_names_real_columns() -> None:
    assert set(archive_lineage().deps_by_column) == {column.name for column in archive_schema().columns}
    assert {dep.asset_key.path[-1] for deps in rollup_lineage().deps_by_column.values() for dep in deps} == {
        "md_orderbook_depth",
        "md_feed_status",
    }


def test_the_workspace_names_these_definitions() -> None:
    workspace = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text())
    assert workspace["load_from"] == [{"python_module": {"module_name": "mdplatform.definitions"}}]


def test_the_shipped_instance_calls_nobody_and_watches_its_runs(shipped_instance: dg.DagsterInstance) -> None:
    assert (shipped_instance.telemetry_enabled, shipped_instance.nux_enabled) == (False, False)
    assert shipped_instance.run_monitoring_enabled


def test_the_collector_of_a_run_imports_no_dagster() -> None:
    code = (
        "import sys; import mdplatform.defs.collect; print(sorted({'dagster', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
