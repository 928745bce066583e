"""A partition is replaced whole, and the same rows give the same bytes."""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mdplatform.archive import manifest as manifests
from mdplatform.archive import parquet
from mdplatform.archive.layout import published, published_in, stored
from mdplatform.archive.publish import publish
from mdplatform.archive.verify import read, verify
from mdplatform.core.errors import ArchiveError
from mdplatform_tests.archive.rows import BOOKS, HOUR, ORIGIN, START_MS, TRADES, books, trades


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in files(root)}


def test_the_same_rows_give_the_same_bytes_however_they_arrive(tmp_path: Path) -> None:
    rows = trades(3 * parquet.ROW_GROUP // 2)
    pieces = [rows.slice(at, 7777) for at in range(0, rows.num_rows, 7777)]
    publish(tmp_path / "whole", TRADES, [rows], ORIGIN)
    publish(tmp_path / "pieces", TRADES, pieces, ORIGIN)
    assert contents(tmp_path / "whole") == contents(tmp_path / "pieces")


def test_text_sent_as_dictionary_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = trades()
    encoded = rows.set_column(1, "symbol", rows["symbol"].dictionary_encode()).set_column(
        0, "exchange", rows["exchange"].cast(pa.string())
    )
    publish(tmp_path / "plain", TRADES, [rows], ORIGIN)
    publish(tmp_path / "encoded", TRADES, [encoded], ORIGIN)
    assert contents(tmp_path / "plain") == contents(tmp_path / "encoded")


def test_building_again_replaces_nothing_when_nothing_changed(tmp_path: Path) -> None:
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    before = {path: path.stat().st_ino for path in files(tmp_path)}
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    assert {path: path.stat().st_ino for path in files(tmp_path)} == before


def test_building_again_heals_a_damaged_file(tmp_path: Path) -> None:
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    (tmp_path / TRADES.path / "part-0000.parquet").write_bytes(b"damaged")
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    assert verify(tmp_path, TRADES).rows == 6


def test_late_rows_replace_the_hour(tmp_path: Path) -> None:
    publish(tmp_path, TRADES, [trades(6)], ORIGIN)
    publish(tmp_path, TRADES, [trades(8)], ORIGIN)
    assert read(tmp_path, TRADES).num_rows == verify(tmp_path, TRADES).rows == 8


def test_an_empty_hour_is_a_manifest_without_a_file(tmp_path: Path) -> None:
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    publish(tmp_path, TRADES, [], ORIGIN)
    assert list(contents(tmp_path)) == [TRADES.manifest]
    assert list(published(tmp_path)) == list(published_in(tmp_path, HOUR)) == [TRADES]
    assert verify(tmp_path, TRADES).rows == read(tmp_path, TRADES).num_rows == 0


def test_a_failing_source_leaves_what_was_published(tmp_path: Path) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield trades(2)
        raise OSError("connection lost")

    publish(tmp_path, TRADES, [trades()], ORIGIN)
    before = contents(tmp_path)
    with pytest.raises(OSError, match="connection lost"):
        publish(tmp_path, TRADES, failing(), ORIGIN)
    assert contents(tmp_path) == before


def test_leftovers_of_a_killed_writer_go(tmp_path: Path) -> None:
    (tmp_path / TRADES.path).mkdir(parents=True)
    (tmp_path / TRADES.path / ".part-killed").write_bytes(b"half")
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    assert stored(tmp_path)[TRADES] == ["_manifest.json", "part-0000.parquet"]


def _publish_many(root: Path, rows: int) -> None:
    for _ in range(10):
        publish(root, TRADES, [trades(rows)], ORIGIN)


def test_two_writers_at_once_leave_a_partition_that_proves_itself(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_publish_many, args=(tmp_path, rows)) for rows in (50, 60)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert verify(tmp_path, TRADES).rows in (50, 60)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([trades().take([1, 0])], "row 1 does not follow"),
        ([trades().take([0, 0])], "row 1 does not follow"),
        ([trades(2), trades(1)], "row 2 does not follow"),
        ([trades(start_ms=START_MS + 3600_000)], "outside of its hour"),
        ([trades(start_ms=START_MS - 1)], "outside of its hour"),
        ([trades().select(["exchange", "symbol"])], "gives the columns"),
        ([books()], "gives the columns"),
    ],
    ids=["unsorted", "doubled", "doubled over batches", "next hour", "hour before", "columns missing", "other dataset"],
)
def test_rows_that_do_not_belong_are_refused(tmp_path: Path, rows: list[pa.RecordBatch], complaint: str) -> None:
    with pytest.raises(ArchiveError, match=complaint):
        publish(tmp_path, TRADES, rows, ORIGIN)
    assert contents(tmp_path) == {}


