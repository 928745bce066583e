"""The rows of a published file, in batches of the columns of our tables."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mdplatform.core.errors import ArchiveError
from mdplatform.history.columns import LAYOUTS, Layout, our_columns
from mdplatform.history.layout import HistoryFile, Period

BLOCK_BYTES = 16 << 20  # of CSV: some 250,000 trades
# Of so many trades not all are sold by the taker; in futures' trade files since 2026-07-03 all are said to be.
ONE_SIDED_ROWS = 1000


def batches(path: Path, file: HistoryFile, symbol: str, as_trades: bool = False) -> Iterator[pa.Table]:
    """The rows of the zip at ``path`` that holds ``file``; memory is that of a few batches. ``as_trades``: aggregated
    trades as trades.

    Raises ArchiveError when it does not read as documented, also in the middle.
    """
    layout = LAYOUTS[file.kind]
    if file.venue != "binance" and file.kind == "trades":
        _refuse_one_sided(path, file, layout)
    with _told(file), _member(path, file) as (member, names):
        for batch in _reader(member, names, layout, layout.taken()):
            if not batch.num_rows:
                continue
            columns = our_columns(file.kind, batch, as_trades)
            _refuse_other_times(columns["timestamp"], file)
            whose = {"exchange": file.venue, "symbol": symbol, "provenance": "archive"}
            yield pa.table({**{k: pa.repeat(pa.scalar(v), batch.num_rows) for k, v in whose.items()}, **columns})


def rows_by_day(batch: pa.Table) -> dict[str, int]:
    """How many rows each day (ISO) has."""
    counted = pc.value_counts(batch["timestamp"].cast(pa.timestamp("ms")).cast(pa.date32(), safe=False))
    return {str(entry["values"]): entry["counts"] for entry in counted.to_pylist()}


@contextmanager
def _member(path: Path, file: HistoryFile) -> Iterator[tuple[IO[bytes], list[str]]]:
    """The one CSV of the zip, from its first row on, and the names of its columns."""
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if name.endswith(".csv")]
        if len(inside) != 1:
            raise ArchiveError(f"{file.path} holds {len(inside)} CSV files, not one")
        with archive.open(inside[0]) as member:
            first = member.readline().decode(errors="replace").strip().split(",")
        with archive.open(inside[0]) as member:
            # Data begins with a digit, the time of bookDepth too.
            if first[0][:1].isalpha():
                member.readline()
                yield member, _named(first, file)
            else:
                yield member, _placed(first, file)


def _named(header: list[str], file: HistoryFile) -> list[str]:
    """Our words for the columns that a header names; its own for what we do not take."""
    layout = LAYOUTS[file.kind]
    ours = {other: name for name in layout.taken() for other in (name, *layout.names.get(name, ()))}
    names = [ours.get(cell.strip().lower(), f"_{cell}") for cell in header]
    missing = [layout.names.get(name, (name,))[0] for name in layout.taken() if name not in names]
    if missing:
        raise ArchiveError(f"{file.path}: its header has no {', '.join(missing)}; it reads {','.join(header)}")
    return names


def _placed(first: list[str], file: HistoryFile) -> list[str]:
    places = LAYOUTS[file.kind].places
    if len(first) < len(places):
        raise ArchiveError(f"{file.path} has {len(first)} columns, at least {len(places)} are documented")
    return [place or f"_{n}" for n, place in enumerate(places)] + [f"_{n}" for n in range(len(places), len(first))]


def _reader(member: IO[bytes], names: list[str], layout: Layout, taken: list[str]) -> csv.CSVStreamingReader:
    types = {name: layout.types.get(name, pa.float64()) for name in taken}
    return csv.open_csv(
        member,
        # One thread: the engine beside it has work too, and batches stay few.
        read_options=csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=False),
        convert_options=csv.ConvertOptions(column_types=types, include_columns=taken, strings_can_be_null=False),
    )


def _refuse_other_times(times: pa.Array, file: HistoryFile) -> None:
    """A unit that changed shows here. A day either side: what a file holds near midnight is not documented."""
    bounds = pc.min_max(times).as_py()
    low, high = _bounds(file.period)
    if times.null_count or bounds["min"] < low or bounds["max"] >= high:
        raise ArchiveError(
            f"{file.path} has rows from {bounds['min']} to {bounds['max']}, far from {file.period}: "
            "is their time in another unit?"
        )


def _bounds(period: Period) -> tuple[datetime, datetime]:
    first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (period.days[0], period.days[-1]))
    return first - timedelta(days=1), last + timedelta(days=2)


def _refuse_one_sided(path: Path, file: HistoryFile, layout: Layout) -> None:
    """Ends with the first trade that was bought by the taker, so that a sound file costs nothing."""
    rows = 0
    with _told(file), _member(path, file) as (member, names):
        for batch in _reader(member, names, layout, ["maker"]):
            if not pc.all(batch["maker"]).as_py():
                return
            rows += batch.num_rows
    if rows > ONE_SIDED_ROWS:
        raise ArchiveError(
            f"{file.path}: is_buyer_maker is true in each of its {rows} rows, a known fault; load its aggTrades instead"
        )


@contextmanager
def _told(file: HistoryFile) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, zipfile.BadZipFile, EOFError) as error:
        raise ArchiveError(f"{file.path} does not read as documented: {str(error).splitlines()[0]}") from error
