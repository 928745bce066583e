"""A collector's report to the process that started it (``mdplatform collect --report FILE``): writing and reading it.

FILE gets the latest counters of each connection, every ten seconds; files beside it get what the process takes, as
often, and what is not collected, whenever that changes.
"""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from mdplatform.collector.downtime import Feed
from mdplatform.collector.unlisted import CAUSES, Uncollected, uncollected
from mdplatform.core.events import FeedStats, FeedStatus
from mdplatform.core.private import private_file
from mdplatform.core.process import resident_bytes

REPORT_NS = 10 * 10**9
JUDGED_NS = 5 * 10**9  # what is missing is looked through so often while nothing of it changes


class Facts(msgspec.Struct, frozen=True):
    """Of a collector's process; ``started`` in s since the epoch."""

    started: float
    memory_bytes: int | None  # None where the kernel does not say
    cpu_s: float
    queue_limit: int  # waiting messages at which sockets are no longer read


class Reporter:
    """Keeps the last counters of each connection and writes them to ``path`` every ten seconds."""

    def __init__(self, path: Path, queue_limit: int) -> None:
        self._path, self._queue_limit, self._started = path, queue_limit, time.time()
        self._last: dict[str, FeedStats] = {}
        self._written_ns = 0
        self._feeds: dict[Feed, FeedStatus] = {}
        self._missing: list[Uncollected] = []
        self._judged_ns = 0

    def __call__(self, stats: FeedStats) -> None:
        self._last[stats.conn] = stats
        if stats.ts_ns - self._written_ns >= REPORT_NS:
            self._written_ns = stats.ts_ns
            write_counters(self._path, self._last)
            facts = Facts(self._started, resident_bytes(), time.process_time(), self._queue_limit)
            _write(facts_file(self._path), facts)

    def note(self, status: FeedStatus) -> None:
        """Note a status that was published."""
        before = self._feeds.get((status.symbol, status.channel))
        self._feeds[status.symbol, status.channel] = status
        if status.cause not in CAUSES and (before is None or before.cause not in CAUSES):
            return
        now_ns = max(status.started_ns, status.ended_ns or 0)
        is_extended = before is not None and (before.cause, before.started_ns) == (status.cause, status.started_ns)
        if is_extended and now_ns - self._judged_ns < JUDGED_NS:
            return  # else each of many that are missing would have all of them looked through
        self._judged_ns = now_ns
        missing = uncollected(self._feeds, now_ns)
        if missing != self._missing:
            self._missing = missing
            _write(missing_file(self._path), missing)


def report_file(data_dir: Path, shard: str) -> Path:
    """Where the supervisor has the collector of the shard with this key report."""
    return data_dir / "ingest" / f"{shard}.json"


def reports(data_dir: Path) -> list[Path]:
    """The report files of all shards that were ever collected with this directory."""
    return sorted(path for path in report_file(data_dir, "*").parent.glob("*.json") if "." not in path.stem)


def files_of(report: Path) -> list[Path]:
    """All that a collector writes for one report."""
    return [report, missing_file(report), facts_file(report)]


def facts_file(report: Path) -> Path:
    """Beside the counters: what the process takes."""
    return report.with_suffix(".process.json")


def missing_file(report: Path) -> Path:
    """Beside the counters: what is not collected."""
    return report.with_suffix(".missing.json")


def read_missing(report: Path) -> list[Uncollected]:
    """Empty where everything is collected."""
    try:
        return msgspec.json.decode(missing_file(report).read_bytes(), type=list[Uncollected])
    except FileNotFoundError:
        return []


def read_facts(report: Path) -> Facts | None:
    """None when the collector has not reported yet."""
    try:
        return msgspec.json.decode(facts_file(report).read_bytes(), type=Facts)
    except FileNotFoundError:
        return None


def write_counters(path: Path, counters: dict[str, FeedStats]) -> None:
    _write(path, counters)


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with private_file(temporary) as file:
        file.write(msgspec.json.encode(content))
    temporary.replace(path)


def read_counters(path: Path) -> dict[str, FeedStats]:
    """By connection; empty when the collector has not reported yet."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, FeedStats])
    except FileNotFoundError:
        return {}
