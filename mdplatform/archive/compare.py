"""A published partition beside the warehouse: compared with its rows of the hour, and as rows of its tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from mdplatform.archive.checksum import checksum
from mdplatform.archive.datasets import Dataset, dataset_of
from mdplatform.archive.layout import Partition
from mdplatform.archive.open_store import Root
from mdplatform.archive.verify import batches, verify
from mdplatform.core.errors import ArchiveError


def fingerprint(root: Root, partition: Partition) -> dict[str, int | None]:
    """Rows, least and greatest sequence and checksum of a partition that proves itself; raises ArchiveError."""
    dataset = dataset_of(partition.dataset)
    manifest = verify(root, partition)
    total = sum(checksum(b, dataset) for b in batches(root, partition))
    lowest = [s.min_sequence for s in manifest.symbols if s.min_sequence is not None]
    highest = [s.max_sequence for s in manifest.symbols if s.max_sequence is not None]
    return {
        "rows": manifest.rows,
        "min_sequence": min(lowest, default=None),
        "max_sequence": max(highest, default=None),
        "checksum": total % 2**64,
    }


def refuse_difference(root: Root, partition: Partition, expected: Mapping[str, Any]) -> None:
    """Raises ArchiveError saying in what the files differ from ``expected``, an answer of a fingerprint query."""
    found = fingerprint(root, partition)
    for name, value in found.items():
        # Of no rows, the least sequence is nothing here and 0 there.
        if value != expected[name] and not (found["rows"] == expected["rows"] == 0):
            raise ArchiveError(f"{partition}: {name} is {value} in the files and {expected[name]} in the warehouse")


def stored_batches(root: Root, partition: Partition) -> Iterator[pa.Table]:
    """The rows of a published partition, piece by piece, in columns of the table ``dataset.stored_in``."""
    dataset = dataset_of(partition.dataset)
    for batch in batches(root, partition):
        yield as_stored(dataset, batch)


def as_stored(dataset: Dataset, batch: pa.RecordBatch) -> pa.Table:
    """The same rows in columns of the warehouse. What is null there for want of certainty gets the table's default."""
    columns = {dataset.renamed.get(name, name): batch[name] for name in batch.schema.names}
    for name in dataset.not_stored:
        del columns[name]
    for name, source in dataset.stored_in_ns.items():
        columns[name] = batch[source].cast(pa.int64())
    return pa.table(columns)
