"""CSV files as Tardis offers them: one for each kind of data, symbol and day, gzipped, times in us.

Columns as of https://docs.tardis.dev/downloadable-csv-files/data-types, rows by ``local_timestamp``. Venue ids and
symbols are ours, sizes are in base units; what we do not collect stays empty.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mdplatform.export.files import Written, whole, written
from mdplatform.export.source import Ladder, Piece, Source, records
from mdplatform.export.ticker import FIELDS, tickers
from mdplatform.read.changes import Change
from mdplatform.read.numbers import shortest

LEVELS = 25
_EACH = ("exchange", "symbol", "timestamp", "local_timestamp")
# Our dataset -> the kind of data, its columns after the first four.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "increments": ("incremental_book_L2", ("is_snapshot", "side", "price", "amount")),
    "books": (
        f"book_snapshot_{LEVELS}",
        tuple(
            f"{side}[{n}].{what}" for n in range(LEVELS) for side in ("asks", "bids") for what in ("price", "amount")
        ),
    ),
    "trades": ("trades", ("id", "side", "price", "amount")),
    "quotes": ("quotes", ("ask_amount", "ask_price", "bid_price", "bid_amount")),
    "funding": (
        "derivative_ticker",
        (
            *("funding_timestamp", "funding_rate", "predicted_funding_rate", "open_interest"),
            *("last_price", "index_price", "mark_price"),
        ),
    ),
    "liquidations": ("liquidations", ("id", "side", "price", "amount")),
}
DATASETS = tuple(KINDS)
Row = tuple[object, ...]


def columns(dataset: str) -> tuple[str, ...]:
    """The header of a file of one of our datasets."""
    return *_EACH, *KINDS[dataset][1]


def write(source: Source, piece: Piece, folder: Path) -> list[Written]:
    """One file, none where there are no rows."""
    kind, _ = KINDS[piece.dataset]
    name = f"{piece.venue}_{kind}_{piece.day}_{piece.symbol}.csv.gz"
    rows = iter(_rows(source, piece))
    first = next(rows, None)
    if first is None:
        return []
    count = 1
    with (
        whole(folder, name) as path,
        path.open("wb") as file,
        # No name and no time in the header: the same rows are the same bytes.
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        io.TextIOWrapper(packed, "ascii", newline="\n") as out,
    ):
        out.write(f"{','.join(columns(piece.dataset))}\n{_line(piece, first)}")
        for row in rows:
            out.write(_line(piece, row))
            count += 1
    return [written(folder, name, count)]


def _line(piece: Piece, row: Row) -> str:
    """(venue time and receive time in ns, then the other columns)."""
    times = f"{int(str(row[0])) // 1000},{int(str(row[1])) // 1000}"
    return f"{piece.venue},{piece.symbol},{times},{','.join(map(_text, row[2:]))}\n"


def _text(value: object) -> str:
    if isinstance(value, float):
        return shortest(value)
    return "" if value is None else str(value)


def _rows(source: Source, piece: Piece) -> Iterator[Row]:
    if piece.dataset == "increments":
        return _levels(source.changes(piece))
    if piece.dataset == "books":
        return _snapshots(source, piece)
    if piece.dataset == "funding":
        return _tickers(tickers(source, piece))
    return _MAPPED[piece.dataset](records(source.rows(piece)))


def _levels(changes: Iterable[Change]) -> Iterator[Row]:
    for change in changes:
        is_snapshot = "true" if change.kind == "snapshot" else "false"
        for side, prices, sizes in (("bid", change.b, change.bv), ("ask", change.a, change.av)):
            for price, size in zip(prices, sizes, strict=True):
                yield change.venue_ns, change.received_ns, is_snapshot, side, price, size


def _snapshots(source: Source, piece: Piece) -> Iterator[Row]:
    """A row whenever one of the best levels has changed; of the published books where no changes were kept."""
    book, before = Ladder(), None
    changes = source.changes(piece)
    first = next(changes, None)
    if first is None:
        changes = source.changes(piece, "published")
        first = next(changes, None)
    for change in [] if first is None else _from(first, changes):
        book.apply(change)
        best = _best(book)
        if best != before:
            yield change.venue_ns, change.received_ns, *best
        before = best


def _from(first: Change, others: Iterator[Change]) -> Iterator[Change]:
    yield first
    yield from others


def _best(book: Ladder) -> Row:
    bids, asks = book.best(LEVELS)
    empty = (None, None)
    return tuple(
        value for n in range(LEVELS) for side in (asks, bids) for value in (side[n] if n < len(side) else empty)
    )


def _trades(rows: Iterable[dict[str, Any]]) -> Iterator[Row]:
    for row in rows:
        yield row["venue_time"], row["received_time"], row["id"], row["side"], row["price"], row["qty"]


def _quotes(rows: Iterable[dict[str, Any]]) -> Iterator[Row]:
    for row in rows:
        yield (
            row["venue_time"],
            row["received_time"],
            row["ask_size"],
            row["ask_price"],
            row["bid_price"],
            row["bid_size"],
        )


def _tickers(states: Iterable[dict[str, Any]]) -> Iterator[Row]:
    for state in states:
        due = state["next_funding_time"]
        stated = {**state, "next_funding_time": None if due is None else int(due.timestamp() * 1000) * 1000}
        yield stated["venue_time"], stated["received_time"], *(stated[name] for name in FIELDS)


_MAPPED = {"trades": _trades, "liquidations": _trades, "quotes": _quotes}
