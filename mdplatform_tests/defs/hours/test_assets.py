"""An hour from rows in the warehouse to checked files, through Dagster on the real engine."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.archive import manifest as manifests
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition, published
from mdplatform.definitions import defs
from mdplatform.defs.archive.checks import ARCHIVE_SPEC, PARQUET_ARCHIVE
from mdplatform.defs.hours.claims import CLAIMS
from mdplatform.defs.hours.last_build import SPREAD_HOURLY
from mdplatform.defs.partitions import key_of
from mdplatform.defs.resources import Platform
from mdplatform_tests.defs.conftest import Stage
from mdplatform_tests.warehouse.rows import HOUR, LAG_NS, after, put_books, put_status, put_trades

BOOKS = Partition("books", "binance", HOUR)
ARCHIVED = ARCHIVE_SPEC.name
TRADES = Partition("trades", "binance", HOUR)


def good_hour(client: Client, proven: float = 3600) -> None:
    """Every claim holds; books are proven for so many seconds of it."""
    put_books(
        client,
        {"at": after(1), "sequence": 5, "_offset": 7},
        {"at": after(2), "sequence": 8, "previous_sequence": 5, "_offset": 8, "bv": [3.0]},
        {"at": after(3599.999), "sequence": 9, "previous_sequence": 8, "_offset": 9},
        {"at": after(5), "sequence": 70, "symbol": "ETH-USDT", "_offset": 3, "_partition": 1},
    )
    put_trades(
        client,
        {"at": after(1), "id": "100", "_topic": "trades", "_offset": 5},
        {"at": after(2), "id": "99", "side": "sell", "_topic": "trades", "_offset": 6},
    )
    for symbol in ("BTC-USDT", "ETH-USDT"):
        put_status(client, "valid", after(0) + LAG_NS, after(proven) + LAG_NS, symbol=symbol)


def build(platform: Platform, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def("hourly_build")
    result = job.execute_in_process(
        partition_key=key_of(HOUR), instance=instance, resources={"platform": platform}, raise_on_error=False
    )
    return result


@pytest.fixture(scope="module")
def built(stage: Stage) -> dg.ExecuteInProcessResult:
    """A good hour on the stage, built once."""
    good_hour(stage.warehouse)
    return build(stage.platform, stage.instance)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def failed(result: dg.ExecuteInProcessResult) -> set[str]:
    return {name for name, evaluation in checks(result).items() if not evaluation.passed}


def archive(tmp_path: Path) -> dict[str, bytes]:
    root = tmp_path / "archive"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def materialized(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (event,) = (e for e in result.asset_materializations_for_node(asset) if e.asset_key == dg.AssetKey(asset))
    return {name: value.value for name, value in event.metadata.items()}


def test_a_good_hour_is_archived_and_every_check_passes(built: dg.ExecuteInProcessResult, stage: Stage) -> None:
    assert built.success
    assert (failed(built), len(checks(built))) == (set(), len(CLAIMS) + 2)
    assert [p.dataset for p in published(stage.home / "archive")] == sorted(DATASETS)


def test_an_hour_built_twice_has_the_same_rows_and_the_same_bytes(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    def rows() -> list[Any]:
        return list(warehouse.query("SELECT * EXCEPT inserted_at FROM md_spread_hourly ORDER BY ALL").result_rows)

    good_hour(warehouse)
    build(platform, instance)
    first = (rows(), archive(tmp_path))
    for path in (tmp_path / "archive").rglob("*.parquet"):
        path.unlink()  # so that it is written again
    build(platform, instance)
    assert (rows(), archive(tmp_path)) == first
    assert len(first[0]) == 2


@pytest.mark.usefixtures("built")
def test_pandas_reads_the_archive_with_the_right_types(stage: Stage) -> None:
    frame = pd.read_parquet(stage.home / "archive" / "books")
    assert frame["symbol"].tolist() == ["BTC-USDT"] * 3 + ["ETH-USDT"]
    assert str(frame.dtypes["timestamp"]) == "datetime64[ms, UTC]"
    assert str(frame.dtypes["sequence"]) == "int64"
    assert frame["bv"][1].tolist() == [3.0]


def test_the_manifest_says_where_the_rows_came_from(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    good_hour(warehouse, proven=1800)
    put_status(warehouse, "down", after(1800) + LAG_NS, None)
    build(platform, instance)
    origin = manifests.read(tmp_path / "archive", BOOKS).origin
    assert [(o.topic, o.partition, o.first_offset, o.last_offset) for o in origin.offsets] == [
        ("test", 0, 7, 9),
        ("test", 1, 3, 3),
    ]
    assert origin.coverage == {"BTC-USDT": pytest.approx(0.4997, abs=1e-4), "ETH-USDT": pytest.approx(0.4986, abs=1e-4)}
    assert [(gap.state, gap.ended_ns) for gap in origin.gaps] == [("down", None)]


def test_materializations_state_rows_columns_and_lineage(built: dg.ExecuteInProcessResult) -> None:
    rollup, files = materialized(built, "spread_hourly"), materialized(built, "parquet_archive")
    assert (rollup["dagster/partition_row_count"], files["dagster/partition_row_count"]) == (2, 14)
    schema = {column.name: column for column in rollup["dagster/column_schema"].columns}
    assert schema["coverage"].description.startswith("valid time / 3600 s, 0 to 1")
    assert set(rollup["dagster/column_lineage"].deps_by_column) == set(schema) - {"inserted_at"}
    assert (rollup["source_rows"], rollup["first_time"]) == (4, HOUR.timestamp() + 1)


@pytest.mark.parametrize(("asset", "rows"), [("trades_minute", 1), ("top_of_book_minute", 120)])
def test_minutes_state_rows_columns_and_lineage(built: dg.ExecuteInProcessResult, asset: str, rows: int) -> None:
    found = materialized(built, asset)
    assert found["dagster/partition_row_count"] == rows
    columns = {column.name for column in found["dagster/column_schema"].columns}
    assert columns - set(found["dagster/column_lineage"].deps_by_column) == {"inserted_at"}


def test_each_part_of_an_hour_is_a_step_that_reports_its_seconds(built: dg.ExecuteInProcessResult) -> None:
    steps = [event.step_key for event in built.all_events if event.event_type_value == "STEP_SUCCESS"]
    assert sorted(steps[:3]) == ["spread_hourly", "top_of_book_minute", "trades_minute"]
    assert steps[3:] == ["hour_checks", "parquet_archive"]
    assert materialized(built, "trades_minute")["seconds"] >= 0


def test_an_hour_of_silence_is_a_manifest_without_a_file(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    put_status(warehouse, "down", after(-10), after(4000))
    result = build(platform, instance)
    assert (result.success, failed(result)) == (True, set())
    assert [path for path in archive(tmp_path) if "_manifest" not in path and "statuses" not in path] == []
    assert manifests.read(tmp_path / "archive", TRADES).rows == 0


def crossed(client: Client) -> None:
    put_books(client, {"at": after(3599.9995), "sequence": 20, "_offset": 10, "b": [101.0], "a": [101.0]})


def negative_size(client: Client) -> None:
    put_trades(client, {"at": after(10), "id": "x", "qty": -1.0, "_topic": "trades", "_offset": 7})


def zero_price_below_the_top(client: Client) -> None:
    put_books(client, {"at": after(3599.9995), "sequence": 20, "_offset": 10, "b": [99.0, 0.0], "bv": [1.0, 1.0]})


def gap(client: Client) -> None:
    put_books(client, {"at": after(3599.9995), "sequence": 20, "previous_sequence": 19, "_offset": 10})


def deleted_row(client: Client) -> None:
    client.command("DELETE FROM md_orderbook_depth_store WHERE sequence = 8")


def duplicate(client: Client) -> None:
    put_trades(client, {"at": after(1), "id": "100 again", "_topic": "trades", "_offset": 5})


def shifted_timestamp(client: Client) -> None:
    put_trades(
        client, {"at": after(400), "id": "99", "side": "sell", "received_at": HOUR, "_topic": "trades", "_offset": 6}
    )


def missing_number(client: Client) -> None:
    put_trades(client, {"at": after(3), "id": "103", "_topic": "trades", "_offset": 7})


def stale(client: Client) -> None:
    put_books(client, {"at": after(10), "sequence": 1, "_offset": 10, "symbol": "SOL-USDT"})


def trade_through(client: Client) -> None:
    put_trades(client, {"at": after(3), "id": "101", "price": 105.0, "_topic": "trades", "_offset": 7})


@pytest.mark.parametrize(
    ("plant", "claim", "is_archived"),
    [
        (crossed, "book_is_not_crossed", False),
        (negative_size, "prices_are_positive", False),
        (zero_price_below_the_top, "prices_are_positive", False),
        (gap, "sequence_has_no_gap", True),
        (deleted_row, "offsets_have_no_holes", True),
        (duplicate, "rows_are_unique", False),
        (shifted_timestamp, "timestamps_are_sane", True),
        (missing_number, "trade_ids_have_no_gap", True),
        (stale, "feeds_are_covered", True),
        (trade_through, "trades_are_within_the_spread", True),
    ],
)
def test_a_bad_row_fails_its_check_alone_and_wrong_rows_are_not_archived(
    warehouse: Client,
    platform: Platform,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    plant: Callable[[Client], None],
    claim: str,
    is_archived: bool,
) -> None:
    good_hour(warehouse)
    plant(warehouse)
    result = build(platform, instance)
    assert failed(result) == {claim}
    metadata = checks(result)[claim].metadata
    assert metadata["bad_rows"].value == 1
    assert "binance" in str(metadata["first_rows"].value)
    assert checks(result)[claim].description == f"bad rows: 1. {metadata['next_step'].value}"
    assert bool(list(published(tmp_path / "archive"))) == is_archived


def test_a_feed_that_is_not_covered_is_shown_with_the_reason(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance
) -> None:
    good_hour(warehouse, proven=1800)
    put_status(warehouse, "down", after(1800) + LAG_NS, after(3600) + LAG_NS)
    rows = str(checks(build(platform, instance))["feeds_are_covered"].metadata["first_rows"].value).splitlines()
    assert rows[0] == "| exchange | symbol | updates | coverage | judged_s | causes |"
    causes = {cells[2].strip(): cells[6].strip() for cells in (row.split("|") for row in rows[2:])}
    assert causes == {"BTC-USDT": "down: test", "ETH-USDT": ""}


@cache
def only_the_checks() -> dg.JobDefinition:
    """Every check of an hour, on what is stored and published."""
    selection = dg.AssetSelection.checks_for_assets(SPREAD_HOURLY, PARQUET_ARCHIVE)
    job = dg.define_asset_job("only_the_checks", selection=selection)
    return dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, jobs=[job], resources=defs.resources
    ).resolve_job_def("only_the_checks")


def run_checks(platform: Platform, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return only_the_checks().execute_in_process(
        tags={"dagster/partition": key_of(HOUR)}, instance=instance, resources={"platform": platform}
    )


def test_a_corrupted_byte_fails_the_archives_check_alone_until_the_hour_is_built_again(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    good_hour(warehouse)
    build(platform, instance)
    part = tmp_path / "archive" / BOOKS.path / "part-0000.parquet"
    data = bytearray(part.read_bytes())
    data[100] ^= 1
    part.write_bytes(data)
    result = run_checks(platform, instance)
    assert (failed(result), len(checks(result))) == ({ARCHIVED}, len(CLAIMS) + 2)
    metadata = checks(result)[ARCHIVED].metadata
    assert f"{BOOKS.path}/part-0000.parquet" in str(metadata["first_differences"].value)
    assert "sha256" in str(metadata["first_differences"].value)
    assert "build the hour again" in str(metadata["next_step"].value)
    build(platform, instance)
    assert failed(run_checks(platform, instance)) == set()


@pytest.mark.parametrize(
    "late",
    [
        lambda client: put_trades(client, {"at": after(20), "id": "101"}),
        # Received before the one that is archived: then this is the one that counts.
        lambda client: put_books(
            client, {"at": after(2), "sequence": 8, "previous_sequence": 5, "bv": [4.0], "received_at": HOUR}
        ),
    ],
    ids=["another row", "another size"],
)
def test_what_the_warehouse_got_later_is_found_until_the_hour_is_built_again(
    warehouse: Client, platform: Platform, instance: dg.DagsterInstance, late: Any
) -> None:
    good_hour(warehouse)
    build(platform, instance)
    late(warehouse)
    assert ARCHIVED in failed(run_checks(platform, instance))
    build(platform, instance)
    assert ARCHIVED not in failed(run_checks(platform, instance))


def test_a_run_for_no_hour_says_so(platform: Platform, instance: dg.DagsterInstance) -> None:
    result = defs.resolve_job_def("hourly_build").execute_in_process(
        instance=instance, resources={"platform": platform}, raise_on_error=False
    )
    failure = result.failure_data_for_node("spread_hourly")
    assert failure is not None
    assert "names no hour" in str(failure.user_failure_data or failure.error)
