"""Rows of the archive as the warehouse stores them."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from mdplatform.archive.datasets import Dataset, dataset_of
from mdplatform.archive.layout import Partition
from mdplatform.archive.open_store import Root
from mdplatform.archive.verify import batches


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
