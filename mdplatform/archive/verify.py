"""Read a partition as its manifest says, or prove that the manifest is true."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mdplatform.archive import manifest as manifests
from mdplatform.archive import parquet
from mdplatform.archive.contents import Contents
from mdplatform.archive.datasets import Dataset, dataset_of
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import FileEntry, Manifest
from mdplatform.errors import ArchiveError


def read(root: Path, partition: Partition) -> pa.Table:
    """The rows of the partition; raises ArchiveError when it is not published. Trusts the manifest, see verify."""
    schema = dataset_of(partition.dataset).schema
    files = manifests.read(root, partition).files
    directory = partition.directory(root)
    tables = [_open(directory / file.name).read() for file in files]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def batches(root: Path, partition: Partition) -> Iterator[pa.RecordBatch]:
    """The same rows piece by piece: an hour may be larger than memory."""
    for file in manifests.read(root, partition).files:
        yield from _open(partition.directory(root) / file.name).iter_batches(parquet.ROW_GROUP)


def verify(root: Path, partition: Partition) -> Manifest:
    """The manifest, once every byte and row has been read again and agrees with it; raises ArchiveError.

    Proves: the files are those listed and no more, with their sizes and sha256; rows fit the dataset, in strict
    order, of this exchange and hour; numbers, times and sequences are those that the manifest states.
    """
    manifest = manifests.read(root, partition)
    dataset = dataset_of(partition.dataset)
    directory = partition.directory(root)
    _refuse_strangers(directory, manifest)
    contents = Contents(dataset, partition)
    for file in manifest.files:
        _refuse_other_bytes(directory, file)
        for _ in contents.watch(_batches(directory / file.name, dataset, file)):
            pass
    if contents.ranges() != manifest.symbols:
        raise ArchiveError(f"{directory}: the rows' times or sequences are not those of the manifest")
    totals = (sum(file.rows for file in manifest.files), sum(file.bytes for file in manifest.files))
    if totals != (manifest.rows, manifest.bytes):
        raise ArchiveError(f"{directory}: the manifest's totals are not the sums of its files")
    return manifest


def _refuse_strangers(directory: Path, manifest: Manifest) -> None:
    """A file that the manifest does not list would be read by whoever globs."""
    listed = {file.name for file in manifest.files}
    for path in sorted(directory.glob("*.parquet")):
        if path.name not in listed:
            raise ArchiveError(f"{path} is not in the manifest")


def _refuse_other_bytes(directory: Path, file: FileEntry) -> None:
    path = directory / file.name
    try:
        size, digest = parquet.fingerprint(path)
    except FileNotFoundError:
        raise ArchiveError(f"{path} is missing") from None
    if (size, digest) != (file.bytes, file.sha256):
        raise ArchiveError(
            f"{path} has {size} bytes, sha256 {digest[:12]}...; the manifest says {file.bytes}, {file.sha256[:12]}..."
        )


def _batches(path: Path, dataset: Dataset, file: FileEntry) -> Iterator[pa.RecordBatch]:
    """Every row of a file, its order and number proven on the way."""
    opened = _open(path)
    if not opened.schema_arrow.equals(dataset.schema):
        raise ArchiveError(f"{path} has other columns or types than {dataset.name}")
    rows, last = 0, dataset.schema.empty_table()
    for group in parquet.row_groups(opened.iter_batches(parquet.ROW_GROUP)):
        parquet.refuse_disorder(pa.concat_tables([last, group]), dataset.sorted_by, rows - last.num_rows)
        rows, last = rows + group.num_rows, group.slice(group.num_rows - 1)
        yield from group.to_batches()
    if rows != file.rows:
        raise ArchiveError(f"{path} has {rows} rows, the manifest says {file.rows}")


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise ArchiveError(f"{path} cannot be read as Parquet: {error}") from None
