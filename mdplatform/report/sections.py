"""The tables of a day, as text: what the terminal prints and what the page shows are the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mdplatform.report.day import Day
from mdplatform.warehouse.sizes import size

MOST_ROWS = 20  # of a table; the rest is counted


@dataclass(frozen=True)
class Section:
    """One table. ``empty``: what is said where it has no rows."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str
    more: int = 0  # rows left out


def sections(day: Day) -> list[Section]:
    """In the order in which an operator asks."""
    return [_venues(day), _gaps(day), _letters(day), _drift(day), _hours(day), _tables(day), _room(day)]


def _venues(day: Day) -> Section:
    lags = {row["exchange"]: row for row in day.lags}
    rows = []
    for venue in sorted({*day.venues, *lags}):
        cells, lag = day.by_venue(venue), lags.get(venue, {})
        share = day.share(cells)
        rows.append(
            (
                venue,
                "-" if share is None else f"{100 * share:.3f} %",
                f"{sum(cell.gaps for cell in cells):,}",
                f"{sum(cell.missed for cell in cells):,}",
                f"{sum(cell.rows for cell in cells):,}",
                *(_ms(lag, name) for name in ("lag_ms", "lag_p99_ms", "delivery_p99_ms")),
            )
        )
    head = ("venue", "proven", "gaps", "missed", "rows", "lag, median", "lag, p99", "to the broker, p99")
    return Section("Venues", head, rows, "nothing was collected on this day")


def _gaps(day: Day) -> Section:
    gaps = day.worst_gaps(10**9)
    rows = [
        (
            f"{gap.started_at:%H:%M:%S}",
            f"{day.seconds(gap):,.1f} s",
            gap.exchange,
            gap.symbol,
            gap.channel,
            f"{gap.state} ({gap.cause})",
            "" if gap.missed is None else f"{gap.missed:,}",
        )
        for gap in gaps[:MOST_ROWS]
    ]
    head = ("since", "for", "venue", "symbol", "channel", "state", "missed")
    return Section("Longest gaps", head, rows, "no feed was without proof", max(0, len(gaps) - MOST_ROWS))


def _letters(day: Day) -> Section:
    rows = [(r["exchange"] or "-", r["reason"], f"{r['letters']:,}", _short(r["error"])) for r in day.letters]
    return _cut("Dead letters", ("venue", "reason", "number", "last error"), rows, "every frame was understood")


def _drift(day: Day) -> Section:
    rows = [(row["exchange"], row["measure"], _short(row["subject"]), f"{row['times']:,}") for row in day.drift]
    return _cut("Venues that do not do as documented", ("venue", "what", "of", "times"), rows, "all do as documented")


def _hours(day: Day) -> Section:
    parts = sorted({row["part"] for row in day.costs})
    rows = []
    for hour in day.hours:
        cost = day.cost(hour)
        seconds = [f"{cost[part]['seconds']:.1f}" if part in cost else "-" for part in parts]
        archive = cost.get("parquet_archive", {"rows": 0, "bytes": 0})
        total = f"{sum(row['seconds'] for row in cost.values()):.1f}" if cost else "not built"
        rows.append((f"{hour:%H:%M}", total, *seconds, f"{archive['rows']:,}", size(archive["bytes"])))
    head = ("hour", "seconds", *parts, "rows archived", "bytes archived")
    return Section("What each hour cost", head, rows if parts else [], "no hour of this day was built")


def _tables(day: Day) -> Section:
    rows = [
        (row["name"], f"{row['rows']:,}", size(row["bytes"]), f"{size(row['bytes_a_day'])} a day") for row in day.tables
    ]
    return _cut("Tables now", ("table", "rows", "size", "growth"), rows, "the tables are empty")


def _room(day: Day) -> Section:
    rows = [(room.name, size(room.free), size(room.total), _when(room.full_at(day.made_at))) for room in day.rooms]
    return Section("Room", ("disk", "free", "of", "full on"), rows, "not known")


def _cut(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], empty: str) -> Section:
    return Section(title, head, rows[:MOST_ROWS], empty, max(0, len(rows) - MOST_ROWS))


def _ms(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "-" if value is None or math.isnan(value) else f"{value:,.1f} ms"


def _when(at: datetime | None) -> str:
    return "never at this pace" if at is None else f"{at:%Y-%m-%d}"


def _short(text: str, most: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def lines(found: Iterable[Section]) -> list[str]:
    """For a terminal or a file: columns aligned, no colour."""
    out: list[str] = []
    for section in found:
        out += ["", section.title]
        if not section.rows:
            out.append(f"  {section.empty}")
            continue
        widths = [max(map(len, column)) for column in zip(section.head, *section.rows, strict=True)]
        for row in (section.head, *section.rows):
            out.append("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        out += [f"  and {section.more} more"] if section.more else []
    return out
