"""The book of one symbol at any instant: all that is known of it, and whether it is proven.

Where the changes of a book are kept (MDPLATFORM_INCREMENTS) it is the last snapshot before the instant with every
change up to it, from ClickHouse or from the archive; elsewhere the last published book, which holds the best levels
alone. An instant is meant by the collector's clock: what had been received by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.archive.store import Store
from mdplatform.core.environment import environment
from mdplatform.core.errors import ArchiveError, ConfigError
from mdplatform.core.settings import Settings, load
from mdplatform.read import from_archive
from mdplatform.read.request import Wanted
from mdplatform.read.rows import ARCHIVE, CLICKHOUSE
from mdplatform.warehouse import queries
from mdplatform.warehouse.reading import connect_reader

if TYPE_CHECKING:
    import pandas as pd

Level = tuple[float, float]  # price, size in base units
# A collector states again every five seconds that an interval lasts: the last word may be so old.
RESTATED = timedelta(seconds=15)
# The longest time between two snapshots of a lively book; a quiet one is snapshotted with its next update.
REACH = timedelta(days=1)
# Rows lie in the archive by venue time: as far as a venue's clock may be ahead of ours, or behind it.
SKEW = timedelta(minutes=10)


@dataclass(frozen=True)
class BookAt:
    """Levels best first, sizes in base units. ``times`` are UTC; ``reason`` says why the book is not proven."""

    exchange: str
    symbol: str
    at: datetime
    source: Literal["increments", "published"]  # published: the best levels alone
    bids: list[Level]
    asks: list[Level]
    sequence: int
    venue_time: datetime
    received_at: datetime
    is_proven: bool
    reason: str  # empty where it is

    def frame(self) -> pd.DataFrame:
        """One row a level: side, level, price, size; bids first."""
        import pandas as pd

        rows = [
            (side, number, price, size)
            for side, levels in (("bid", self.bids), ("ask", self.asks))
            for number, (price, size) in enumerate(levels, 1)
        ]
        return pd.DataFrame(rows, columns=["side", "level", "price", "size"])


def book(
    venue: str,
    symbol: str,
    at: datetime,
    *,
    depth: int = 20,
    source: str | Path | Store = CLICKHOUSE,
    settings: Settings | None = None,
) -> BookAt:
    """The best ``depth`` levels a side at ``at``, a time with a zone.

    ``source``: "clickhouse", "archive" (that of the settings), or a path or address of an archive. Raises ConfigError
    for what cannot be asked and where there is no such book, WarehouseError and ArchiveError.
    """
    if depth < 1:
        raise ConfigError(f"depth must be at least 1, not {depth}")
    # Its checks are those of every other question.
    Wanted.of("books", venue, symbol, at, at + timedelta(microseconds=1))
    at = at.astimezone(UTC)
    settings = settings or load(environment())
    if source == CLICKHOUSE:
        with connect_reader(settings) as client:
            found = _from_clickhouse(client, venue, symbol, at, depth)
    else:
        found = _from_archive(settings.archive_root() if source == ARCHIVE else source, venue, symbol, at, depth)
    if found is None:
        raise ConfigError(f"no book of {symbol} at {venue} was received in the day before {at.isoformat()}")
    return found


def _from_clickhouse(client: Client, venue: str, symbol: str, at: datetime, depth: int) -> BookAt | None:
    asked = {"exchange": venue, "symbol": symbol, "at": f"{at:%Y-%m-%d %H:%M:%S.%f}"}
    rows = queries.run(client, "book_at", **asked, depth=depth)
    stated = [*queries.run(client, "book_status", **asked)]
    if rows:
        sides = {side: [(row["price"], row["size"]) for row in rows if row["side"] == side] for side in ("bid", "ask")}
        whole = _book("increments", venue, symbol, at, sides["bid"], sides["ask"], rows[0])
        return _judged(whole, rows[0]["is_chained"], stated)
    for row in queries.run(client, "book_published", **asked):
        bids, asks = _best(row, depth)
        return _judged(_book("published", venue, symbol, at, bids, asks, row), True, stated)
    return None


def _from_archive(root: str | Path | Store, venue: str, symbol: str, at: datetime, depth: int) -> BookAt | None:
    start, end = at - REACH, at + SKEW
    intervals = [
        {
            "collector": row["collector"],
            "state": row["state"],
            "cause": row["cause"],
            "since": row["started_time"],
            "until": row["ended_time"],
        }
        for row in _rows(root, Wanted.of("statuses", venue, symbol, start, end))
        if row["channel"] == "book" and row["started_time"] <= at
    ]
    # The hours before are read only as far back as there is no snapshot.
    for hours in (1, 24):
        changes = list(_rows(root, Wanted.of("increments", venue, symbol, at - timedelta(hours=hours) - SKEW, end)))
        rebuilt = _rebuilt([row for row in changes if row["received_time"] <= at])
        if rebuilt is not None:
            bids, asks, last, is_chained = rebuilt
            found = _book("increments", venue, symbol, at, bids[:depth], asks[:depth], last)
            return _judged(found, is_chained, _latest(intervals))
    books = [row for row in _rows(root, Wanted.of("books", venue, symbol, start, end)) if row["received_time"] <= at]
    if not books:
        return None
    last = max(books, key=lambda row: row["received_time"])
    bids, asks = _best(last, depth)
    return _judged(_book("published", venue, symbol, at, bids, asks, last), True, _latest(intervals))


def _rows(root: str | Path | Store, wanted: Wanted) -> Iterator[dict[str, Any]]:
    try:
        for _, table in from_archive.pieces(root, wanted, partial=True):
            yield from table.cast(_in_microseconds(table.schema), safe=False).to_pylist()
    except ArchiveError:
        if wanted.dataset.name == "books":
            raise
        return  # an archive from before there were such rows


def _in_microseconds(schema: pa.Schema) -> pa.Schema:
    """As fine as a datetime is."""
    fine = pa.timestamp("us", "UTC")
    return pa.schema([field.with_type(fine) if pa.types.is_timestamp(field.type) else field for field in schema])


def _rebuilt(rows: list[dict[str, Any]]) -> tuple[list[Level], list[Level], dict[str, Any], bool] | None:
    """(bids, asks, the last change, whether none is missing) from the last snapshot on; None without one.

    As md_book_at: of two collectors one may receive an update before the other makes the snapshot that it follows.
    """
    snapshots = [row for row in rows if row["kind"] == "snapshot"]
    if not snapshots:
        return None
    start = max(snapshots, key=lambda row: row["received_time"])
    since = start["received_time"] - timedelta(seconds=5)
    updates = {
        row["sequence"]: row
        for row in rows
        if row["kind"] == "update"
        and row["sequence"] > start["sequence"]
        and row["venue_time"] >= start["venue_time"]
        and row["received_time"] >= since
    }
    applied = [start, *(updates[sequence] for sequence in sorted(updates))]
    bids: dict[float, float] = {}
    asks: dict[float, float] = {}
    for row in applied:
        for side, prices, sizes in ((bids, row["b"], row["bv"]), (asks, row["a"], row["av"])):
            side.update(zip(prices, sizes, strict=True))
    known = {start["sequence"], *updates}
    is_chained = all(row["previous_sequence"] in known for row in updates.values())
    ladders = [[level for level in sorted(side.items()) if level[1]] for side in (bids, asks)]
    return ladders[0][::-1], ladders[1], applied[-1], is_chained


def _best(row: Mapping[str, Any], depth: int) -> tuple[list[Level], list[Level]]:
    """The best levels of a published book."""
    bids, asks = (list(zip(row[price], row[size], strict=True))[:depth] for price, size in (("b", "bv"), ("a", "av")))
    return bids, asks


def _book(
    source: Literal["increments", "published"],
    venue: str,
    symbol: str,
    at: datetime,
    bids: list[Level],
    asks: list[Level],
    row: Mapping[str, Any],
) -> BookAt:
    received = row["received_at"] if "received_at" in row else row["received_time"]
    return BookAt(venue, symbol, at, source, bids, asks, row["sequence"], row["venue_time"], received, False, "")


def _judged(found: BookAt, is_chained: bool, stated: Iterable[Mapping[str, Any]]) -> BookAt:
    """``stated``: of each collector its last interval, the best first; one that proves the book is enough."""
    reasons = [] if is_chained else ["a change is missing between the snapshot and this instant"]
    intervals = list(stated)
    if not any(row["state"] == "valid" and _covers(row, found.at) for row in intervals):
        reasons.append(_why(intervals, found.at))
    return replace(found, is_proven=not reasons, reason="; ".join(reasons))


def _covers(row: Mapping[str, Any], at: datetime) -> bool:
    return row["until"] is None or row["until"] + RESTATED >= at


def _why(intervals: list[Mapping[str, Any]], at: datetime) -> str:
    lasting = [row for row in intervals if row["state"] != "valid" and _covers(row, at)]
    if lasting:
        row = lasting[0]
        return f"the feed is in state {row['state']} ({row['cause']}) since {row['since']:%Y-%m-%d %H:%M:%S} UTC"
    if not intervals:
        return "no collector states anything of this feed"
    return f"nothing is stated of the feed after {max(row['until'] for row in intervals):%Y-%m-%d %H:%M:%S} UTC"


def _latest(intervals: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """As book_status: of each collector the interval that began last, valid ones first. Archives hold them cut into
    hours; the piece that begins last is the one that counts."""
    last = {
        row["collector"]: row for row in sorted(intervals, key=lambda row: (row["since"], row["until"] or row["since"]))
    }
    return sorted(last.values(), key=lambda row: (row["state"] == "valid", row["until"] or row["since"]), reverse=True)
