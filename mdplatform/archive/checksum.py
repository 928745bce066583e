"""The number that a file and the warehouse must agree on: computed here as the statement ``fingerprint`` does there.

All arithmetic is modulo 2^64. A number is the bits of its float, an integer itself, a time its ns since the epoch, a
text its CRC-32, a null all ones. A list is the sum of its numbers times 3, 5, 7 ... A row is the sum of its checked
columns times 1, 3, 5 ..., all times (2 * weight + 1). The checksum is the sum of the rows: their order does not matter.
"""

from __future__ import annotations

import zlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.archive.datasets import Dataset

Bits = np.ndarray[tuple[int], np.dtype[np.uint64]]
NOTHING = np.uint64(2**64 - 1)


def checksum(batch: pa.RecordBatch, dataset: Dataset) -> int:
    """Over one batch; those of a file add up modulo 2^64."""
    rows: Bits = np.zeros(batch.num_rows, np.uint64)
    with np.errstate(over="ignore"):
        for position, name in enumerate(dataset.checked):
            rows += np.uint64(2 * position + 1) * _bits(batch[name])
        return int(np.sum((np.uint64(2) * _bits(batch[dataset.weight]) + np.uint64(1)) * rows, dtype=np.uint64))


def _bits(column: pa.Array) -> Bits:
    if pa.types.is_list(column.type):
        return _of_lists(column)
    if pa.types.is_string(column.type):
        words = column.dictionary_encode()
        crc = np.array([*(zlib.crc32(word.encode()) for word in words.dictionary.to_pylist()), NOTHING], np.uint64)
        found: Bits = crc[pc.fill_null(words.indices, len(words.dictionary)).to_numpy()]
        return found
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
    bits: Bits = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).view(np.uint64).copy()
    if column.null_count:
        bits[column.is_null().to_numpy(zero_copy_only=False)] = NOTHING
    return bits


def _of_lists(column: pa.Array) -> Bits:
    offsets = column.offsets.to_numpy().astype(np.int64)
    numbers = column.values.to_numpy(zero_copy_only=False).view(np.uint64)[offsets[0] : offsets[-1]]
    starts = offsets[:-1] - offsets[0]
    places = np.arange(len(numbers), dtype=np.int64) - np.repeat(starts, np.diff(offsets))
    # The sum up to each list's end less the one up to its begin: a list may be empty.
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((2 * places + 3).astype(np.uint64) * numbers)])
    totals: Bits = sums[offsets[1:] - offsets[0]] - sums[starts]
    return totals
