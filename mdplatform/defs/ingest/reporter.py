"""What an ingest run reports about its collector: numbers and a picture, with growing intervals."""

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
from mdplatform.defs.ingest.history import RunHistory, reading

READ_S = 15.0
NEWS_S = 2.0
# Once a minute at first, each hour after five hours: 45 times in a day, of some 7 KB each.
SHORTEST_PAUSE, LONGEST_PAUSE, SHARE_OF_AGE = 60.0, 3600.0, 0.2


class CollectorReporter:
    """``report``: where the collector with process id ``pid`` writes its counters. Times are s since the epoch."""

    def __init__(self, shard: Shard, report: Path, pid: int, start: float) -> None:
        self._shard, self._report, self._pid, self._start = shard, report, pid, start
        self._read = self._reported = start
        self._asked = 0.0
        self._missing: dict[tuple[str, str], Uncollected] = {}
        self._history = RunHistory(start)

    def news(self, now: float) -> list[str]:
        """A line for each symbol that is not collected, or is collected again, since the last time."""
        if now - self._asked < NEWS_S:
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
        """Read the counters when they are due; returns an observation when one is due."""
        if now - self._read < READ_S:
            return None
        self._read = now
        counters = read_counters(self._report)
        if (found := reading(counters)) is not None:
            self._history.note(found)
        if now - self._reported < pause(now - self._start):
            return None
        self._reported = now
        # The UI folds a run's events after six lines: what one looks for comes first.
        metadata = {"shard": str(self._shard), **pace(self._history), **totals(counters), **self._memory()}
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


def pace(history: RunHistory) -> dict[str, Any]:
    """Rates and lags at the last reading, and all of the run's life as a picture."""
    messages = history.rates("published")
    if not messages:
        return {}
    panels = (
        (Curve("messages to Kafka", messages, "/s"), Curve("frames from the venue", history.rates("frames"), "/s")),
        (
            Curve("to Kafka's acknowledgement, p99", history.values("delivery_ms"), " ms"),
            Curve("from the venue, median", history.values("venue_lag_ms"), " ms"),
        ),
        (Curve("gaps", history.growths("gaps"), bars=True),),
        (Curve("dead letters", history.growths("dead_letters"), bars=True),),
    )
    last = {
        "messages_per_second": messages[-1][1],
        "delivery_p99_ms": history.last.delivery_ms,
        "venue_lag_ms": history.last.venue_lag_ms,
    }
    known: dict[str, Any] = {name: round(value, 3) for name, value in last.items() if value is not None}
    return {"plot": dg.MetadataValue.md(picture(panels, history.start, history.last.at)), **known}
