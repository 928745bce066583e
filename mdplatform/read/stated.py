"""What collectors stated of a book: whether it is proven at an instant, and why not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from mdplatform.read.changes import REACH
from mdplatform.read.request import Wanted

# A collector states again every five seconds that an interval lasts: the last word may be so old.
RESTATED = timedelta(seconds=15)


def statuses_wanted(venue: str, symbol: str, start: datetime, end: datetime) -> Wanted:
    """The intervals of which some may hold in [start, end)."""
    return Wanted.of("statuses", venue, symbol, start - REACH, end)


class Stated:
    """The intervals of one book by collector, from rows of ``statuses``, which come cut into hours."""

    def __init__(self, pieces: Iterable[tuple[str, pa.Table]]) -> None:
        rows = [row for _, table in pieces for row in _in_microseconds(table).to_pylist() if row["channel"] == "book"]
        self._by_collector: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(rows, key=lambda row: (row["started_time"], row["ended_time"] or row["started_time"])):
            interval = {name: row[name] for name in ("collector", "state", "cause")}
            interval |= {"since": row["started_time"], "until": row["ended_time"]}
            self._by_collector.setdefault(row["collector"], []).append(interval)

    def at(self, instant: datetime) -> list[Mapping[str, Any]]:
        """Of each collector the interval that began last, as of ``sql/queries/read/book_status.sql``."""
        last = []
        for intervals in self._by_collector.values():
            place = bisect_right(intervals, instant, key=lambda row: row["since"])
            if place:
                last.append(intervals[place - 1])
        return sorted(last, key=lambda row: (row["state"] == "valid", row["until"] or row["since"]), reverse=True)


def doubt(stated: list[Mapping[str, Any]], at: datetime) -> str:
    """Why the book is not proven by any of these intervals, those that began last; empty where it is."""
    if any(row["state"] == "valid" and _covers(row, at) for row in stated):
        return ""
    lasting = [row for row in stated if row["state"] != "valid" and _covers(row, at)]
    if lasting:
        row = lasting[0]
        return f"the feed is in state {row['state']} ({row['cause']}) since {row['since']:%Y-%m-%d %H:%M:%S} UTC"
    if not stated:
        return "no collector states anything of this feed"
    last = max(row["until"] or row["since"] for row in stated)
    return f"nothing is stated of the feed after {last:%Y-%m-%d %H:%M:%S} UTC"


def _covers(row: Mapping[str, Any], at: datetime) -> bool:
    return row["until"] is None or row["until"] + RESTATED >= at


def _in_microseconds(table: pa.Table) -> pa.Table:
    """As fine as a datetime is."""
    fine = pa.timestamp("us", "UTC")
    kinds = [field.with_type(fine) if pa.types.is_timestamp(field.type) else field for field in table.schema]
    return table.cast(pa.schema(kinds), safe=False)
