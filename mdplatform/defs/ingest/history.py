"""A collector's counters over the life of its run, in bounded memory however long it lives. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStats

MOST_READINGS = 60


@dataclass(frozen=True)
class Reading:
    """All connections of a shard at one moment. Counters since the collector's start; lags None where not known."""

    at: float  # s since the epoch
    frames: int = 0
    published: int = 0
    gaps: int = 0
    dead_letters: int = 0
    delivery_ms: float | None = None  # receive to the broker's acknowledgement, p99 of a second
    venue_lag_ms: float | None = None  # venue time to receive time, median of a second


Point = tuple[float, float | None]  # s since the epoch, value


def reading(counters: Mapping[str, FeedStats]) -> Reading | None:
    """The last counters of all connections together; None when no connection has reported any."""
    found = list(counters.values())
    if not found:
        return None
    return Reading(
        at=max(c.ts_ns for c in found) / SECOND,
        frames=sum(c.frames for c in found),
        published=max(c.published for c in found),  # of the process, the same on each connection
        gaps=sum(c.gaps for c in found),
        dead_letters=sum(c.dead_letters for c in found),
        delivery_ms=_slowest(*(c.latency_p99_ms for c in found)),
        venue_lag_ms=_slowest(*(c.venue_lag_ms for c in found)),
    )


class RunHistory:
    """Readings since ``start`` (s since the epoch). When they become too many, each two are merged into one."""

    def __init__(self, start: float, most: int = MOST_READINGS) -> None:
        self._most = most
        self._readings = [Reading(start)]

    def note(self, new: Reading) -> None:
        """Keep it, unless it repeats the one before."""
        if new.at <= self._readings[-1].at:
            return
        self._readings.append(new)
        if len(self._readings) > self._most:
            first, *rest = self._readings
            self._readings = [first, *(_merged(a, b) for a, b in zip(rest[::2], rest[1::2], strict=False))]
            if len(rest) % 2:
                self._readings.append(rest[-1])

    @property
    def start(self) -> float:
        return self._readings[0].at

    @property
    def last(self) -> Reading:
        return self._readings[-1]

    def rates(self, counter: str) -> list[Point]:
        """The counter's growth a second up to each reading."""
        return [(b.at, growth / (b.at - a.at)) for a, b, growth in self._steps(counter)]

    def growths(self, counter: str) -> list[Point]:
        """By how much the counter grew up to each reading."""
        return [(b.at, growth) for _, b, growth in self._steps(counter)]

    def values(self, name: str) -> list[Point]:
        return [(each.at, getattr(each, name)) for each in self._readings[1:]]

    def _steps(self, counter: str) -> list[tuple[Reading, Reading, int]]:
        return [(a, b, getattr(b, counter) - getattr(a, counter)) for a, b in pairwise(self._readings)]


def _merged(a: Reading, b: Reading) -> Reading:
    """The later one, with the longer lags of both: a peak must not vanish."""
    return replace(
        b,
        delivery_ms=_slowest(a.delivery_ms, b.delivery_ms),
        venue_lag_ms=_slowest(a.venue_lag_ms, b.venue_lag_ms),
    )


def _slowest(*lags: float | None) -> float | None:
    return max((lag for lag in lags if lag is not None), default=None)
