"""An hour goes from the warehouse to the archive and back, and is the same."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from mdplatform.archive.compare import stored_batches
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import published
from mdplatform.archive.manifest import read
from mdplatform.archive.open_store import store_at
from mdplatform.defs.archive.checks import compare_archive
from mdplatform.defs.archive.export import archive_hour
from mdplatform.warehouse.batches import load
from mdplatform_tests.archive.stored import fill
from mdplatform_tests.warehouse.rows import HOUR, after, put_books


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def restore(client: Client, root: Path) -> int:
    return sum(
        load(client, DATASETS[partition.dataset].stored_in, stored_batches(root, partition))
        for partition in published(root)
    )


def drop(client: Client) -> None:
    for dataset in DATASETS.values():
        client.command(f"TRUNCATE TABLE {dataset.stored_in}")


def rows(client: Client, table: str) -> list[tuple[object, ...]]:
    return list(client.query(f"SELECT * EXCEPT inserted_at FROM {table} ORDER BY ALL").result_rows)


def test_an_hour_that_was_dropped_and_restored_is_archived_to_the_same_bytes(warehouse: Client, tmp_path: Path) -> None:
    fill(warehouse)
    archive_hour(warehouse, tmp_path / "first", HOUR)
    drop(warehouse)
    assert restore(warehouse, tmp_path / "first") > 100
    archive_hour(warehouse, tmp_path / "second", HOUR)
    assert files(tmp_path / "second") == files(tmp_path / "first")
    assert sum(name.endswith(".parquet") for name in files(tmp_path / "first")) == len(DATASETS)


def test_restored_rows_are_those_that_were_there(warehouse: Client, tmp_path: Path) -> None:
    fill(warehouse)
    # Intervals come back cut at the end of the last hour that is restored.
    tables = [dataset.table for dataset in DATASETS.values() if dataset.name != "statuses"]
    before = [rows(warehouse, table) for table in tables]
    archive_hour(warehouse, tmp_path, HOUR)
    drop(warehouse)
    restore(warehouse, tmp_path)
    assert [rows(warehouse, table) for table in tables] == before


def test_restoring_over_what_is_there_changes_nothing(warehouse: Client, tmp_path: Path) -> None:
    fill(warehouse)
    archive_hour(warehouse, tmp_path / "first", HOUR)
    before = {name: rows(warehouse, dataset.table) for name, dataset in DATASETS.items()}
    restore(warehouse, tmp_path / "first")
    restore(warehouse, tmp_path / "first")
    assert {name: rows(warehouse, dataset.table) for name, dataset in DATASETS.items()} == before


def test_a_venue_whose_books_have_one_side_only_is_archived_and_agrees(warehouse: Client, tmp_path: Path) -> None:
    put_books(warehouse, {"at": after(1), "sequence": 5, "a": [], "av": []}, tops=False)
    store = store_at(str(tmp_path))
    archive_hour(warehouse, store, HOUR)
    assert compare_archive(warehouse, store, HOUR).passed
    assert {p.dataset: len(read(store, p).files) for p in published(tmp_path)} == {
        name: int(name == "books") for name in DATASETS
    }
