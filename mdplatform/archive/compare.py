"""A published partition against what the warehouse says of the same hour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mdplatform.archive.checksum import checksum
from mdplatform.archive.datasets import dataset_of
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
