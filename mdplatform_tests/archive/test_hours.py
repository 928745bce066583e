"""An hour's partitions are the same however their rows are fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.archive import hours
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.hours import publish_hour, rows_of
from mdplatform.archive.layout import Partition
from mdplatform_tests.archive.stored import EXCHANGE, fill
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_status, put_trades


@pytest.fixture
def venues(warehouse: Client) -> Client:
    """An hour of two venues, of which one has few datasets."""
    fill(warehouse)
    put_books(warehouse, *({"at": after(60 * n), "sequence": n + 1} for n in range(5)))
    put_trades(warehouse, *({"at": after(50 * n), "id": str(n)} for n in range(7)))
    put_status(warehouse, "valid", after(0), after(3600))
    return warehouse


def published(client: Client, root: Path) -> dict[str, bytes]:
    publish_hour(client, str(root), HOUR)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_rows_of_all_venues_at_once_give_the_bytes_that_venue_by_venue_gives(
    venues: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = published(venues, tmp_path / "at once")
    monkeypatch.setattr(hours, "AT_ONCE", 0)
    assert published(venues, tmp_path / "each") == at_once
    files = {Partition(name, EXCHANGE, HOUR).path for name in DATASETS}
    files |= {Partition(name, "binance", HOUR).path for name in ("books", "top_of_book", "trades", "statuses")}
    assert {name.rpartition("/")[0] for name in at_once if name.endswith(".parquet")} == files
    assert sum(name.endswith("_manifest.json") for name in at_once) == 2 * len(DATASETS)


def test_the_rows_of_each_partition_are_counted(venues: Client) -> None:
    assert {each.dataset: rows for each, rows in rows_of(venues, HOUR).items() if each.exchange == "binance"} == {
        "books": 5,
        "top_of_book": 5,
        "trades": 7,
        "statuses": 1,
    }
