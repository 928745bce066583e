"""An archive's directory as people read it, by tools that know nothing of manifests; and archives of before."""

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mdplatform.archive import manifest as manifests
from mdplatform.archive.layout import Partition, published, published_in, stored
from mdplatform.archive.localstore import LocalStore
from mdplatform.archive.objectstore import ObjectStore
from mdplatform.archive.open_store import store_at
from mdplatform.archive.publish import publish
from mdplatform.archive.store import Store, manifest_keys
from mdplatform.archive.verify import verify
from mdplatform_tests.archive.rows import BOOKS, HOUR, ORIGIN, START_MS, TRADES, trades
from mdplatform_tests.cli.calling import called
from mdplatform_tests.test_readme import README

PYTHON = Path(__file__).parents[2] / ".venv-exports" / "bin" / "python"
LATER = Partition("trades", "binance", HOUR + timedelta(hours=1))
SILENT = Partition("trades", "binance", HOUR + timedelta(hours=2))
QTY = sum(0.001 * (i + 1) for i in range(6)) + sum(0.001 * (i + 1) for i in range(7))
# (rows, sum of qty, the hours, the venue) by each tool, of the directory as the README reads it.
SAID = """
import json, sys
directory = sys.argv[1]
if sys.argv[2] == "polars":
    import polars as pl
    found = READ_BY_POLARS
    said = [found.height, found["qty"].sum(), sorted(found["hour"].unique().to_list()), found["exchange"].cast(str)[0]]
elif sys.argv[2] == "polars, lazily":
    import polars as pl
    found = pl.scan_parquet(directory).filter(pl.col("exchange") == "binance").collect()
    said = [found.height, found["qty"].sum(), sorted(found["hour"].unique().to_list()), found["exchange"].cast(str)[0]]
else:
    import duckdb
    said = duckdb.sql(
        "SELECT count(), sum(qty), list_sort(list(DISTINCT hour)), any_value(exchange::text) "
        f"FROM '{directory}/**/*.parquet' WHERE exchange = 'binance'"
    ).fetchall()[0]
print(json.dumps([said[0], round(said[1], 9), [int(hour) for hour in said[2]], said[3]]))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two hours of trades, an hour without any, a build that was killed, and one that is about to end."""
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    publish(tmp_path, LATER, [trades(7, START_MS + 3600_000)], ORIGIN)
    publish(tmp_path, SILENT, [], ORIGIN)
    (tmp_path / LATER.manifest).with_name(".part-killed").write_bytes(b"half")
    return tmp_path


def in_own_environment(tool: str, directory: Path) -> Any:
    """The programs are large, and nothing of ours needs them."""
    if not PYTHON.is_file():
        pytest.skip("polars and duckdb are not installed: `make exports-venv`")
    shown = 'pl.read_parquet(".mdplatform/archive/trades")'
    assert shown in README
    script = SAID.replace("READ_BY_POLARS", shown.replace('".mdplatform/archive/trades"', "directory"))
    ended = subprocess.run([PYTHON, "-c", script, directory, tool], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(ended.stdout)


def by_pandas(directory: Path) -> list[Any]:
    frame = pd.read_parquet(directory, filters=[("exchange", "==", "binance")])
    hours = sorted({int(hour) for hour in frame["hour"]})
    return [len(frame), round(frame["qty"].sum(), 9), hours, str(frame["exchange"][0])]


def by_pyarrow(directory: Path) -> list[Any]:
    table = pq.read_table(directory)
    hours = sorted({int(hour) for hour in table["hour"].unique().to_pylist()})
    return [table.num_rows, round(sum(table["qty"].to_pylist()), 9), hours, table["exchange"][0].as_py()]


@pytest.mark.parametrize("tool", ["polars", "polars, lazily", "DuckDB", "pandas", "pyarrow"])
def test_a_directory_of_a_dataset_is_read_as_it_is_also_while_an_hour_is_built(root: Path, tool: str) -> None:
    read: Callable[[Path], list[Any]] = {"pandas": by_pandas, "pyarrow": by_pyarrow}.get(
        tool, lambda directory: in_own_environment(tool, directory)
    )
    with LocalStore(root).alone(TRADES.path) as staged:
        staged.write_bytes(b"PAR1 half a file")
        said = read(root / "trades")
    assert said == [13, round(QTY, 9), [10, 11], "binance"]


@pytest.fixture(params=["disk", "object store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return store_at(tmp_path if request.param == "disk" else f"memory://{tmp_path.name}/archive")


def put_as_before(store: Store, partition: Partition) -> None:
    """The manifest beside the files, as earlier versions wrote it."""
    now, before = manifest_keys(partition.path)
    content = store.read(now)
    with store._filesystem.open_output_stream(store._path(before)) as stream:
        stream.write(content)
    store._filesystem.delete_file(store._path(now))


def test_an_archive_of_before_is_read_and_moves_when_its_hour_is_built_again(store: Store) -> None:
    manifest = publish(store, TRADES, [trades()], ORIGIN)
    put_as_before(store, TRADES)
    assert list(published(store)) == list(published_in(store, HOUR)) == [TRADES]
    assert manifests.read(store, TRADES) == verify(store, TRADES) == manifest
    publish(store, TRADES, [trades()], ORIGIN)  # the same rows: nothing else is replaced
    assert not store.holds(manifest_keys(TRADES.path)[1])
    assert verify(store, TRADES) == manifest


def test_late_rows_replace_an_hour_of_before(store: Store) -> None:
    publish(store, TRADES, [trades(6)], ORIGIN)
    put_as_before(store, TRADES)
    publish(store, TRADES, [trades(8)], ORIGIN)
    assert not store.holds(manifest_keys(TRADES.path)[1])
    assert verify(store, TRADES).rows == 8
    assert len(stored(store)[TRADES]) == 2


def test_a_dataset_without_a_row_is_found_by_its_manifests_alone(store: Store) -> None:
    publish(store, BOOKS, [], ORIGIN)
    assert list(published_in(store, HOUR)) == [BOOKS]
    if isinstance(store, ObjectStore):
        assert list(store.keys("books")) == []


def test_verify_moves_manifests_of_before_on_request(root: Path) -> None:
    for partition in (TRADES, LATER, SILENT):
        put_as_before(LocalStore(root), partition)
    left = called("verify", str(root))
    assert (left.returncode, len(list((root / "trades").rglob("_manifest.json")))) == (0, 3)
    moved = called("verify", str(root), "--move-manifests")
    assert (moved.returncode, moved.stdout) == (0, left.stdout)
    assert [path.suffix for path in (root / "trades").rglob("*") if path.is_file()] == [".parquet"] * 2
    assert called("verify", str(root)).stdout == left.stdout
