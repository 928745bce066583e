"""The same archive in an object store: the same promises, without a rename."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs

from mdplatform.archive.layout import published, published_in, stored
from mdplatform.archive.objectstore import SUPERSEDED, ObjectStore
from mdplatform.archive.open_store import store_at
from mdplatform.archive.publish import publish
from mdplatform.archive.store import Store
from mdplatform.archive.verify import read, verify
from mdplatform.core.errors import ArchiveError, ConfigError
from mdplatform.core.settings import load
from mdplatform_tests.archive.rows import BOOKS, HOUR, ORIGIN, TRADES, books, trades
from mdplatform_tests.archive.s3 import S3Server


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Empty: in this process's memory by fsspec, and in a server that speaks S3."""
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        return store_at(server.bucket())
    return store_at(f"memory://{tmp_path.name}/archive")


def names(store: Store) -> list[str]:
    """Of the hour's files; the directory that people read holds only those of Parquet."""
    assert all(key.endswith(".parquet") for key in store.keys("trades"))
    return stored(store)[TRADES]


def overwrite(store: Store, key: str, content: bytes) -> None:
    with store._filesystem.open_output_stream(store._path(key)) as stream:
        stream.write(content)


def test_rows_come_back_as_they_went_in(store: Store) -> None:
    publish(store, BOOKS, [books()], ORIGIN)
    assert read(store, BOOKS).to_batches() == [books()]
    assert verify(store, BOOKS).rows == 4


def test_what_is_published_is_found(store: Store) -> None:
    publish(store, TRADES, [trades()], ORIGIN)
    publish(store, BOOKS, [books()], ORIGIN)
    assert list(published(store)) == list(published_in(store, HOUR)) == [BOOKS, TRADES]


def test_files_are_the_same_bytes_as_on_disk(store: Store, tmp_path: Path) -> None:
    (here,) = publish(tmp_path, TRADES, [trades()], ORIGIN).files
    (there,) = publish(store, TRADES, [trades()], ORIGIN).files
    assert here.sha256 == there.sha256
    assert store.read(f"{TRADES}/{there.name}") == (tmp_path / TRADES.path / here.name).read_bytes()


def test_late_rows_replace_the_hour_and_its_file(store: Store) -> None:
    publish(store, TRADES, [trades(6)], ORIGIN)
    (file,) = publish(store, TRADES, [trades(8)], ORIGIN).files
    assert names(store) == ["_manifest.json", file.name]
    assert verify(store, TRADES).rows == 8


def test_a_reader_whom_a_writer_overtakes_reads_the_new_hour(store: Store) -> None:
    class Overtaken(ObjectStore):
        def fetched(self, key: str) -> AbstractContextManager[Path]:
            publish(store, TRADES, [trades(8)], ORIGIN)  # removes the file that the manifest just read has named
            return super().fetched(key)

    publish(store, TRADES, [trades(6)], ORIGIN)
    assert read(Overtaken(store._filesystem, store._base, store.address), TRADES).num_rows == 8


def test_an_empty_hour_is_a_manifest_without_a_file(store: Store) -> None:
    publish(store, TRADES, [trades()], ORIGIN)
    publish(store, TRADES, [], ORIGIN)
    assert names(store) == ["_manifest.json"]
    assert verify(store, TRADES).rows == 0


def test_a_failing_source_leaves_what_was_published(store: Store) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield trades(2)
        raise OSError("connection lost")

    publish(store, TRADES, [trades()], ORIGIN)
    with pytest.raises(OSError, match="connection lost"):
        publish(store, TRADES, failing(), ORIGIN)
    assert verify(store, TRADES).rows == 6


def flip(content: bytes) -> bytes:
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.mark.parametrize(
    ("damage", "complaint"), [(flip, "has the sha256"), (lambda content: content[:-1], "bytes; the manifest says")]
)
def test_damage_is_found_and_named(store: Store, damage: Callable[[bytes], bytes], complaint: str) -> None:
    (file,) = publish(store, TRADES, [trades()], ORIGIN).files
    key = f"{TRADES}/{file.name}"
    overwrite(store, key, damage(store.read(key)))
    with pytest.raises(ArchiveError, match=complaint) as raised:
        verify(store, TRADES)
    assert store.shown(key) in str(raised.value)


def test_a_damaged_file_is_healed_by_building_again(store: Store) -> None:
    (file,) = publish(store, TRADES, [trades()], ORIGIN).files
    overwrite(store, f"{TRADES}/{file.name}", b"damaged")
    publish(store, TRADES, [trades()], ORIGIN)
    assert verify(store, TRADES).rows == 6


def test_what_a_killed_writer_left_goes_once_no_writer_can_be_at_it(tmp_path: Path) -> None:
    store = ObjectStore(fs.LocalFileSystem(), str(tmp_path), "test://")
    for tree in ("", "_manifests"):
        (tmp_path / tree / TRADES.path).mkdir(parents=True)
    for name, age_s in (("part-0000-old.parquet", 7200), ("part-0000-young.parquet", 0)):
        path = tmp_path / TRADES.path / name
        path.write_bytes(b"left")
        os.utime(path, (path.stat().st_mtime - age_s,) * 2)
    (file,) = publish(store, TRADES, [trades()], ORIGIN).files
    assert names(store) == sorted(["_manifest.json", file.name, "part-0000-young.parquet"])


def test_a_file_that_another_writers_manifest_lists_is_not_tidied_away(store: Store) -> None:
    (file,) = publish(store, TRADES, [trades(6)], ORIGIN).files
    overwrite(store, f"{TRADES}/{SUPERSEDED}", f'["{file.name}"]'.encode())
    store.tidy(TRADES.path, ["part-0000-mine.parquet"])
    assert verify(store, TRADES).rows == 6


def test_a_store_that_is_away_is_one_line() -> None:
    at_once = fs.AwsStandardS3RetryStrategy(max_attempts=1)
    away = fs.S3FileSystem(endpoint_override="127.0.0.1:1", scheme="http", region="x", retry_strategy=at_once)
    with pytest.raises(ArchiveError) as raised:
        list(published(ObjectStore(away, "bucket/archive", "s3://bucket/archive")))
    assert str(raised.value).startswith("the archive at s3://bucket/archive fails to list its root: ")
    assert "\n" not in str(raised.value)


def test_credentials_in_the_address_are_refused_without_being_shown() -> None:
    address = "s3://reader:swordfish@bucket/archive"
    for refusing in (lambda: store_at(address), lambda: load({"MDPLATFORM_ARCHIVE_DIR": address})):
        with pytest.raises((ArchiveError, ConfigError), match="must not contain credentials") as raised:
            refusing()
        assert "swordfish" not in str(raised.value)


@pytest.mark.parametrize("address", ["nosuch://bucket/x", "s3:///"])
def test_an_address_that_means_nothing_is_one_line(address: str) -> None:
    with pytest.raises(ArchiveError):
        store_at(address)


def test_a_file_address_is_a_directory(tmp_path: Path) -> None:
    publish(f"file://{tmp_path}", TRADES, [trades()], ORIGIN)
    assert verify(tmp_path, TRADES).rows == 6
