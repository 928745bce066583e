"""Where an export takes its rows from: ClickHouse or an archive, by receive time, the same from both."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.archive import manifest
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition, is_published
from mdplatform.archive.store import Store
from mdplatform.core.errors import ArchiveError
from mdplatform.core.settings import Settings
from mdplatform.read import changes, from_archive, from_clickhouse
from mdplatform.read.changes import SKEW, Asked, Change, Kept, Level, hours_of, in_chain, ns_of
from mdplatform.read.request import HOUR, Wanted
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect_reader


@dataclass(frozen=True)
class Piece:
    """What becomes one file: rows of one dataset and symbol that were received in [start, end), a day at most."""

    dataset: str
    venue: str
    symbol: str
    start: datetime
    end: datetime
    whole_start: datetime  # of the export that it is part of
    whole_end: datetime

    @property
    def day(self) -> str:
        return f"{self.start:%Y-%m-%d}"


@dataclass(frozen=True)
class Source:
    """``archive`` None: ClickHouse. ``partial``: hours that the archive lacks are passed over."""

    settings: Settings
    archive: Store | None = None
    partial: bool = False

    def rows(self, piece: Piece, dataset: str = "", *, partial: bool = False) -> pa.Table:
        """In the columns of the dataset, by receive time; raises WarehouseError, ArchiveError.

        ``partial``: what an archive lacks is no error.
        """
        name = dataset or piece.dataset
        if not partial:
            self._refuse_lacking(piece, name)
        # An hour a question: a reader's answers are bounded in rows and time.
        hours = [self._received(piece, name, start, end) for start, end in hours_of(piece.start, piece.end)]
        return pa.concat_tables([DATASETS[name].schema.empty_table(), *hours]).combine_chunks()

    def _received(self, piece: Piece, dataset: str, start: datetime, end: datetime) -> pa.Table:
        wanted = Wanted.of(dataset, piece.venue, piece.symbol, start - SKEW, end + SKEW)
        if self.archive is None:
            pieces = from_clickhouse.pieces(self.settings, wanted)
        else:
            pieces = from_archive.pieces(self.archive, wanted, partial=True)
        table = pa.concat_tables([wanted.dataset.schema.empty_table(), *(table for _, table in pieces)])
        received = table["received_time"].cast(pa.int64())
        inside = pc.and_(pc.greater_equal(received, ns_of(start)), pc.less(received, ns_of(end)))
        order = [("received_time", "ascending"), *((column, "ascending") for column in wanted.dataset.sorted_by)]
        return table.filter(inside).sort_by(order)

    def symbols(self, dataset: str, venue: str, start: datetime, end: datetime) -> list[str]:
        """Those with rows in these hours, sorted; raises WarehouseError, ArchiveError."""
        wanted = Wanted.of(dataset, venue, (), start, end)
        if self.archive is None:
            span = {
                "start": f"{wanted.hours[0]:%Y-%m-%d %H:%M:%S}",
                "end": f"{wanted.hours[-1] + HOUR:%Y-%m-%d %H:%M:%S}",
            }
            with connect_reader(self.settings) as client:
                rows = queries.run(client, "dataset_symbols", table=wanted.dataset.table, exchange=venue, **span)
            return [row["symbol"] for row in rows]
        found = set()
        for each in (Partition(dataset, venue, hour) for hour in wanted.hours):
            if is_published(self.archive, each):
                found |= {entry.symbol for entry in manifest.read(self.archive, each).symbols}
        return sorted(found)

    def changes(self, piece: Piece, kept: Kept = "increments") -> Iterator[Change]:
        """Each change once, in order; before them the book as it was known at the start, as a snapshot."""
        asked, start_ns = Asked(piece.venue, piece.symbol, piece.start, piece.end), ns_of(piece.start)
        if self.archive is None:
            found = changes.from_clickhouse(self.settings, asked, kept)
        else:
            self._refuse_lacking(piece, "increments" if kept == "increments" else "books")
            found = changes.from_archive(self.archive, asked, kept)
        book = Ladder()
        has_begun = False
        for change in in_chain(found) if kept == "increments" else found:
            if not has_begun and change.received_ns >= start_ns:
                has_begun = True
                yield from book.snapshot(start_ns)
            if has_begun:
                yield change
            else:
                book.apply(change)
        if not has_begun:
            yield from book.snapshot(start_ns)

    def _refuse_lacking(self, piece: Piece, dataset: str) -> None:
        """Rows that are not there must not look as if there had been none."""
        if self.archive is None or self.partial:
            return
        hours = Wanted.of(dataset, piece.venue, piece.symbol, piece.start, piece.end).hours
        partitions = [Partition(dataset, piece.venue, hour) for hour in hours]
        lacking = [each for each in partitions if not is_published(self.archive, each)]
        if lacking:
            raise ArchiveError(
                f"the archive at {self.archive} lacks {len(lacking)} of {len(hours)} hours: {lacking[0]}"
                f"{' and later ones' if lacking[1:] else ''}; --partial exports what is there"
            )


class Ladder:
    """The levels of a book whose changes come in order, each once; prices kept sorted, as each change is looked at."""

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.last: Change | None = None
        self._bid_prices: list[float] = []  # rising, as are those of the asks
        self._ask_prices: list[float] = []

    def apply(self, change: Change) -> None:
        if change.kind == "snapshot":
            self.bids, self.asks = ({}, {})
            self._bid_prices, self._ask_prices = ([], [])
        _apply(self.bids, self._bid_prices, change.b, change.bv)
        _apply(self.asks, self._ask_prices, change.a, change.av)
        self.last = change

    def best(self, depth: int) -> tuple[list[Level], list[Level]]:
        """The best levels of each side, best first."""
        bids = [(price, self.bids[price]) for price in self._bid_prices[-1 : -depth - 1 : -1]]
        return bids, [(price, self.asks[price]) for price in self._ask_prices[:depth]]

    def snapshot(self, received_ns: int) -> Iterator[Change]:
        """All of it as one change, best first; none before there was a book."""
        if self.last is not None:
            bids, asks = self.best(max(len(self.bids), len(self.asks)))
            yield self.last._replace(
                kind="snapshot",
                b=[price for price, _ in bids],
                bv=[size for _, size in bids],
                a=[price for price, _ in asks],
                av=[size for _, size in asks],
                first_sequence=None,
                previous_sequence=None,
                received_ns=received_ns,
            )


def _apply(side: dict[float, float], rising: list[float], prices: list[float], sizes: list[float]) -> None:
    for price, size in zip(prices, sizes, strict=True):
        if size:
            if price not in side:
                insort(rising, price)
            side[price] = size
        elif side.pop(price, None) is not None:
            del rising[bisect_left(rising, price)]


def days(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) cut at midnights, UTC."""
    while start < end:
        until = min(start.replace(hour=0, minute=0, second=0, microsecond=0) + 24 * HOUR, end)
        yield start, until
        start = until


def records(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Its rows, venue and receive time in ns."""
    for name in ("venue_time", "received_time"):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.int64()))
    for batch in table.to_batches(max_chunksize=10_000):
        yield from batch.to_pylist()
