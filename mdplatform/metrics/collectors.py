"""The collectors of this host: their reports, one every ten seconds, and the heartbeats of their locks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from prometheus_client.core import Metric

from mdplatform.collector.lock import ShardLock
from mdplatform.collector.report import Facts, read_counters, read_facts, read_missing, reports
from mdplatform.core.errors import UNREADABLE
from mdplatform.core.events import FeedStats
from mdplatform.core.shards import Shard
from mdplatform.metrics import measures
from mdplatform.metrics.measures import Measure, Sample

SILENT_S = 20.0  # as the supervisor has it; the heart beats every second
MS = 1000

# Of a connection, cumulative or as it is: the measure, and where it stands in the counters.
OF_CONNECTION: tuple[tuple[Measure, Callable[[FeedStats], float]], ...] = (
    (measures.SYMBOLS, lambda c: c.symbols),
    (measures.FRAMES, lambda c: c.frames),
    (measures.BYTES, lambda c: c.bytes),
    (measures.EVENTS, lambda c: c.events),
    (measures.RECONNECTS, lambda c: c.reconnects),
    (measures.RENEWALS, lambda c: c.renewals),
    (measures.GAPS, lambda c: c.gaps),
    (measures.DEAD_LETTERS, lambda c: c.dead_letters),
    (measures.LIMITS, lambda c: c.limits_met),
    (measures.PAUSED, lambda c: c.paused_ms / MS),
    (measures.UNFAMILIAR, lambda c: sum(c.unfamiliar.values())),
)
# Of the process, the same in the counters of each of its connections.
OF_PROCESS: tuple[tuple[Measure, Callable[[FeedStats], float]], ...] = (
    (measures.PUBLISHED, lambda c: c.published),
    (measures.FAILED, lambda c: c.failed),
    (measures.QUEUE, lambda c: c.queue),
)
OF_FACTS: tuple[tuple[Measure, Callable[[Facts], float | None]], ...] = (
    (measures.START, lambda f: f.started),
    (measures.MEMORY, lambda f: f.memory_bytes),
    (measures.CPU, lambda f: f.cpu_s),
    (measures.QUEUE_LIMIT, lambda f: f.queue_limit),
)


class _Shard(NamedTuple):
    """What is known of one: ``labels`` are its key and venue, ``beat`` is in s since the epoch."""

    labels: tuple[str, str]
    is_wanted: bool
    beat: float | None
    counters: Sequence[FeedStats]
    facts: Facts | None
    missing: Counter[str]


def collector_families(data_dir: Path, wanted: Iterable[Shard], now: float) -> Iterator[Metric]:
    """Of the shards that are configured, and of those that reported here. ``now`` in s since the epoch."""
    known = [shard for shard in _shards(data_dir, wanted) if shard.is_wanted or shard.counters]
    beats = [(shard.labels, shard.beat) for shard in known]
    yield measures.UP.of((s.labels, float(_lives(s, now))) for s in known if s.is_wanted)
    yield measures.HEARTBEAT.of(_known(beats))
    for measure, fact in OF_FACTS:
        yield measure.of(_known((s.labels, fact(s.facts)) for s in known if s.facts is not None))
    yield measures.NOT_COLLECTED.of(((*s.labels, cause), float(n)) for s in known for cause, n in s.missing.items())
    for measure, value in OF_PROCESS:
        yield measure.of((s.labels, max(map(value, s.counters))) for s in known if s.counters)
    yield measures.DELIVERY.of(_known(_deliveries(known)))
    connections = [((*s.labels, c.conn), c) for s in known for c in s.counters]
    for measure, value in OF_CONNECTION:
        yield measure.of((labels, value(c)) for labels, c in connections)
    yield measures.VENUE_LAG.of(_known((labels, _seconds(c.venue_lag_ms)) for labels, c in connections))
    yield measures.IGNORED.of(((*labels, kind), n) for labels, c in connections for kind, n in c.ignored.items())


def _shards(data_dir: Path, wanted: Iterable[Shard]) -> Iterator[_Shard]:
    found = {path.stem: path for path in reports(data_dir)}
    venues = {shard.key: shard.venue for shard in wanted}
    for key in sorted(found.keys() | venues.keys()):
        counters, facts, missing = _reported(found[key]) if key in found else ([], None, Counter[str]())
        venue = venues.get(key) or next((c.exchange for c in counters), "")
        beat = _beat(ShardLock(str(data_dir), key).path)
        yield _Shard((key, venue), key in venues, beat, counters, facts, missing)


def _reported(report: Path) -> tuple[list[FeedStats], Facts | None, Counter[str]]:
    """Nothing of a file that is not one of ours: others are shown all the same."""
    try:
        missing = Counter(one.cause for one in read_missing(report))
        return list(read_counters(report).values()), read_facts(report), missing
    except UNREADABLE:
        return [], None, Counter()


def _lives(shard: _Shard, now: float) -> bool:
    return shard.beat is not None and now - shard.beat <= SILENT_S


def _beat(lock_file: Path) -> float | None:
    try:
        return lock_file.stat().st_mtime
    except OSError:
        return None


def _deliveries(known: Iterable[_Shard]) -> Iterator[tuple[tuple[str, ...], float | None]]:
    for shard in known:
        for percentile, value in (("50", "latency_p50_ms"), ("99", "latency_p99_ms")):
            stated = [ms for c in shard.counters if (ms := getattr(c, value)) is not None]
            yield (*shard.labels, percentile), _seconds(max(stated, default=None))


def _known(samples: Iterable[tuple[Sequence[str], float | None]]) -> Iterator[Sample]:
    return ((labels, value) for labels, value in samples if value is not None)


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / MS
