"""Read a partition as its manifest says, or prove that the manifest is true."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mdplatform.archive import manifest as manifests
from mdplatform.archive import parquet
from mdplatform.archive.contents import Contents
from mdplatform.archive.datasets import Dataset, dataset_of, schema_sha256
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import FileEntry, Manifest
from mdplatform.archive.open_store import Root, store_at
from mdplatform.archive.store import Store
from mdplatform.core.errors import ArchiveError


def read(root: Root, partition: Partition) -> pa.Table:
    """The rows of the partition; raises ArchiveError when it is not published. Trusts the manifest, see verify."""
    return pa.Table.from_batches(batches(root, partition), dataset_of(partition.dataset).schema)


def batches(root: Root, partition: Partition) -> Iterator[pa.RecordBatch]:
    """The same rows piece by piece: an hour may be larger than memory. Columns of today that a file lacks are null."""
    store, schema = store_at(root), dataset_of(partition.dataset).schema
    with ExitStack() as fetched:
        for file, path in _current(store, partition, fetched):
            for batch in _open(store, partition, file, path).iter_batches(parquet.ROW_GROUP):
                lacking = [pa.nulls(batch.num_rows, field.type) for field in list(schema)[batch.num_columns :]]
                yield pa.record_batch([*batch.columns, *lacking], schema=schema)


def _current(store: Store, partition: Partition, fetched: ExitStack) -> list[tuple[FileEntry, Path]]:
    """The files of the manifest on this machine: of the next one, when a writer came between it and them."""
    manifest = manifests.read(store, partition)
    while True:
        try:
            return [(file, fetched.enter_context(_file(store, partition, file))) for file in manifest.files]
        except ArchiveError:
            before, manifest = manifest, manifests.read(store, partition)
            if manifest == before:
                raise


def verify(root: Root, partition: Partition) -> Manifest:
    """The manifest, once every byte and row has been read again and agrees with it; raises ArchiveError.

    Proves: the files are those listed and no more, with their sizes and sha256; rows fit the dataset, in strict
    order, of this exchange and hour; numbers, times, sequences and offsets are those that the manifest states.
    """
    store = store_at(root)
    manifest = manifests.read(store, partition)
    _refuse_strangers(store, partition, manifest)
    contents = Contents(dataset_of(partition.dataset), partition)
    for file in manifest.files:
        with _file(store, partition, file) as path:
            _refuse_other_bytes(store.shown(f"{partition}/{file.name}"), path, file)
            for _ in contents.watch(_proven(store, partition, file, path, manifest)):
                pass
    where = store.shown(partition.path)
    if contents.ranges() != manifest.symbols:
        raise ArchiveError(f"{where}: the rows' times or sequences are not those of the manifest")
    if contents.offsets() != manifest.origin.offsets:
        raise ArchiveError(f"{where}: the rows' offsets are not those of the manifest")
    totals = (sum(file.rows for file in manifest.files), sum(file.bytes for file in manifest.files))
    if totals != (manifest.rows, manifest.bytes):
        raise ArchiveError(f"{where}: the manifest's totals are not the sums of its files")
    return manifest


def _refuse_strangers(store: Store, partition: Partition, manifest: Manifest) -> None:
    """A file that the manifest does not list would be read by whoever lists the directory."""
    listed = {f"{partition}/{file.name}" for file in manifest.files}
    for key in sorted(store.keys(partition.path)):
        if key.endswith(".parquet") and key not in listed:
            raise ArchiveError(f"{store.shown(key)} is not in the manifest")


def _refuse_other_bytes(shown: str, path: Path, file: FileEntry) -> None:
    size, digest = parquet.fingerprint(path)
    if size != file.bytes:
        raise ArchiveError(f"{shown} has {size} bytes; the manifest says {file.bytes}")
    if digest != file.sha256:
        raise ArchiveError(f"{shown} has the sha256 {digest[:12]}...; the manifest says {file.sha256[:12]}...")


def _proven(
    store: Store, partition: Partition, file: FileEntry, path: Path, manifest: Manifest
) -> Iterator[pa.RecordBatch]:
    """Every row of a file, its columns, order and number proven on the way."""
    dataset, shown = dataset_of(partition.dataset), store.shown(f"{partition}/{file.name}")
    opened = _open(store, partition, file, path)
    if schema_sha256(opened.schema_arrow) != manifest.schema_sha256 or not _is_leading(opened.schema_arrow, dataset):
        raise ArchiveError(f"{shown} has other columns or types than {dataset.name}")
    rows, last = 0, opened.schema_arrow.empty_table()
    for group in parquet.row_groups(opened.iter_batches(parquet.ROW_GROUP)):
        parquet.refuse_disorder(pa.concat_tables([last, group]), dataset.sorted_by, rows - last.num_rows)
        rows, last = rows + group.num_rows, group.slice(group.num_rows - 1)
        yield from group.to_batches()
    if rows != file.rows:
        raise ArchiveError(f"{shown} has {rows} rows, the manifest says {file.rows}")


def _is_leading(found: pa.Schema, dataset: Dataset) -> bool:
    """Whether these are the dataset's first columns: a file that was written before some were added is as good."""
    return bool(found.equals(pa.schema(list(dataset.schema)[: len(found)])))


@contextmanager
def _file(store: Store, partition: Partition, file: FileEntry) -> Iterator[Path]:
    key = f"{partition}/{file.name}"
    try:
        with store.fetched(key) as path:
            yield path
    except FileNotFoundError:
        raise ArchiveError(f"{store.shown(key)} is missing") from None


def _open(store: Store, partition: Partition, file: FileEntry, path: Path) -> pq.ParquetFile:
    try:
        # Buffered ahead it would be in memory whole.
        return pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise ArchiveError(f"{store.shown(f'{partition}/{file.name}')} cannot be read as Parquet: {error}") from None
