"""What Dagster loads: assets, their lineage, checks, partitions, and when hours are built."""

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import AssetKey

from mdplatform.definitions import defs
from mdplatform.defs.archive.columns import archive_lineage, archive_schema
from mdplatform.defs.history.assets import history
from mdplatform.defs.history.datasets import CHECKS, DAILY
from mdplatform.defs.hours.claims import CLAIMS
from mdplatform.defs.hours.lineage import spread_hourly_lineage
from mdplatform.defs.hours.schedules import requests
from mdplatform.defs.partitions import HOURLY, complete_hours, is_over, key_of
from mdplatform.warehouse.queries import load
from mdplatform_tests.defs.asset_graph import SNAPSHOT, drawn

REPOSITORY = Path(__file__).parents[2]
JOBS = ("ingest", "pause_venue", "resume_venue", "hourly_build", "load_history", "retention")
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
    hourly = {AssetKey(name) for name in ("spread_hourly", "trades_minute", "top_of_book_minute", "parquet_archive")}
    assert graph.materializable_asset_keys == hourly | set(history.keys)


def test_every_check_of_rows_belongs_to_an_hour_and_that_of_the_past_to_a_day() -> None:
    graph = defs.resolve_asset_graph()
    partitions = {key.name: graph.get_check_spec(key).partitions_def for key in graph.asset_check_keys}
    hourly = [*(claim.name for claim in CLAIMS), "replay_equals_live", "archive_matches_warehouse"]
    of_the_past = {check.spec.name: DAILY for check in CHECKS}
    others = {**of_the_past, "feed_is_alive": None}
    assert partitions == {**dict.fromkeys(hourly, HOURLY), **others}


def test_the_hour_under_way_can_be_built_by_hand() -> None:
    before = datetime.now(UTC)
    last = HOURLY.get_last_partition_key()
    assert last in {time.strftime("%Y-%m-%d-%H:00") for time in (before, datetime.now(UTC))}


def test_a_later_tick_of_the_hour_repeats_nothing_and_the_next_hour_tries_again() -> None:
    hours = complete_hours(NOW, 2)
    keys = [[r.run_key for r in requests(hours, NOW + timedelta(minutes=m))] for m in (0, 20, 60)]
    assert keys[0] == keys[1]
    assert not set(keys[0]) & set(keys[2])


@pytest.mark.parametrize(("minute", "over"), [(59, False), (60, True)])
def test_an_hour_is_over_when_the_next_begins(minute: int, over: bool) -> None:
    hour = complete_hours(NOW, 1)[0]
    assert is_over(hour, hour + timedelta(minutes=minute)) is over


def test_partition_keys_are_dagsters() -> None:
    hour = complete_hours(NOW, 1)[0]
    assert HOURLY.time_window_for_partition_key(key_of(hour)).start == hour


def test_column_lineage_names_real_columns() -> None:
    assert set(archive_lineage().deps_by_column) == {column.name for column in archive_schema().columns}
    assert {dep.asset_key.path[-1] for deps in spread_hourly_lineage().deps_by_column.values() for dep in deps} == {
        "md_orderbook_depth",
        "md_feed_status",
    }


def test_every_claim_has_a_query_that_takes_an_hour() -> None:
    for claim in CLAIMS:
        assert set(load(claim.name).parameters) == {"hour", "limit", *claim.parameters}, claim.name


def test_links_to_code_lead_to_files() -> None:
    for spec in defs.resolve_all_asset_specs():
        links = spec.metadata.get("dagster/code_references")
        if links is not None:
            assert all(Path(link.file_path).is_file() for link in links.code_references), spec.key


def test_the_workspace_names_these_definitions() -> None:
    workspace = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text())
    assert workspace["load_from"] == [
        {"python_module": {"module_name": "mdplatform.definitions", "location_name": "mdplatform"}}
    ]


def test_the_shipped_instance_calls_nobody_and_watches_its_runs(shipped_instance: dg.DagsterInstance) -> None:
    assert (shipped_instance.telemetry_enabled, shipped_instance.nux_enabled) == (False, False)
    assert shipped_instance.run_monitoring_enabled


def test_a_build_whose_process_died_is_started_once_more_and_a_collector_is_the_supervisors(
    shipped_instance: dg.DagsterInstance,
) -> None:
    assert (shipped_instance.run_retries_enabled, shipped_instance.run_retries_max_retries) == (True, 0)
    retried = {name for name in JOBS if "dagster/max_retries" in defs.resolve_job_def(name).tags}
    assert retried == {"hourly_build", "retention"}


def test_dg_finds_what_the_workspace_loads() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    workspace = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text())["load_from"][0]["python_module"]
    names = (project["code_location_target_module"], project["code_location_name"])
    assert names == (workspace["module_name"], workspace["location_name"])


def test_the_asset_graph_is_the_one_that_was_reviewed() -> None:
    """Changed on purpose: ``python -m mdplatform_tests.defs.asset_graph`` writes it again."""
    assert drawn() == SNAPSHOT.read_text()
