"""The book of one symbol at any instant: all that is known of it, and whether it is proven.

Where the changes of a book are kept (MDPLATFORM_INCREMENTS) it is the last snapshot before the instant with every
change up to it, from ClickHouse or from the archive; elsewhere the last published book, which holds the best levels
alone. An instant is meant by the collector's clock: what had been received by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from clickhouse_connect.driver.client import Client

from mdplatform.archive.open_store import store_at
from mdplatform.archive.store import Store
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.optional import needed
from mdplatform.core.settings import Settings, load
from mdplatform.read import from_archive
from mdplatform.read.changes import MICROSECOND, SKEW, Kept, Level, archived_at, ns_of, text_of, time_of
from mdplatform.read.instant import Instant, book_of
from mdplatform.read.request import Wanted
from mdplatform.read.rows import CLICKHOUSE, archive_root
from mdplatform.read.stated import Stated, doubt, statuses_wanted
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import kept_reader

if TYPE_CHECKING:
    import pandas as pd


CHAIN_BROKEN = "a change is missing between the snapshot and this instant"


@dataclass(frozen=True)
class BookAt:
    """Levels best first, sizes in base units. ``times`` are UTC; ``reason`` says why the book is not proven."""

    exchange: str
    symbol: str
    at: datetime
    source: Kept
    bids: list[Level]
    asks: list[Level]
    sequence: int
    venue_time: datetime
    received_at: datetime
    is_proven: bool
    reason: str  # empty where it is

    def frame(self) -> pd.DataFrame:
        """One row a level: side, level, price, size; bids first."""
        rows = [
            (side, number, price, size)
            for side, levels in (("bid", self.bids), ("ask", self.asks))
            for number, (price, size) in enumerate(levels, 1)
        ]
        return needed("pandas").DataFrame(rows, columns=["side", "level", "price", "size"])


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
        found = _from_clickhouse(kept_reader(settings), venue, symbol, at, depth)
    else:
        found = _from_archive(archive_root(source, settings), venue, symbol, at, depth)
    if found is None:
        raise ConfigError(f"no book of {symbol} at {venue} was received in the day before {at.isoformat()}")
    return found


def _from_clickhouse(client: Client, venue: str, symbol: str, at: datetime, depth: int) -> BookAt | None:
    feed = {"exchange": venue, "symbol": symbol}
    changes = queries.run_arrow(client, "book_changes", **feed, start=text_of(at), end=text_of(at + MICROSECOND))
    stated = [*queries.run(client, "book_status", **feed, at=text_of(at))]
    if found := book_of(changes, ns_of(at), depth):
        return _judged(_book("increments", venue, symbol, at, found), found.is_chained, stated)
    for row in queries.run(client, "book_published", **feed, at=text_of(at)):
        times = (ns_of(row["venue_time"]), ns_of(row["received_at"]))
        published = Instant(*_best(row, depth), row["sequence"], *times, True)
        return _judged(_book("published", venue, symbol, at, published), True, stated)
    return None


def _from_archive(root: str | Path | Store, venue: str, symbol: str, at: datetime, depth: int) -> BookAt | None:
    store = store_at(root)
    stated = Stated(from_archive.pieces(store, statuses_wanted(venue, symbol, at, at + SKEW), partial=True))
    for kept in get_args(Kept):
        if found := book_of(archived_at(store, venue, symbol, at, kept), ns_of(at), depth):
            return _judged(_book(kept, venue, symbol, at, found), found.is_chained, stated.at(at))
    return None


def _best(row: Mapping[str, Any], depth: int) -> tuple[list[Level], list[Level]]:
    """The best levels of a published book."""
    bids, asks = (list(zip(row[price], row[size], strict=True))[:depth] for price, size in (("b", "bv"), ("a", "av")))
    return bids, asks


def _book(source: Kept, venue: str, symbol: str, at: datetime, found: Instant) -> BookAt:
    times = (time_of(found.venue_ns), time_of(found.received_ns))
    return BookAt(venue, symbol, at, source, found.bids, found.asks, found.sequence, *times, False, "")


def _judged(found: BookAt, is_chained: bool, stated: Iterable[Mapping[str, Any]]) -> BookAt:
    """``stated``: of each collector its last interval, the best first; one that proves the book is enough."""
    reasons = [] if is_chained else [CHAIN_BROKEN]
    if why := doubt(list(stated), found.at):
        reasons.append(why)
    return replace(found, is_proven=not reasons, reason="; ".join(reasons))
