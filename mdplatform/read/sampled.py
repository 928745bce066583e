"""Books at even steps, or at any instants, from one pass over what was recorded: not a question for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pyarrow as pa

from mdplatform.archive.open_store import store_at
from mdplatform.archive.store import Store
from mdplatform.core.environment import environment
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings, load
from mdplatform.read import changes, from_archive, from_clickhouse
from mdplatform.read.books import CHAIN_BROKEN, BookAt
from mdplatform.read.changes import SKEW, Asked, Change, Kept, RunningBook, time_of
from mdplatform.read.request import Wanted
from mdplatform.read.rows import CLICKHOUSE, archive_root
from mdplatform.read.stated import Stated, doubt, statuses_wanted

_TIME = pa.timestamp("us", "UTC")
_NUMBERS = pa.list_(pa.float64())
SCHEMA = pa.schema(
    [
        *(("exchange", pa.string()), ("symbol", pa.string()), ("at", _TIME), ("sequence", pa.int64())),
        *((name, _NUMBERS) for name in ("b", "bv", "a", "av")),
        *(("venue_time", _TIME), ("received_time", _TIME), ("is_proven", pa.bool_()), ("reason", pa.string())),
        ("source", pa.string()),  # increments; published: the best levels alone
    ]
)
_EVERY = re.compile(r"(\d+)(ms|s|m|h|d)")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
MOST_SAMPLES = 10_000_000


def books(
    venue: str,
    symbol: str,
    start: datetime,
    end: datetime,
    *,
    every: str | timedelta = "1s",
    depth: int = 25,
    source: str | Path | Store = CLICKHOUSE,
    settings: Settings | None = None,
) -> pa.Table:
    """The best ``depth`` levels a side at start, start + every, ... before ``end``, as known then; times have a zone.

    A row a sample, as ``book`` gives each: ``b bv a av`` best first, sequence, times, whether it is proven and why not.
    Instants before the first book have no row. ``every``: 250ms, 1s, 5m, 1h, or a timedelta. Sources and errors as of
    ``book``.
    """
    step = interval(every)
    if depth < 1:
        raise ConfigError(f"depth must be at least 1, not {depth}")
    Wanted.of("books", venue, symbol, start, end)  # its checks are those of every other question
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    count = -((start - end) // step)
    if count > MOST_SAMPLES:
        raise ConfigError(f"{count:,} samples are too many: {MOST_SAMPLES:,} at most; ask for fewer")
    instants = (start + number * step for number in range(count))
    found = books_at(venue, symbol, instants, start, end, depth, source, settings)
    return _table(found)


def interval(every: str | timedelta) -> timedelta:
    """The time that a step stands for; raises ConfigError."""
    if isinstance(every, str):
        match = _EVERY.fullmatch(every)
        if match is None:
            raise ConfigError(f"every must be like 250ms, 1s, 5m, 1h or 1d, not {every!r}")
        every = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if every < timedelta(milliseconds=1):
        raise ConfigError(f"every must be at least 1ms, not {every}")
    return every


def books_at(
    venue: str,
    symbol: str,
    instants: Iterable[datetime],
    start: datetime,
    end: datetime,
    depth: int,
    source: str | Path | Store = CLICKHOUSE,
    settings: Settings | None = None,
) -> Iterator[BookAt]:
    """At rising instants in UTC, all of them in [start, end)."""
    settings = settings or load(environment())
    asked = Asked(venue, symbol, start, end)
    statuses = statuses_wanted(venue, symbol, start, end + SKEW)
    if source == CLICKHOUSE:
        stated = Stated(from_clickhouse.pieces(settings, statuses))
        kept, found = _first(changes.from_clickhouse(settings, asked, kept) for kept in _KEPT)
    else:
        store = store_at(archive_root(source, settings))
        stated = Stated(from_archive.pieces(store, statuses, partial=True))
        kept, found = _first(changes.from_archive(store, asked, kept) for kept in _KEPT)
    book, waiting = RunningBook(), next(found, None)
    for at in instants:
        until = changes.ns_of(at)
        while waiting is not None and waiting.received_ns <= until:
            book.take(waiting)
            waiting = next(found, None)
        if book.is_known:
            yield _book(asked, at, kept, book, depth, stated)


_KEPT: tuple[Kept, ...] = ("increments", "published")


def _first(sources: Iterable[Iterator[Change]]) -> tuple[Kept, Iterator[Change]]:
    """The first that has anything."""
    for kept, found in zip(_KEPT, sources, strict=True):
        first = next(found, None)
        if first is not None:
            return kept, chain([first], found)
    return _KEPT[-1], iter(())


def _book(asked: Asked, at: datetime, kept: Kept, book: RunningBook, depth: int, stated: Stated) -> BookAt:
    bids, asks = book.top(depth)
    reasons = [] if book.is_chained else [CHAIN_BROKEN]
    if why := doubt(stated.at(at), at):
        reasons.append(why)
    times = (time_of(book.venue_ns), time_of(book.received_ns))
    reason = "; ".join(reasons)
    return BookAt(asked.venue, asked.symbol, at, kept, bids, asks, book.sequence, *times, not reasons, reason)


def _table(found: Iterable[BookAt]) -> pa.Table:
    columns: dict[str, list[object]] = {name: [] for name in SCHEMA.names}
    for book in found:
        row = {
            **{"exchange": book.exchange, "symbol": book.symbol, "at": book.at, "sequence": book.sequence},
            **{"b": [price for price, _ in book.bids], "bv": [size for _, size in book.bids]},
            **{"a": [price for price, _ in book.asks], "av": [size for _, size in book.asks]},
            **{"venue_time": book.venue_time, "received_time": book.received_at, "source": book.source},
            **{"is_proven": book.is_proven, "reason": book.reason},
        }
        for name, value in row.items():
            columns[name].append(value)
    return pa.table(columns, SCHEMA)
