"""Where Bybit publishes its past, and how its files read: https://www.bybit.com/derivatives/en/history-data.

Trades of contracts: a gzipped CSV for each symbol and day, time in seconds with a fraction; their ids are those of the
live trades. Files of spot number trades from 1 each day, so that these would count twice beside live ones: not taken.
Books: a zip for each symbol and day, with a frame of the socket a line, of 500 levels or, later, of 200. There are no
checksums: gzip and zip prove their own content, a book that each update follows the one before.
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mdplatform.core.errors import ArchiveError
from mdplatform.core.events import BookChange
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.history.frames import changes

EXCHANGE = "bybit"
TRADES_URL = "https://public.bybit.com"
BOOKS_URL = "https://quote-saver.bycsi.com"
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


def trades(path: Path, name: str, symbol: str) -> Iterator[pa.Table]:
    """The rows of the file at ``path`` in the columns of md_trades; raises ArchiveError, also in the middle."""
    options = csv.ConvertOptions(column_types=TYPES, include_columns=list(TYPES), strings_can_be_null=False)
    with _told(name), gzip.open(path) as file:
        # One thread: the engine beside it has work too.
        read = csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=False)
        for batch in csv.open_csv(file, read_options=read, convert_options=options):
            if batch.num_rows:
                yield _whose(symbol, _trades(batch, name))


def books(path: Path, name: str, symbol: str, venue_symbol: str) -> Iterator[pa.Table]:
    """The changes of the book in the zip at ``path``, in the columns of md_book_increments; raises ArchiveError."""
    base, quote, *rest = symbol.split("-")
    kind = Kind.SPOT if not rest else Kind.PERPETUAL if rest == ["PERP"] else Kind.FUTURE
    instrument = Instrument(
        exchange=EXCHANGE,
        venue_symbol=venue_symbol,
        base=base,
        quote=quote,
        kind=kind,
        expiry=rest[0] if kind == Kind.FUTURE else None,
        category=category(symbol),
    )
    with _told(name), zipfile.ZipFile(path) as archive:
        inside = archive.namelist()
        if len(inside) != 1:
            raise ArchiveError(f"{name} holds {len(inside)} files, not one")
        with archive.open(inside[0]) as file:
            rows = changes((line for line in file if line.strip()), instrument, name)
            while batch := list(islice(rows, CHANGES_A_BATCH)):
                yield _whose(symbol, _changes(batch))


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


def _whose(symbol: str, columns: dict[str, pa.Array]) -> pa.Table:
    count = len(columns["timestamp"])
    said = {"exchange": EXCHANGE, "symbol": symbol, "provenance": "archive"}
    return pa.table({**{name: pa.repeat(pa.scalar(text), count) for name, text in said.items()}, **columns})


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, KeyError) as error:
        raise ArchiveError(f"{name} does not read as documented: {str(error).splitlines()[0]}") from error
