"""verify proves a partition, and names the first thing that is not as the manifest says."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from mdplatform.archive import manifest as manifests
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Manifest
from mdplatform.archive.publish import publish
from mdplatform.archive.verify import read, verify
from mdplatform.core.errors import ArchiveError
from mdplatform_tests.archive.rows import BOOKS, HOUR, ORIGIN, TRADES, books, trades


def part(root: Path) -> Path:
    return root / TRADES.path / "part-0000.parquet"


def _write(root: Path, manifest: Manifest) -> None:
    (root / TRADES.manifest).write_bytes(manifests.encode(manifest))


def corrupt(root: Path) -> None:
    data = bytearray(part(root).read_bytes())
    data[len(data) // 2] ^= 1
    part(root).write_bytes(data)


def truncate(root: Path) -> None:
    part(root).write_bytes(part(root).read_bytes()[:-1])


def remove(root: Path) -> None:
    part(root).unlink()


def add_stranger(root: Path) -> None:
    part(root).with_name("part-0001.parquet").write_bytes(part(root).read_bytes())


def unpublish(root: Path) -> None:
    (root / TRADES.manifest).unlink()


def scribble(root: Path) -> None:
    (root / TRADES.manifest).write_text("{}")


def misplace(root: Path) -> None:
    other = manifests.read(root, TRADES)
    _write(root, msgspec.structs.replace(other, partition=BOOKS.path))


def miscount(root: Path) -> None:
    manifest = manifests.read(root, TRADES)
    _write(root, msgspec.structs.replace(manifest, rows=7))


def shift_a_range(root: Path) -> None:
    manifest = manifests.read(root, TRADES)
    ranges = [msgspec.structs.replace(manifest.symbols[0], max_time_ns=1)]
    _write(root, msgspec.structs.replace(manifest, symbols=ranges))


def shift_an_offset(root: Path) -> None:
    manifest = manifests.read(root, TRADES)
    offsets = [msgspec.structs.replace(manifest.origin.offsets[0], last_offset=99), *manifest.origin.offsets[1:]]
    _write(root, msgspec.structs.replace(manifest, origin=msgspec.structs.replace(manifest.origin, offsets=offsets)))


def swap_rows_and_resign(root: Path) -> None:
    """A file whose hash was made to fit, but whose rows are out of order."""
    pq.write_table(pq.ParquetFile(part(root)).read().take([1, 0, 2, 3, 4, 5]), part(root))
    _resign(root)


def other_types_and_resign(root: Path) -> None:
    pq.write_table(pq.ParquetFile(part(root)).read().drop_columns(["side"]), part(root))
    _resign(root)


def _resign(root: Path) -> None:
    from mdplatform.archive.parquet import fingerprint

    size, digest = fingerprint(part(root))
    manifest = manifests.read(root, TRADES)
    files = [msgspec.structs.replace(manifest.files[0], bytes=size, sha256=digest)]
    _write(root, msgspec.structs.replace(manifest, files=files, bytes=size))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (corrupt, "sha256"),
        (truncate, "bytes; the manifest says"),
        (remove, "is missing"),
        (add_stranger, "is not in the manifest"),
        (unpublish, "is not published"),
        (scribble, "is not a manifest"),
        (misplace, "describes books"),
        (miscount, "not the sums"),
        (shift_a_range, "times or sequences"),
        (shift_an_offset, "offsets are not those"),
        (swap_rows_and_resign, "row 1 does not follow"),
        (other_types_and_resign, "other columns or types"),
    ],
)
def test_damage_is_found_and_named(tmp_path: Path, damage: Callable[[Path], None], complaint: str) -> None:
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    damage(tmp_path)
    with pytest.raises(ArchiveError, match=complaint):
        verify(tmp_path, TRADES)


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    publish(tmp_path, BOOKS, [books()], ORIGIN)
    assert read(tmp_path, BOOKS).to_batches() == [books()]


def test_a_partition_and_its_path_are_one(tmp_path: Path) -> None:
    assert Partition.parse(TRADES.path) == TRADES


@pytest.mark.parametrize(
    "make",
    [
        lambda: Partition("trades", "../etc", HOUR),
        lambda: Partition("trades", "binance", HOUR.replace(minute=1)),
        lambda: Partition("trades", "binance", datetime(2024, 8, 8, 10)),
        lambda: Partition.parse("trades/exchange=binance/date=2024-08-08"),
        lambda: Partition.parse("trades/exchange=binance/date=2024-02-31/hour=01"),
    ],
    ids=["exchange", "minute", "naive", "short", "no such day"],
)
def test_what_is_not_a_partition_is_refused(make: Callable[[], Partition]) -> None:
    with pytest.raises(ArchiveError):
        make()


def test_a_half_hour_zone_names_the_utc_hour() -> None:
    assert Partition("trades", "okx", datetime(2024, 8, 8, 12, tzinfo=UTC)).path.endswith("hour=12")
