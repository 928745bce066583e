"""What rows say about themselves: of each symbol number, times and sequences; the offsets of their messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.archive.datasets import Dataset
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import OffsetRange, SymbolRange
from mdplatform.core.errors import ArchiveError

HOUR_NS = 3600 * 10**9


class Contents:
    """Collects the ranges while batches pass by; raises ArchiveError at a row that belongs to another partition."""

    def __init__(self, dataset: Dataset, partition: Partition) -> None:
        self._dataset = dataset
        self._partition = partition
        self._ranges: dict[str, SymbolRange] = {}
        self._offsets: dict[tuple[str, int], OffsetRange] = {}

    def watch(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches unchanged, counted on their way."""
        for batch in batches:
            if batch.num_rows:
                self._add(batch)
                if "_offset" in batch.schema.names:
                    self._add_offsets(batch)
            yield batch

    def ranges(self) -> list[SymbolRange]:
        """In order of the symbols."""
        return [self._ranges[symbol] for symbol in sorted(self._ranges)]

    def offsets(self) -> list[OffsetRange]:
        """In order of topic and partition; empty where the rows come from no message, or older files do not say."""
        return [self._offsets[key] for key in sorted(self._offsets)]

    def _add(self, batch: pa.RecordBatch) -> None:
        self._refuse_strangers(batch)
        empty = pa.nulls(batch.num_rows, pa.int64())
        sequence = self._dataset.sequence
        table = pa.table(
            {
                "symbol": batch["symbol"],
                "time": batch["timestamp"].cast(pa.timestamp("ns", "UTC")).cast(pa.int64()),
                "sequence": empty if sequence is None else batch[sequence].cast(pa.int64()),
            }
        )
        aggregates = [("time", "count"), ("time", "min"), ("time", "max"), ("sequence", "min"), ("sequence", "max")]
        for row in table.group_by("symbol", use_threads=False).aggregate(aggregates).to_pylist():
            found = SymbolRange(
                row["symbol"],
                row["time_count"],
                row["time_min"],
                row["time_max"],
                row["sequence_min"],
                row["sequence_max"],
            )
            known = self._ranges.get(found.symbol)
            self._ranges[found.symbol] = found if known is None else _joined(known, found)

    def _add_offsets(self, batch: pa.RecordBatch) -> None:
        table = pa.table({name: batch[name] for name in ("_topic", "_partition", "_offset")}).drop_null()
        aggregates = [("_offset", "min"), ("_offset", "max"), ("_offset", "count")]
        for row in table.group_by(["_topic", "_partition"], use_threads=False).aggregate(aggregates).to_pylist():
            key = (row["_topic"], row["_partition"])
            found = OffsetRange(*key, row["_offset_min"], row["_offset_max"], row["_offset_count"])
            known = self._offsets.get(key, found)
            first, last = min(known.first_offset, found.first_offset), max(known.last_offset, found.last_offset)
            rows = found.rows + (known.rows if key in self._offsets else 0)
            self._offsets[key] = OffsetRange(*key, first, last, rows)

    def _refuse_strangers(self, batch: pa.RecordBatch) -> None:
        exchanges = pc.unique(batch["exchange"]).to_pylist()
        if exchanges != [self._partition.exchange]:
            raise ArchiveError(f"rows for {self._partition} come from {exchanges}")
        times = batch["timestamp"].cast(pa.timestamp("ns", "UTC")).cast(pa.int64())
        start = int(self._partition.hour.timestamp()) * 10**9
        span = pc.min_max(times).as_py()
        if times.null_count or span["min"] < start or span["max"] >= start + HOUR_NS:
            raise ArchiveError(f"rows for {self._partition} have times outside of its hour, or none")


def _joined(a: SymbolRange, b: SymbolRange) -> SymbolRange:
    return SymbolRange(
        a.symbol,
        a.rows + b.rows,
        min(a.min_time_ns, b.min_time_ns),
        max(a.max_time_ns, b.max_time_ns),
        _least(a.min_sequence, b.min_sequence),
        None if a.max_sequence is None or b.max_sequence is None else max(a.max_sequence, b.max_sequence),
    )


def _least(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else min(a, b)
