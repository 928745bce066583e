"""Rows leave the warehouse when they are old enough and their archive is proven, and not before."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.archive.compare import stored_batches
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.open_store import store_at
from mdplatform.archive.retention import end_of, retire, retired, returned
from mdplatform.core.settings import Settings, load
from mdplatform.defs.archive.checks import compare_archive
from mdplatform.defs.archive.export import archive_hour
from mdplatform.warehouse import batches
from mdplatform_tests.archive.stored import fill
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_trades

LATER = HOUR + timedelta(days=40)  # beyond the month
EVERY = dict.fromkeys(DATASETS, 1)


def rows(client: Client, dataset: str) -> int:
    return int(client.query(f"SELECT count() FROM {DATASETS[dataset].stored_in} FINAL").first_row[0])


def exchange_of(root: str) -> str:
    return next(Path(root).glob("trades/exchange=*")).name.partition("=")[2]


@pytest.fixture
def root(warehouse: Client, tmp_path: Path) -> str:
    fill(warehouse)
    archive_hour(warehouse, store_at(str(tmp_path)), HOUR)
    return str(tmp_path)


@pytest.mark.parametrize(
    ("partition", "end"), [("202412", "2025-01-01T00"), ("20240808", "2024-08-09T00"), ("2024080822", "2024-08-08T23")]
)
def test_a_partition_ends_with_its_month_day_or_hour(partition: str, end: str) -> None:
    assert end_of(partition) == datetime.fromisoformat(f"{end}:00+00:00")


def test_all_that_is_proven_leaves_and_is_noted(warehouse: Client, root: str) -> None:
    # Intervals of the status table reach into hours that were not archived: they stay.
    outcomes = {each.dataset: each for each in retire(warehouse, store_at(root), EVERY, LATER)}
    left = {name for name, outcome in outcomes.items() if not outcome.kept}
    assert left == set(DATASETS) - {"statuses"}
    assert {name: rows(warehouse, name) for name in left} == dict.fromkeys(left, 0)
    assert retired(warehouse, HOUR) == left
    assert "is not published" in outcomes["statuses"].kept


def test_nothing_leaves_before_its_time(warehouse: Client, root: str) -> None:
    assert list(retire(warehouse, store_at(root), EVERY, HOUR + timedelta(hours=12))) == []


def test_a_dry_run_drops_nothing(warehouse: Client, root: str) -> None:
    before = rows(warehouse, "trades")
    (outcome,) = retire(warehouse, store_at(root), {"trades": 1}, LATER, dry_run=True)
    assert (outcome.kept, rows(warehouse, "trades")) == ("", before)
    assert retired(warehouse, HOUR) == frozenset()


def test_a_damaged_file_keeps_the_rows(warehouse: Client, root: str) -> None:
    file = next(Path(root).glob("trades/**/*.parquet"))
    file.write_bytes(file.read_bytes()[:-1])
    (outcome,) = retire(warehouse, store_at(root), {"trades": 1}, LATER)
    assert "bytes; the manifest says" in outcome.kept
    assert rows(warehouse, "trades") > 0


def test_a_row_that_came_after_the_archive_keeps_the_day(warehouse: Client, root: str) -> None:
    put_trades(warehouse, {"at": after(1800), "id": "late", "exchange": exchange_of(root)})
    (outcome,) = retire(warehouse, store_at(root), {"trades": 1}, LATER)
    assert "in the files and" in outcome.kept


def test_an_hour_of_the_day_that_was_never_archived_keeps_the_day(warehouse: Client, root: str) -> None:
    put_books(warehouse, {"at": after(-3600), "sequence": 1})
    (outcome,) = retire(warehouse, store_at(root), {"books": 1}, LATER)
    assert "is not published" in outcome.kept


def test_internals_leave_by_their_age(warehouse: Client, root: str) -> None:
    (outcome,) = retire(warehouse, store_at(root), {"messages": 1}, LATER)
    assert outcome.kept == ""
    assert warehouse.query("SELECT count() FROM md_messages_store").first_row == (0,)


def test_where_clickhouse_takes_no_note_rows_stay_and_what_needs_none_leaves(warehouse: Client, root: str) -> None:
    before = rows(warehouse, "trades")
    warehouse.command("ALTER TABLE _retired ADD CONSTRAINT full CHECK dataset = ''")
    outcomes = {
        each.dataset: each.kept for each in retire(warehouse, store_at(root), {"trades": 1, "messages": 1}, LATER)
    }
    assert outcomes["messages"] == ""
    assert outcomes["trades"].startswith("that its hours left cannot be noted: ")
    assert (rows(warehouse, "trades"), retired(warehouse, HOUR)) == (before, frozenset())


def test_late_rows_of_an_hour_that_left_do_not_replace_its_archive(warehouse: Client, root: str) -> None:
    store = store_at(root)
    list(retire(warehouse, store, {"trades": 1}, LATER))
    before = {path: path.read_bytes() for path in Path(root).glob("trades/**/*") if path.is_file()}
    put_trades(warehouse, {"at": after(1800), "id": "late", "exchange": exchange_of(root)})
    archive_hour(warehouse, store, HOUR)
    assert {path: path.read_bytes() for path in Path(root).glob("trades/**/*") if path.is_file()} == before
    assert compare_archive(warehouse, store, HOUR).passed


def test_restored_rows_count_again_and_stay_for_their_days(warehouse: Client, root: str) -> None:
    store, now = store_at(root), datetime.now(HOUR.tzinfo)
    before = rows(warehouse, "trades")
    list(retire(warehouse, store, {"trades": 1}, now))
    for exchange in sorted(path.name.partition("=")[2] for path in Path(root).glob("trades/exchange=*")):
        partition = Partition("trades", exchange, HOUR)
        batches.load(warehouse, "md_trades_store", stored_batches(store, partition))
        returned(warehouse, partition)
    assert rows(warehouse, "trades") == before
    assert retired(warehouse, HOUR) == frozenset()
    (outcome,) = retire(warehouse, store, {"trades": 1}, now)
    assert "were restored since" in outcome.kept
    (outcome,) = retire(warehouse, store, {"trades": 1}, now + timedelta(days=2))
    assert outcome.kept == ""


def test_days_are_settings_of_each_dataset() -> None:
    given = {"MDPLATFORM_RETENTION_BOOKS": "7", "MDPLATFORM_RETENTION_STATS": "30", "MDPLATFORM_RETENTION_RAW": "2"}
    assert load(given).retention_days() == {"books": 7, "stats": 30}
    assert Settings().retention_days() == {}
