"""What was recorded of each feed, what is missing and why: by hour or day, from ClickHouse or from the archive.

The figures are those of ``sql/analysis/coverage.sql``; ``sql/analysis/gap_rate.sql`` recomputes the rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mdplatform.archive.store import Store
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings, load
from mdplatform.read import covered_archive
from mdplatform.read.cells import CHANNELS, By, Cell, Coverage, Gap, joined
from mdplatform.read.loadable import Loadable, loadable
from mdplatform.read.request import Wanted
from mdplatform.read.rows import CLICKHOUSE, Names, archive_root
from mdplatform.warehouse import queries
from mdplatform.warehouse.analysis import analysis
from mdplatform.warehouse.client import connect_reader, warehouse_errors

MOST_GAPS = 100_000


def coverage(
    *,
    start: datetime,
    end: datetime,
    venues: Names = (),
    symbols: Names = (),
    datasets: Names = (),
    by: By = "hour",
    source: str | Path | Store = CLICKHOUSE,
    settings: Settings | None = None,
) -> Coverage:
    """What was recorded in [start, end), hours being whole: ``start`` is that of its hour.

    ``datasets``: only feeds that bring one of these; ``source`` as of ``read.table``. An archive is asked up to the
    last whole hour; an hour that it lacks has nothing proven. ``loadable``: what is not proven and published by the
    venue, also of feeds that are named and known to no collector. Raises ConfigError, WarehouseError, ArchiveError.
    """
    wanted = Wanted.of("statuses", venues, symbols, start, end)
    channels = _channels(datasets)
    settings = settings or load(environment())
    if source == CLICKHOUSE:
        cells, gaps = _from_clickhouse(settings, wanted, channels)
    else:
        cells, gaps = covered_archive.cells_and_gaps(archive_root(source, settings), wanted, channels)
    begin = wanted.hours[0]
    found = cells if by == "hour" else joined(cells, lambda cell: cell.start.replace(hour=0))
    return Coverage(begin, wanted.end, by, found, gaps, _loadable(cells, wanted, channels))


def _loadable(cells: list[Cell], wanted: Wanted, channels: frozenset[str]) -> list[Loadable]:
    """Of all feeds that are known, and of those that are named though nobody has collected them."""
    named = {(venue, symbol, channel) for venue in wanted.venues for symbol in wanted.symbols for channel in channels}
    # What came before a feed was first known of is not judged by its cell.
    proven = ((cell.feed, cell.start, cell.proven * cell.judged_s) for cell in cells)
    return loadable(proven, named | {cell.feed for cell in cells}, wanted.hours[0], wanted.end)


def _channels(datasets: Names) -> frozenset[str]:
    """Of these datasets, all where none is named."""
    names = [datasets] if isinstance(datasets, str) else list(datasets)
    if strange := [name for name in names if name not in CHANNELS]:
        raise ConfigError(f"{strange[0]!r} comes by no channel of its own; there are {', '.join(CHANNELS)}")
    return frozenset(channel for name in names or CHANNELS for channel in CHANNELS[name])


def _from_clickhouse(settings: Settings, wanted: Wanted, channels: frozenset[str]) -> tuple[list[Cell], list[Gap]]:
    question = analysis("coverage")
    patterns = {
        "exchange": _pattern(wanted.venues),
        "symbol": _pattern(wanted.symbols),
        "channel": _pattern(sorted(channels)),
    }
    span = {"start": wanted.hours[0], "end": wanted.end}
    bound = question.bound({**patterns, **span}, datetime.now(UTC))
    with connect_reader(settings) as client:
        with warehouse_errors(client.uri, "run coverage"):
            rows = list(client.query(question.sql, parameters=bound, tz_mode="aware").named_results())
        gaps = queries.run(client, "coverage_gaps", **bound, most=MOST_GAPS)
    cells = [
        Cell(row["hour"], *(row[field.name] for field in fields(Cell)[1:]))
        for row in rows
        if _is_wanted(row, wanted, channels)
    ]
    return cells, [
        Gap(**{**row, "prevented": bool(row["prevented"])}) for row in gaps if _is_wanted(row, wanted, channels)
    ]


def _pattern(names: Sequence[str]) -> str:
    """For LIKE: the one name that is wanted, else all, of which others are then left out."""
    return names[0].replace("_", r"\_") if len(names) == 1 else "%"


def _is_wanted(row: dict[str, Any], wanted: Wanted, channels: frozenset[str]) -> bool:
    return (
        row["channel"] in channels
        and (not wanted.venues or row["exchange"] in wanted.venues)
        and (not wanted.symbols or row["symbol"] in wanted.symbols)
    )
