"""Where Bybit publishes its past, and how its files read: https://www.bybit.com/derivatives/en/history-data.

Trades of contracts: a gzipped CSV for each symbol and day, time in seconds with a fraction; their ids are those of the
live trades. Files of spot number trades from 1 each day, so that these would count twice beside live ones: not taken.
Books: a zip for each symbol and day, with a frame of the socket a line, of 500 levels or, later, of 200. There are no
checksums: gzip and zip prove their own content, a book that each update follows the one before.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace
from pyarrow import csv

from mdplatform.core.errors import ArchiveError
from mdplatform.core.events import BookChange
from mdplatform.core.symbols import Instrument
from mdplatform.history.files import Kind, PublishedFile
from mdplatform.history.frames import changes
from mdplatform.history.publisher import Note, Publisher, told, whose

EXCHANGE = "bybit"
TRADES_URL = "https://public.bybit.com"
BOOKS_URL = "https://quote-saver.bycsi.com"
BOOKS: tuple[Kind, ...] = ("ob500", "ob200")  # whichever there is, the deeper first
BLOCK_BYTES = 16 << 20
CHANGES_A_BATCH = 2_000
TYPES = {
    "timestamp": pa.float64(),  # seconds; to a fraction of a us, which is finer than what is stated
    "side": pa.string(),
    "size": pa.float64(),
    "price": pa.float64(),
    "trdMatchID": pa.string(),
}
MS, NS = pa.timestamp("ms", "UTC"), pa.timestamp("ns", "UTC")


def category(symbol: str) -> Literal["linear", "spot", "inverse"]:
    """The venue's word for what the canonical ``symbol`` is."""
    base_quote = symbol.split("-")
    if len(base_quote) == 2:
        return "spot"
    return "inverse" if base_quote[1] == "USD" else "linear"


class Bybit(Publisher):
    def kinds(self, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
        listed = category(symbol)
        if kind is None and listed == "linear":  # of spot the ids are others
            return ("trades",)
        return BOOKS if kind == "ob500" and listed != "inverse" else ()  # its sizes are not in base units

    def base_url(self, kind: Kind) -> str:
        return BOOKS_URL if kind in BOOKS else TRADES_URL

    def path(self, file: PublishedFile) -> str:
        if file.kind in BOOKS:
            name = f"{file.period}_{file.venue_symbol}_{file.kind}.data.zip"
            return f"orderbook/{category(file.symbol)}/{file.venue_symbol}/{name}"
        return f"trading/{file.venue_symbol}/{file.venue_symbol}{file.period}.csv.gz"

    def rows(
        self, paths: Sequence[Path], file: PublishedFile, instrument: Instrument, as_trades: bool, note: Note
    ) -> Iterator[pa.Table]:
        name = self.path(file)
        return books(paths[0], name, instrument) if file.kind in BOOKS else trades(paths[0], name, instrument.symbol)


def trades(path: Path, name: str, symbol: str) -> Iterator[pa.Table]:
    """The rows of the file at ``path`` in the columns of md_trades; raises ArchiveError, also in the middle."""
    options = csv.ConvertOptions(column_types=TYPES, include_columns=list(TYPES), strings_can_be_null=False)
    with told(name), gzip.open(path) as file:
        # One thread: the engine beside it has work too.
        read = csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
        for batch in csv.open_csv(file, read_options=read, convert_options=options):
            if batch.num_rows:
                yield whose(EXCHANGE, symbol, _trades(batch, name))


def books(path: Path, name: str, instrument: Instrument) -> Iterator[pa.Table]:
    """The changes of the book in the zip at ``path``, in the columns of md_book_increments; raises ArchiveError."""
    listed = replace(instrument, category=category(instrument.symbol))
    with told(name), zipfile.ZipFile(path) as archive:
        inside = archive.namelist()
        if len(inside) != 1:
            raise ArchiveError(f"{name} holds {len(inside)} files, not one")
        with archive.open(inside[0]) as file:
            rows = changes((line for line in file if line.strip()), listed, name)
            while batch := list(islice(rows, CHANGES_A_BATCH)):
                yield whose(EXCHANGE, instrument.symbol, _changes(batch))


def _trades(batch: pa.RecordBatch, name: str) -> dict[str, pa.Array]:
    at = pc.multiply(pc.round(pc.multiply(batch["timestamp"], 1e6)).cast(pa.int64()), 1000)
    sides = pc.index_in(batch["side"], pa.array(["Buy", "Sell"]))
    if sides.null_count:
        raise ArchiveError(f"{name} has a side that is neither Buy nor Sell")
    return {
        "id": batch["trdMatchID"],
        "price": batch["price"],
        "qty": batch["size"],
        "side": pc.if_else(pc.equal(sides, 0), "buy", "sell"),  # the taker's, as the venue states it
        "timestamp": pc.divide(at, 1_000_000).cast(MS),
        "venue_time": at.cast(NS),
    }


def _changes(batch: list[BookChange]) -> dict[str, pa.Array]:
    sides = {"b": "bid_prices", "bv": "bid_sizes", "a": "ask_prices", "av": "ask_sizes"}
    return {
        "kind": pa.array([change.kind for change in batch]),
        **{
            column: pa.array(
                [[float(text) for text in getattr(change, name)] for change in batch], pa.list_(pa.float64())
            )
            for column, name in sides.items()
        },
        "sequence": pa.array([change.sequence for change in batch], pa.uint64()),
        "previous_sequence": pa.array([change.previous_sequence for change in batch], pa.uint64()),
        "timestamp": pa.array([change.venue_ns // 1_000_000 for change in batch], MS),
        "venue_time": pa.array([change.venue_ns for change in batch], NS),
        "received_at": pa.array([change.received_ns for change in batch], NS),
    }
