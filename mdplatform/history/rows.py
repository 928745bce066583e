"""The rows of one of Binance's files, in batches of the columns of our tables."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from mdplatform.core.errors import ArchiveError
from mdplatform.core.symbols import Instrument
from mdplatform.history.columns import LAYOUTS, Layout, our_columns
from mdplatform.history.files import Period, PublishedFile
from mdplatform.history.publisher import told, whose

BLOCK_BYTES = 16 << 20  # of CSV: some 250,000 trades
# Of so many trades not all are sold by the taker; in futures' trade files since 2026-07-03 all are said to be.
ONE_SIDED_ROWS = 1000
NULLS = ["", '""']  # of metrics: what could not be measured


def batches(
    path: Path, file: PublishedFile, name: str, instrument: Instrument, as_trades: bool = False
) -> Iterator[pa.Table]:
    """The rows of Binance's zip at ``path``, called ``name``; memory is that of a few batches. ``as_trades``:
    aggregated trades as trades.

    Raises ArchiveError when it does not read as documented, also in the middle.
    """
    layout = LAYOUTS[file.kind]
    if file.venue != "binance" and file.kind == "trades":
        _refuse_one_sided(path, name, layout)
    with told(name), _member(path, name, layout) as (member, names):
        for batch in _reader(member, names, layout, layout.taken()):
            if not batch.num_rows:
                continue
            columns = our_columns(file.kind, batch, instrument, as_trades)
            _refuse_other_times(columns["timestamp"], file.period, name)
            yield whose(file.venue, instrument.symbol, columns)


def rows_by_day(batch: pa.Table) -> dict[str, int]:
    """How many rows each day (ISO) has."""
    counted = pc.value_counts(batch["timestamp"].cast(pa.timestamp("ms")).cast(pa.date32(), safe=False))
    return {str(entry["values"]): entry["counts"] for entry in counted.to_pylist()}


@contextmanager
def _member(path: Path, name: str, layout: Layout) -> Iterator[tuple[IO[bytes], list[str]]]:
    """The one CSV of the zip, from its first row on, and the names of its columns."""
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if name.endswith(".csv")]
        if len(inside) != 1:
            raise ArchiveError(f"{name} holds {len(inside)} CSV files, not one")
        with archive.open(inside[0]) as member:
            first = member.readline().decode(errors="replace").strip().split(",")
        with archive.open(inside[0]) as member:
            # Data begins with a digit, the time of bookDepth too.
            if first[0][:1].isalpha():
                member.readline()
                yield member, _named(first, name, layout)
            else:
                yield member, _placed(first, name, layout)


def _named(header: list[str], name: str, layout: Layout) -> list[str]:
    """Our words for the columns that a header names; its own for what we do not take."""
    ours = {other: ours for ours in layout.taken() for other in (ours, *layout.names.get(ours, ()))}
    names = [ours.get(cell.strip().lower(), f"_{cell}") for cell in header]
    missing = [layout.names.get(ours, (ours,))[0] for ours in layout.taken() if ours not in names]
    if missing:
        raise ArchiveError(f"{name}: its header has no {', '.join(missing)}; it reads {','.join(header)}")
    return names


def _placed(first: list[str], name: str, layout: Layout) -> list[str]:
    places = layout.places
    if len(first) < len(places):
        raise ArchiveError(f"{name} has {len(first)} columns, at least {len(places)} are documented")
    return [place or f"_{n}" for n, place in enumerate(places)] + [f"_{n}" for n in range(len(places), len(first))]


def _reader(member: IO[bytes], names: list[str], layout: Layout, taken: list[str]) -> csv.CSVStreamingReader:
    types = {ours: layout.types.get(ours, pa.float64()) for ours in taken}
    return csv.open_csv(
        member,
        # One thread: the engine beside it has work too, and batches stay few.
        read_options=csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=False),
        convert_options=csv.ConvertOptions(
            column_types=types, include_columns=taken, strings_can_be_null=False, null_values=NULLS
        ),
    )


def _refuse_other_times(times: pa.Array, period: Period, name: str) -> None:
    """A unit that changed shows here. A day either side: what a file holds near midnight is not documented."""
    bounds = pc.min_max(times).as_py()
    low, high = period.begin - timedelta(days=1), period.end + timedelta(days=1)
    if times.null_count or bounds["min"] < low or bounds["max"] >= high:
        raise ArchiveError(
            f"{name} has rows from {bounds['min']} to {bounds['max']}, far from {period}: "
            "is their time in another unit?"
        )


def _refuse_one_sided(path: Path, name: str, layout: Layout) -> None:
    """Ends with the first trade that was bought by the taker, so that a sound file costs nothing."""
    rows = 0
    with told(name), _member(path, name, layout) as (member, names):
        for batch in _reader(member, names, layout, ["maker"]):
            if not pc.all(batch["maker"]).as_py():
                return
            rows += batch.num_rows
    if rows > ONE_SIDED_ROWS:
        raise ArchiveError(
            f"{name}: is_buyer_maker is true in each of its {rows} rows, a known fault; load its aggTrades instead"
        )
