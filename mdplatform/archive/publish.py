"""Replace one partition of the archive, whole: the same rows give the same bytes.

A reader sees the old hour, no hour, or the new hour; never files that disagree with their manifest.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pyarrow as pa

from mdplatform.archive import manifest as manifests
from mdplatform.archive import parquet
from mdplatform.archive.contents import Contents
from mdplatform.archive.datasets import dataset_of, schema_sha256
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import FileEntry, Manifest, Origin
from mdplatform.archive.open_store import Root, store_at
from mdplatform.archive.store import Store, Written
from mdplatform.core.errors import ArchiveError


def publish(root: Root, partition: Partition, batches: Iterable[pa.RecordBatch], origin: Origin) -> Manifest:
    """Write the rows and then the manifest of ``partition``; returns the manifest.

    1. all rows into a temporary file, durable; 2. if anything differs from what is published, file and manifest take
    the place of what was there, as the store can do it best; 3. what killed writers left goes, and a manifest that an
    earlier version wrote moves.
    The offsets of ``origin`` are those that the rows state. Raises ArchiveError when the rows do not fit the dataset,
    are unsorted, doubled or of another partition; what was published before is then untouched.
    """
    store = store_at(root)
    with store.alone(partition.path) as staged:
        manifest = _stage(store, staged, partition, batches, origin)  # 1.
        if not _is_published(store, partition, manifest):  # 2.
            files = [Written(staged, file.name) for file in manifest.files]
            store.replace(partition.path, files, manifests.encode(manifest))
        store.tidy(partition.path, [file.name for file in manifest.files])  # 3.
    return manifest


def move_manifest(root: Root, partition: Partition) -> None:
    """Out of the way of those who read the partition's directory, where an earlier version wrote it; ArchiveError."""
    store = store_at(root)
    with store.alone(partition.path):
        store.tidy(partition.path, [file.name for file in manifests.read(store, partition).files])


def _stage(
    store: Store, staged: Path, partition: Partition, batches: Iterable[pa.RecordBatch], origin: Origin
) -> Manifest:
    dataset = dataset_of(partition.dataset)
    contents = Contents(dataset, partition)
    metadata = {
        "schema_version": str(manifests.SCHEMA_VERSION),
        "partition": partition.path,
        "query": origin.query,
        "code_version": origin.code_version,
    }
    rows = parquet.write(staged, dataset, contents.watch(parquet.fitted(dataset.schema, batches)), metadata)
    files = []
    if rows:
        size, digest = parquet.fingerprint(staged)
        files = [FileEntry(store.part_name(0, digest), rows, size, digest)]
    return Manifest(
        partition=partition.path,
        rows=rows,
        bytes=sum(file.bytes for file in files),
        schema_sha256=schema_sha256(dataset.schema),
        files=files,
        symbols=contents.ranges(),
        origin=msgspec.structs.replace(origin, offsets=contents.offsets()),
    )


def _is_published(store: Store, partition: Partition, manifest: Manifest) -> bool:
    """Whether exactly this is there already: then readers need not notice that it was built again."""
    try:
        if manifests.read(store, partition) != manifest:
            return False
        for file in manifest.files:
            with store.fetched(f"{partition.path}/{file.name}") as path:
                if parquet.fingerprint(path) != (file.bytes, file.sha256):
                    return False
    except (ArchiveError, FileNotFoundError):
        return False
    return True
