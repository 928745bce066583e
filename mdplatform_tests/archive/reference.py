"""The checksum of an archive's rows once more, row by row and without any library, to compare with."""

from __future__ import annotations

import struct
import zlib

import pyarrow as pa

from mdplatform.archive.datasets import Dataset


def summed(dataset: Dataset, rows: pa.Table | pa.RecordBatch) -> int:
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    for at, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):  # Python's datetime knows no ns
            nanoseconds = table[field.name].cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
            table = table.set_column(at, field.name, nanoseconds)
    total = 0
    for row in table.to_pylist():
        checked = sum((2 * k + 1) * bits(row[name]) for k, name in enumerate(dataset.checked))
        total += (2 * bits(row[dataset.weight]) + 1) * checked
    return total % 2**64


def bits(value: object) -> int:
    match value:
        case None:
            return 2**64 - 1
        case float():
            return int.from_bytes(struct.pack("<d", value), "little")
        case int():
            return value
        case str():
            return zlib.crc32(value.encode())
        case list():
            return sum((2 * i + 1) * bits(item) for i, item in enumerate(value, 1))
    raise TypeError(value)
