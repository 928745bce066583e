"""Coverage from an archive: from its intervals and its manifests, by the rules of md_feed_proven and md_feed_gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from mdplatform.archive import manifest as manifests
from mdplatform.archive.layout import Partition, is_published
from mdplatform.archive.open_store import Root, store_at
from mdplatform.archive.store import Store
from mdplatform.core.errors import ArchiveError
from mdplatform.read import from_archive
from mdplatform.read.cells import COUNTED, JOINING, Cell, Feed, Gap
from mdplatform.read.request import HOUR, Wanted

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_NS = 3600 * 10**9
KNOWN_BEFORE = timedelta(days=1)  # a feed is known from the first word of it, looked for so far back
NOT_ARCHIVED = "not archived"
Stretch = tuple[int, int]  # receive time in ns, its end not included


@dataclass(frozen=True)
class Interval:
    """One of a collector, its pieces of several hours as one again; times in ns."""

    feed: Feed
    collector: str
    state: str
    cause: str
    starts: int
    ends: int | None
    missed: int | None


def cells_and_gaps(root: Root, wanted: Wanted, channels: frozenset[str]) -> tuple[list[Cell], list[Gap]]:
    """By hour, up to the last whole one of the range. Raises ArchiveError."""
    store = store_at(root)
    hours = [hour for hour in wanted.hours if hour + HOUR <= wanted.end]
    intervals = [found for found in _intervals(store, wanted) if found.feed[2] in channels]
    by_feed: dict[Feed, list[Interval]] = {}
    for interval in intervals:
        by_feed.setdefault(interval.feed, []).append(interval)
    archived = {exchange: _archived(store, exchange, hours) for exchange in {feed[0] for feed in by_feed}}
    rows = {exchange: _rows(store, exchange, hours, channels) for exchange in archived}
    cells: list[Cell] = []
    gaps: list[Gap] = []
    for feed, of_feed in sorted(by_feed.items()):
        proven = _proven(of_feed)
        since = min(interval.starts for interval in of_feed)
        found = list(_gaps(of_feed, proven, _ns(hours[0]) if hours else 0, hours))
        gaps += found
        for hour in hours:
            cell = _cell(feed, hour, since, proven, [gap for gap in found if hour <= gap.started_at < hour + HOUR])
            if cell is not None:
                counted = rows[feed[0]].get((feed[1], feed[2], hour), (0, 0))
                cells.append(_as_archived(replace(cell, rows=counted[0], refilled=counted[1]), archived[feed[0]]))
    cells.sort(key=lambda cell: (cell.start, cell.feed))
    return cells, sorted(gaps, key=lambda gap: (gap.started_at, gap.feed, gap.collector, gap.state))


def _as_archived(cell: Cell, archived: frozenset[datetime]) -> Cell:
    """Of an hour that is not in the archive nothing is proven by it."""
    return cell if cell.start in archived else replace(cell, proven=0.0, causes=NOT_ARCHIVED)


def _intervals(store: Store, wanted: Wanted) -> Iterator[Interval]:
    before = replace(wanted, start=wanted.start - KNOWN_BEFORE)
    pieces: dict[tuple[Any, ...], Interval] = {}
    for _, table in from_archive.pieces(store, before, partial=True):
        for row in _in_ns(table).to_pylist():
            feed = (row["exchange"], row["symbol"], row["channel"])
            piece = Interval(
                feed, *(row[name] for name in ("collector", "state", "cause", "started_time", "ended_time", "missed"))
            )
            key = (feed, piece.collector, piece.state, piece.starts)
            known = pieces.get(key, piece)
            ends = max((end for end in (known.ends, piece.ends) if end is not None), default=None)
            missed = piece.missed if piece.missed is not None else known.missed
            pieces[key] = replace(piece, ends=ends, missed=missed)
    yield from pieces.values()


def _in_ns(table: pa.Table) -> pa.Table:
    for name in ("started_time", "ended_time"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].cast(pa.int64()))
    return table


def _proven(intervals: Iterable[Interval]) -> list[Stretch]:
    """When some collector proved the feed: what one calls valid and never down, those of all as one."""
    by_collector: dict[str, list[Interval]] = {}
    for interval in intervals:
        by_collector.setdefault(interval.collector, []).append(interval)
    stretches = sorted(stretch for each in by_collector.values() for stretch in _valid(each))
    joined: list[Stretch] = []
    for starts, ends in stretches:
        if joined and starts <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((starts, ends))
    return joined


def _valid(intervals: Iterable[Interval]) -> Iterator[Stretch]:
    edges: dict[int, tuple[int, int]] = {}
    for interval in intervals:
        step = (int(interval.state == "valid"), int(interval.state == "down"))
        if any(step):
            ends = interval.starts if interval.ends is None else interval.ends
            for at, sign in ((interval.starts, 1), (ends, -1)):
                known = edges.get(at, (0, 0))
                edges[at] = (known[0] + sign * step[0], known[1] + sign * step[1])
    valid = down = 0
    times = sorted(edges)
    for at, following in zip(times, [*times[1:], *times[-1:]], strict=True):
        valid, down = valid + edges[at][0], down + edges[at][1]
        if valid > 0 and down == 0 and following > at:
            yield at, following


def _gaps(intervals: Iterable[Interval], proven: list[Stretch], since: int, hours: list[datetime]) -> Iterator[Gap]:
    until = _ns(hours[-1]) + HOUR_NS if hours else 0
    for interval in intervals:
        if interval.state != "valid" and interval.cause not in JOINING and since <= interval.starts < until:
            yield Gap(
                *interval.feed,
                *(interval.collector, interval.state, interval.cause),
                _time(interval.starts),
                None if interval.ends is None else _time(interval.ends),
                interval.missed,
                _is_within(interval, proven),
            )


def _is_within(interval: Interval, proven: list[Stretch]) -> bool:
    for starts, ends in reversed(proven):
        if starts <= interval.starts:
            return interval.starts < ends if interval.ends is None else interval.ends <= ends
    return False


def _cell(feed: Feed, hour: datetime, since: int, proven: list[Stretch], gaps: list[Gap]) -> Cell | None:
    """None where the feed was not known yet."""
    begin, end = max(_ns(hour), since), _ns(hour) + HOUR_NS
    if begin >= end:
        return None
    held = sum(max(0, min(ends, end) - max(starts, begin)) for starts, ends in proven)
    real = [gap for gap in gaps if not gap.prevented]
    causes = sorted({f"{gap.state} ({gap.cause})" for gap in real})[:5]
    return Cell(
        hour,
        *feed,
        proven=round(held / (end - begin), 6),
        judged_s=(end - begin) / 1e9,
        gaps=len(real),
        prevented=len(gaps) - len(real),
        missed=sum(gap.missed or 0 for gap in real),
        refilled=0,
        rows=0,
        causes=", ".join(causes),
    )


def _archived(store: Store, exchange: str, hours: Iterable[datetime]) -> frozenset[datetime]:
    partitions = [Partition("statuses", exchange, hour) for hour in hours]
    return frozenset(each.hour for each in partitions if is_published(store, each))


def _rows(
    store: Store, exchange: str, hours: Iterable[datetime], channels: frozenset[str]
) -> Mapping[tuple[str, str, datetime], tuple[int, int]]:
    """(symbol, channel, hour) -> rows and, of trades, those that came by REST."""
    found: dict[tuple[str, str, datetime], tuple[int, int]] = {}
    for hour in hours:
        for channel, dataset in ((each, name) for each in channels for name in COUNTED.get(each, ())):
            partition = Partition(dataset, exchange, hour)
            try:
                manifest = manifests.read(store, partition)
            except ArchiveError:
                continue  # not in the archive
            refilled = from_archive.refilled(store, partition) if dataset == "trades" else {}
            for entry in manifest.symbols:
                rows, late = found.get((entry.symbol, channel, hour), (0, 0))
                found[entry.symbol, channel, hour] = (rows + entry.rows, late + refilled.get(entry.symbol, 0))
    return found


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * 10**9


def _time(ns: int) -> datetime:
    return EPOCH + timedelta(microseconds=ns // 1000)
