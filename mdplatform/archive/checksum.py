"""The number that a file and the warehouse must agree on: computed here as the statement ``fingerprint`` does there.

All arithmetic is modulo 2^64. A number is the bits of its float, an integer itself, a time its ns since the epoch, a
text its CRC-32, a null all ones. A list is the sum of its numbers times 3, 5, 7 ... A row is the sum of its checked
columns times 1, 3, 5 ..., all times (2 * weight + 1). The checksum is the sum of the rows: their order does not matter.
"""

from __future__ import annotations

import zlib

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.archive.datasets import Dataset

NOTHING = 2**64 - 1  # for a null


def checksum(batch: pa.RecordBatch, dataset: Dataset) -> int:
    """Over one batch; those of a file add up modulo 2^64."""
    if not batch.num_rows:
        return 0
    rows = pa.repeat(_number(0), batch.num_rows)
    for position, name in enumerate(dataset.checked):
        rows = pc.add(rows, pc.multiply(_number(2 * position + 1), _bits(batch[name])))
    weights = pc.add(pc.multiply(_number(2), _bits(batch[dataset.weight])), _number(1))
    return int(pc.sum(pc.multiply(weights, rows)).as_py())


def _number(value: int) -> pa.Scalar:
    return pa.scalar(value, pa.uint64())


def _bits(column: pa.Array) -> pa.Array:
    """Of each row, as uint64: Arrow's unchecked arithmetic on them is modulo 2^64."""
    if pa.types.is_list(column.type):
        return _of_lists(column)
    if pa.types.is_string(column.type):
        words = column.dictionary_encode()
        crc = pa.array([zlib.crc32(word.encode()) for word in words.dictionary.to_pylist()], pa.uint64())
        return pc.fill_null(crc.take(words.indices), _number(NOTHING))
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", "UTC"))
    return pc.fill_null(column.view(pa.uint64()), _number(NOTHING))


def _of_lists(column: pa.Array) -> pa.Array:
    """A sum a list; an empty one is 0."""
    numbers = column.flatten().view(pa.uint64())
    lengths = pc.list_value_length(column)
    ends = pc.cumulative_sum(lengths.cast(pa.int64()))
    starts = pc.subtract(ends, lengths)
    places = pc.subtract(pa.arange(0, len(numbers)), starts.take(pc.list_parent_indices(column)))
    factors = pc.add(pc.multiply(places, 2), 3).cast(pa.uint64())
    # The sum up to each list's end less the one up to its begin: a list may be empty.
    sums = pa.concat_arrays([pa.array([0], pa.uint64()), pc.cumulative_sum(pc.multiply(factors, numbers))])
    return pc.subtract(sums.take(ends), sums.take(starts))
