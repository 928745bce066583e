"""The changes of one book in the order of receipt, from ClickHouse or from the archive, and the book that they give.

Two collectors may have recorded the same changes: neither the order nor a repeated change alters the book.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from heapq import nlargest, nsmallest
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.archive.layout import Partition, is_published
from mdplatform.archive.store import Store
from mdplatform.core.settings import Settings
from mdplatform.read.from_archive import pieces as archived_pieces
from mdplatform.read.request import HOUR, Wanted
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect_reader

Level = tuple[float, float]  # price, size in base units
Kept = Literal["increments", "published"]  # published: the best levels alone, each book a snapshot
# The longest time between two snapshots of a lively book; a quiet one is snapshotted with its next update.
REACH = timedelta(days=1)
# Rows lie in the archive by venue time: as far as a venue's clock may be ahead of ours, or behind it.
SKEW = timedelta(minutes=10)
# Of two collectors one may receive an update before the other makes the snapshot that it follows.
OVERLAP_NS = 5 * 10**9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Change(NamedTuple):
    """A row of the increments, or a published book as a snapshot; sizes absolute, 0 deletes; times in ns."""

    kind: str
    b: list[float]
    bv: list[float]
    a: list[float]
    av: list[float]
    first_sequence: int | None
    sequence: int
    previous_sequence: int | None
    venue_ns: int
    received_ns: int


def follows_from_ns(venue_ns: int, received_ns: int) -> int:
    """From which venue time on an update may follow a snapshot with these times.

    One for which the venue states no time has that of its receipt, and is no bound: an update that follows it may have
    left before, and the clock here may be ahead.
    """
    return 0 if venue_ns == received_ns else venue_ns


class RunningBook:
    """The book after each change, by the rules of md_book_at: the last size stated of each price, by sequence."""

    def __init__(self) -> None:
        self.sequence = 0
        self.venue_ns = 0
        self.received_ns = 0
        self._start: Change | None = None
        self._bids: dict[float, tuple[int, float]] = {}  # price -> sequence, size
        self._asks: dict[float, tuple[int, float]] = {}
        self._recent: deque[Change] = deque()
        self._known: set[int] = set()
        self._lacking: set[int] = set()  # sequences that an update follows and that are not known

    @property
    def is_known(self) -> bool:
        """Whether there was a snapshot."""
        return self._start is not None

    @property
    def is_chained(self) -> bool:
        """Whether each update since the snapshot follows one that is here."""
        return not self._lacking

    def take(self, change: Change) -> None:
        """The next change by receive time."""
        if change.kind == "snapshot":
            if self._start is None or (change.sequence, change.venue_ns) != (
                self._start.sequence,
                self._start.venue_ns,
            ):
                self._begin(change)
            return
        while self._recent and self._recent[0].received_ns < change.received_ns - OVERLAP_NS:
            self._recent.popleft()
        self._recent.append(change)
        if self._start is not None:
            self._follow(self._start, change)

    def top(self, depth: int) -> tuple[list[Level], list[Level]]:
        """The best levels of each side, best first."""
        bids = [(price, size) for price, (_, size) in self._bids.items() if size]
        asks = [(price, size) for price, (_, size) in self._asks.items() if size]
        return nlargest(depth, bids), nsmallest(depth, asks)

    def _begin(self, snapshot: Change) -> None:
        repeats = self.is_known and (snapshot.sequence, snapshot.venue_ns) == (self.sequence, self.venue_ns)
        self._start = snapshot
        self._bids, self._asks = {}, {}
        self._known, self._lacking = {snapshot.sequence}, set()
        self._set(snapshot)
        self.sequence, self.venue_ns = snapshot.sequence, snapshot.venue_ns
        self.received_ns = self.received_ns if repeats else snapshot.received_ns
        for update in sorted(self._recent, key=lambda each: each.sequence):
            if update.received_ns >= snapshot.received_ns - OVERLAP_NS:
                self._follow(snapshot, update)

    def _follow(self, start: Change, update: Change) -> None:
        if update.sequence in self._known or update.sequence < start.sequence:
            return
        if update.venue_ns < follows_from_ns(start.venue_ns, start.received_ns):
            return
        self._set(update)
        self._known.add(update.sequence)
        self._lacking.discard(update.sequence)
        if update.previous_sequence is not None and update.previous_sequence not in self._known:
            self._lacking.add(update.previous_sequence)
        if update.sequence >= self.sequence:
            self.sequence, self.venue_ns = update.sequence, update.venue_ns
        self.received_ns = max(self.received_ns, update.received_ns)

    def _set(self, change: Change) -> None:
        for side, prices, sizes in ((self._bids, change.b, change.bv), (self._asks, change.a, change.av)):
            for price, size in zip(prices, sizes, strict=True):
                known = side.get(price)
                if known is None or change.sequence >= known[0]:
                    side[price] = (change.sequence, size)


class Chain:
    """Gives each change once, in the order in which they apply: as a single collector without a gap records them.

    A snapshot stands where the book starts and after a break; those in between repeat what is known and are left out.
    """

    def __init__(self) -> None:
        self._last: Change | None = None
        self._waiting: dict[int, Change] = {}  # by the sequence that they follow

    def take(self, change: Change) -> Iterator[Change]:
        """What applies now that this one, the next by receive time, is here."""
        last = self._last
        if change.kind == "snapshot":
            if last is not None and _repeats(change, last):
                return
            self._waiting = {before: each for before, each in self._waiting.items() if each.sequence > change.sequence}
        elif last is None or change.sequence <= last.sequence:
            return
        elif change.previous_sequence not in (None, last.sequence):
            self._waiting[change.previous_sequence or 0] = change
            return
        following: Change | None = change
        while following is not None:
            self._last = following
            yield following
            following = self._waiting.pop(following.sequence, None)


def in_chain(changes: Iterable[Change]) -> Iterator[Change]:
    """All of them by one ``Chain``."""
    chain = Chain()
    for change in changes:
        yield from chain.take(change)


def _repeats(snapshot: Change, last: Change) -> bool:
    """Whether all of it is known: it is not newer. Where a venue numbers from the start again, time goes on."""
    return snapshot.sequence <= last.sequence and not (
        snapshot.sequence < last.sequence and snapshot.venue_ns > last.venue_ns
    )


@dataclass(frozen=True)
class Asked:
    """Changes of one book that were received in [start, end), and those from the last snapshot before on."""

    venue: str
    symbol: str
    start: datetime
    end: datetime


def from_clickhouse(settings: Settings, asked: Asked, kept: Kept = "increments") -> Iterator[Change]:
    """An hour a query, in the order of receipt; raises WarehouseError."""
    name = "book_changes" if kept == "increments" else "published_books"
    feed = {"exchange": asked.venue, "symbol": asked.symbol}
    with connect_reader(settings) as client:
        for start, end in hours_of(asked.start, asked.end):
            begin = 0 if start == asked.start else ns_of(start)
            for batch in stream(client, name, **feed, start=text_of(start), end=text_of(end)):
                yield from (change for change in _changes(batch) if change.received_ns >= begin)


def from_archive(store: Store, asked: Asked, kept: Kept = "increments") -> Iterator[Change]:
    """The same; hours that are not archived are passed over. Raises ArchiveError for damaged ones."""
    wanted, hours = _archived_hours(store, asked, kept)
    since, end = _last_snapshot(store, wanted, hours, ns_of(asked.start), kept), ns_of(asked.end)
    waiting: list[Change] = []
    for hour in hours:
        if ns_of(hour + HOUR + SKEW) <= since:
            continue
        received = pc.field("received_time").cast(pa.int64())
        waiting += _archived(_of_hour(store, wanted, hour).filter((received >= since) & (received < end)))
        waiting.sort(key=_order)
        sure = ns_of(hour + HOUR - SKEW)  # what later hours hold was received after this
        yield from (change for change in waiting if change.received_ns < sure)
        waiting = [change for change in waiting if change.received_ns >= sure]
    yield from waiting


def archived_at(store: Store, venue: str, symbol: str, at: datetime, kept: Kept = "increments") -> pa.Table:
    """The rows of which the book at ``at`` is made, in the columns of Change; raises ArchiveError for damaged hours."""
    wanted, hours = _archived_hours(store, Asked(venue, symbol, at, at), kept)
    since = _last_snapshot(store, wanted, hours, ns_of(at), kept)
    near = replace(wanted, start=time_of(since) - SKEW)
    tables = [_of_hour(store, near, hour) for hour in hours if ns_of(hour + HOUR + SKEW) > since]
    return _as_changes(pa.concat_tables([wanted.dataset.schema.empty_table(), *tables]))


def _archived_hours(store: Store, asked: Asked, kept: Kept) -> tuple[Wanted, list[datetime]]:
    """Rows from as far back as a snapshot may be, and the hours of them that are archived."""
    dataset = "increments" if kept == "increments" else "books"
    wanted = Wanted.of(dataset, asked.venue, asked.symbol, asked.start - REACH, asked.end + SKEW)
    return wanted, [hour for hour in wanted.hours if is_published(store, Partition(dataset, asked.venue, hour))]


def _last_snapshot(store: Store, wanted: Wanted, hours: list[datetime], until: int, kept: Kept) -> int:
    """From which receive time on changes are needed for the book at ``until``; that itself without a snapshot."""
    for hour in reversed(hours):
        if ns_of(hour - SKEW) <= until:
            table = _of_hour(store, wanted, hour, ("received_time", *(("kind",) if kept == "increments" else ())))
            received = table["received_time"].cast(pa.int64())
            counts = pc.less_equal(received, until)
            if kept == "increments":
                counts = pc.and_(counts, pc.equal(table["kind"], "snapshot"))
            found = pc.max(received.filter(counts)).as_py()
            if found is not None:
                return int(found) - OVERLAP_NS
    return until


def _of_hour(store: Store, wanted: Wanted, hour: datetime, columns: tuple[str, ...] = ()) -> pa.Table:
    """What is wanted of an hour; no ``columns``: all of them."""
    one = replace(wanted, start=max(hour, wanted.start), end=min(hour + HOUR, wanted.end))
    empty = wanted.dataset.schema.empty_table()
    tables = [empty.select(columns) if columns else empty]
    if one.start < one.end:
        tables += [table for _, table in archived_pieces(store, one, partial=True, columns=columns)]
    return pa.concat_tables(tables)


def _archived(table: pa.Table) -> Iterator[Change]:
    for batch in _as_changes(table).to_batches():
        yield from _changes(batch)


def _as_changes(table: pa.Table) -> pa.Table:
    """Rows of the archive in the columns of Change."""
    count = table.num_rows
    has_kind = "kind" in table.schema.names
    columns = {
        "kind": table["kind"] if has_kind else pa.array(["snapshot"] * count),
        **{name: table[name] for name in ("b", "bv", "a", "av")},
        "first_sequence": table["first_sequence"] if has_kind else pa.nulls(count, pa.int64()),
        **{name: table[name] for name in ("sequence", "previous_sequence")},
        "venue_ns": table["venue_time"].cast(pa.int64()),
        "received_ns": table["received_time"].cast(pa.int64()),
    }
    return pa.table(columns)


def _changes(batch: pa.RecordBatch) -> Iterator[Change]:
    yield from map(Change._make, zip(*(batch[name].to_pylist() for name in Change._fields), strict=True))


def _order(change: Change) -> tuple[int, int, bool]:
    return change.received_ns, change.sequence, change.kind == "snapshot"


def hours_of(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """[start, end) cut at whole hours: a reader's questions are bounded in rows and time."""
    while start < end:
        until = min(start.replace(minute=0, second=0, microsecond=0) + HOUR, end)
        yield start, until
        start = until


def text_of(at: datetime) -> str:
    """As queries take it."""
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def ns_of(at: datetime) -> int:
    """Of a time with a zone, ns since the epoch."""
    return (at - EPOCH) // MICROSECOND * 1000


def time_of(ns: int) -> datetime:
    """As fine as a datetime is."""
    return EPOCH + timedelta(microseconds=ns // 1000)
