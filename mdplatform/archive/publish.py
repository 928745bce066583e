"""Replace one partition of the archive, whole: the same rows give the same bytes.

A reader sees the old hour, no hour, or the new hour; never files that disagree with their manifest.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from mdplatform.archive import manifest as manifests
from mdplatform.archive import parquet
from mdplatform.archive.contents import Contents
from mdplatform.archive.datasets import Dataset, dataset_of
from mdplatform.archive.layout import Partition, part_name
from mdplatform.archive.manifest import FileEntry, Manifest, Origin, sync_directory
from mdplatform.errors import ArchiveError


def publish(root: Path, partition: Partition, batches: Iterable[pa.RecordBatch], origin: Origin) -> Manifest:
    """Write the rows and then the manifest of ``partition``; returns the manifest.

    1. all rows into a temporary file beside the final one, durable;
    2. if anything differs from what is published: the old manifest goes, so the hour is not there for readers;
    3. the file takes its name, leftovers go;
    4. the new manifest appears.
    Raises ArchiveError when the rows do not fit the dataset, are unsorted, doubled or of another partition; what was
    published before is then untouched.
    """
    dataset = dataset_of(partition.dataset)
    directory = partition.directory(root)
    directory.mkdir(parents=True, exist_ok=True)
    with _alone(directory):
        staged, manifest = _stage(directory, dataset, partition, batches, origin)
        try:
            if not _is_published(root, partition, manifest):
                partition.manifest(root).unlink(missing_ok=True)
                sync_directory(directory)
                _take_names(directory, staged, manifest.files)
                manifests.write(root, partition, manifest)
        finally:
            staged.unlink(missing_ok=True)
    return manifest


def _stage(
    directory: Path, dataset: Dataset, partition: Partition, batches: Iterable[pa.RecordBatch], origin: Origin
) -> tuple[Path, Manifest]:
    """Step 1. The staged file exists even when there are no rows; the manifest then lists no file."""
    contents = Contents(dataset, partition)
    metadata = {
        "schema_version": str(manifests.SCHEMA_VERSION),
        "partition": partition.path,
        "query": origin.query,
        "code_version": origin.code_version,
    }
    handle, name = tempfile.mkstemp(dir=directory, prefix=".part-")
    os.fchmod(handle, 0o644)
    os.close(handle)
    staged = Path(name)
    try:
        watched = contents.watch(parquet.fitted(dataset.schema, batches))
        entry = parquet.write(
            staged, dataset.schema, watched, name=part_name(0), sorted_by=dataset.sorted_by, metadata=metadata
        )
    except BaseException:
        staged.unlink()
        raise
    files = [entry] if entry.rows else []
    size = sum(file.bytes for file in files)
    return staged, Manifest(
        partition=partition.path, rows=entry.rows, bytes=size, files=files, symbols=contents.ranges(), origin=origin
    )


def _is_published(root: Path, partition: Partition, manifest: Manifest) -> bool:
    """Whether exactly this is there already: then readers need not notice that it was built again."""
    try:
        if manifests.read(root, partition) != manifest:
            return False
    except ArchiveError:
        return False
    directory = partition.directory(root)
    return all(
        (directory / file.name).is_file() and parquet.fingerprint(directory / file.name) == (file.bytes, file.sha256)
        for file in manifest.files
    )


def _take_names(directory: Path, staged: Path, files: list[FileEntry]) -> None:
    """Step 3. Temporary files of a writer that was killed go too: nobody else can be writing here now."""
    for file in files:
        os.replace(staged, directory / file.name)
    names = {file.name for file in files}
    for path in directory.iterdir():
        if path.name not in names and path.name.startswith(("part-", ".part-", ".manifest-")):
            path.unlink()


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Only one writer a partition: a second one waits until the first is done (or dead)."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
