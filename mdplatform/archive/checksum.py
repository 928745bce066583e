"""The number that a file and the warehouse must agree on: computed here as sql/queries/fingerprint_*.sql do there.

Per row the bits of all its prices and sizes, combined by exclusive or, times (2 * sequence + 1); summed modulo 2^64.
It does not depend on the order of rows.
"""

from __future__ import annotations

import zlib

import numpy as np
import pyarrow as pa

Bits = np.ndarray[tuple[int], np.dtype[np.uint64]]


def checksum(batch: pa.RecordBatch, columns: tuple[str, ...], sequence: str | None) -> int:
    """Over one batch; those of a file add up modulo 2^64. The CRC-32 of ``id`` stands in for a missing ``sequence``."""
    bits: Bits = np.zeros(batch.num_rows, np.uint64)
    for name in columns:
        bits ^= _bits(batch[name])
    if sequence is None:
        numbers = np.fromiter((zlib.crc32(value.encode()) for value in batch["id"].to_pylist()), np.uint64)
    else:
        numbers = batch[sequence].to_numpy().astype(np.uint64)
    with np.errstate(over="ignore"):
        return int(np.sum((2 * numbers + 1) * bits, dtype=np.uint64))


def _bits(column: pa.Array) -> Bits:
    """Of numbers: their bits; of lists of numbers: the exclusive or of each list's."""
    if not pa.types.is_list(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False)).view(np.uint64)
    offsets = column.offsets.to_numpy()
    # Each list starts with a zero, so that reduceat meets no empty one, for which it would give the next element.
    values = column.values.to_numpy(zero_copy_only=False).view(np.uint64)
    padded = np.insert(values[offsets[0] : offsets[-1]], offsets[:-1] - offsets[0], 0)
    starts = offsets[:-1] - offsets[0] + np.arange(len(offsets) - 1)
    return np.bitwise_xor.reduceat(padded, starts) if len(starts) else np.zeros(0, np.uint64)
