"""What an ingest run says of its collector: numbers and a picture, often at first and then seldom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg

from mdplatform.collector.report import read_counters, read_missing
from mdplatform.collector.unlisted import Uncollected
from mdplatform.core.events import FeedStats
from mdplatform.core.process import resident_bytes
from mdplatform.core.shards import Shard
from mdplatform.defs.external.assets import feed_key
from mdplatform.defs.ingest.chart import Curve, picture
from mdplatform.defs.ingest.history import Course, reading

READ_SECONDS = 15.0
NEWS_SECONDS = 2.0
# Every minute at first, every quarter of an hour after five hours: 150 times in a day, 1 MB of the event log.
SHORTEST_PAUSE, LONGEST_PAUSE, SHARE_OF_AGE = 60.0, 900.0, 0.05


class Teller:
    """``report``: where the collector with process id ``pid`` writes its counters. Times are s since the epoch."""

    def __init__(self, shard: Shard, report: Path, pid: int, begun: float) -> None:
        self._shard, self._report, self._pid, self._begun = shard, report, pid, begun
        self._read = self._told = begun
        self._asked = 0.0
        self._missing: dict[tuple[str, str], Uncollected] = {}
        self._course = Course(begun)

    def news(self, now: float) -> list[str]:
        """A line for each symbol that is not collected, or is collected again, since the last time."""
        if now - self._asked < NEWS_SECONDS:
            return []
        self._asked = now
        missing = {(one.symbol, one.cause): one for one in read_missing(self._report)}
        lines = [f"not collected: {one}" for what, one in missing.items() if self._missing.get(what) != one]
        lines += [
            f"no longer {cause}: {symbol} of {self._shard.venue}"
            for symbol, cause in self._missing.keys() - missing.keys()
        ]
        self._missing = missing
        return lines

    def look(self, now: float) -> dg.AssetObservation | None:
        """Read the counters when it is time to; give an observation when it is time to tell them."""
        if now - self._read < READ_SECONDS:
            return None
        self._read = now
        counters = read_counters(self._report)
        if (found := reading(counters)) is not None:
            self._course.note(found)
        if now - self._told < pause(now - self._begun):
            return None
        self._told = now
        # The UI folds a run's events after six lines: what one looks for comes first.
        metadata = {"shard": str(self._shard), **pace(self._course), **totals(counters), **self._memory()}
        if self._missing:
            metadata["not_collected"] = "; ".join(map(str, self._missing.values()))
        return dg.AssetObservation(feed_key(self._shard.venue), metadata=metadata)

    def _memory(self) -> dict[str, Any]:
        found = {"collector_memory_bytes": resident_bytes(self._pid), "run_memory_bytes": resident_bytes()}
        return {name: size for name, size in found.items() if size is not None}


def pause(age: float) -> float:
    """Seconds between two observations of a run that is ``age`` seconds old."""
    return min(LONGEST_PAUSE, max(SHORTEST_PAUSE, age * SHARE_OF_AGE))


def totals(counters: dict[str, FeedStats]) -> dict[str, Any]:
    """Over the shard's connections, since the collector's start."""
    names = ("gaps", "dead_letters", "reconnects", "renewals", "frames", "bytes", "events", "paused_ms")
    sums: dict[str, Any] = {name: sum(getattr(c, name) for c in counters.values()) for name in names}
    for name in ("published", "failed", "queue"):  # of the process, the same on each connection
        sums[name] = max((getattr(c, name) for c in counters.values()), default=0)
    return sums


def pace(course: Course) -> dict[str, Any]:
    """Rates and lags at the last reading, and all of the run's life as a picture."""
    messages = course.rates("published")
    if not messages:
        return {}
    panels = (
        (Curve("messages to Kafka", messages, "/s"), Curve("frames from the venue", course.rates("frames"), "/s")),
        (
            Curve("to Kafka's acknowledgement, p99", course.values("delivery_ms"), " ms"),
            Curve("from the venue, median", course.values("venue_lag_ms"), " ms"),
        ),
        (Curve("gaps", course.growths("gaps"), bars=True),),
        (Curve("dead letters", course.growths("dead_letters"), bars=True),),
    )
    told = {
        "messages_per_second": messages[-1][1],
        "delivery_p99_ms": course.last.delivery_ms,
        "venue_lag_ms": course.last.venue_lag_ms,
    }
    known: dict[str, Any] = {name: round(value, 3) for name, value in told.items() if value is not None}
    return {"plot": dg.MetadataValue.md(picture(panels, course.begun, course.last.at)), **known}