def test_disorder_across_row_groups_is_refused(tmp_path: Path) -> None:
    rows = trades(parquet.ROW_GROUP)
    with pytest.raises(ArchiveError, match=f"row {parquet.ROW_GROUP} does not follow"):
        publish(tmp_path, TRADES, [rows, rows.slice(rows.num_rows - 1)], ORIGIN)


def test_the_file_states_its_order_origin_and_number_of_rows(tmp_path: Path) -> None:
    publish(tmp_path, BOOKS, [books()], ORIGIN)
    footer = pq.read_metadata(tmp_path / BOOKS.path / "part-0000.parquet")
    assert [column.column_index for column in footer.row_group(0).sorting_columns] == [1, 2, 3]
    stated = {key.decode(): value.decode() for key, value in footer.metadata.items() if key != b"ARROW:schema"}
    assert stated == {
        "schema_version": "1",
        "partition": "books/exchange=binance/date=2024-08-08/hour=10",
        "query": "export_trades",
        "code_version": "test",
        "rows": "4",
    }


def test_only_text_is_dictionary_encoded(tmp_path: Path) -> None:
    publish(tmp_path, BOOKS, [books()], ORIGIN)
    group = pq.read_metadata(tmp_path / BOOKS.path / "part-0000.parquet").row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    assert [c.path_in_schema for c in columns if "RLE_DICTIONARY" in c.encodings] == ["exchange", "symbol", "_topic"]
    assert {c.compression for c in columns} == {"ZSTD"}


def test_pandas_sees_utc_times_and_lists_of_numbers(tmp_path: Path) -> None:
    publish(tmp_path, BOOKS, [books()], ORIGIN)
    frame = pd.read_parquet(tmp_path / BOOKS.path / "part-0000.parquet")
    assert str(frame.dtypes["timestamp"]) == "datetime64[ms, UTC]"
    assert str(frame.dtypes["received_time"]) == "datetime64[ns, UTC]"
    assert frame["b"][0].tolist() == [61000.01, 61000.0]
    assert frame["received_time"].astype("int64").tolist() == [(START_MS + 100 * i) * 10**6 + 5 for i in range(4)]


def test_pandas_reads_the_hive_names_of_a_tree(tmp_path: Path) -> None:
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    frame = pd.read_parquet(tmp_path / "trades", columns=["price", "date", "hour"])
    assert (len(frame), frame["date"].astype(str)[0], int(frame["hour"][0])) == (6, "2024-08-08", 10)


def test_the_manifest_states_ranges_by_symbol(tmp_path: Path) -> None:
    manifest = publish(tmp_path, BOOKS, [books()], ORIGIN)
    [btc] = manifest.symbols
    assert (btc.symbol, btc.rows, btc.min_sequence, btc.max_sequence) == ("BTC-USDT", 4, 70, 76)
    assert (btc.min_time_ns, btc.max_time_ns) == (START_MS * 10**6, (START_MS + 300) * 10**6)


def test_the_manifest_reads_back_as_it_was_written(tmp_path: Path) -> None:
    assert publish(tmp_path, TRADES, [trades()], ORIGIN) == manifests.read(tmp_path, TRADES)


def test_only_partitions_with_a_manifest_are_published(tmp_path: Path) -> None:
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    publish(tmp_path, BOOKS, [books()], ORIGIN)
    (tmp_path / BOOKS.manifest).unlink()
    assert list(published(tmp_path)) == [TRADES]
