"""What of the unproven time can still be had from venues' archives, by which asset, and the command that loads it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from mdplatform.history.layout import LOADED_BY, published
from mdplatform.read.cells import Feed
from mdplatform.read.request import HOUR

DAY = timedelta(days=1)
Proven = tuple[Feed, datetime, float]  # of a step that begins then, the seconds for which the feed was proven


@dataclass(frozen=True)
class Loadable:
    """Days of one instrument that its venue publishes and in which a channel was not proven, or not collected."""

    exchange: str
    symbol: str
    channel: str
    asset: str  # that loads them
    holds: str  # what the venue's files hold
    days: tuple[date, ...]
    unproven_s: float  # of these days

    @property
    def commands(self) -> list[str]:
        """For a shell, one for each range of days without a hole."""
        wanted = shlex.quote(f"{self.exchange}:{self.symbol}")
        return [
            f"MDPLATFORM_HISTORY={wanted} dagster asset materialize -m mdplatform.definitions "
            f"--select {self.asset} {_partitions(first, last)}"
            for first, last in _ranges(self.days)
        ]


def loadable(
    proven: Iterable[Proven], known: Iterable[Feed], start: datetime, end: datetime, step: timedelta = HOUR
) -> list[Loadable]:
    """Of these feeds in [start, end), what is not whole. A step of which nothing is said is not proven.

    ``step``: hours, or days, as of ``proven``. Files appear the day after: today's are left out.
    """
    unproven: dict[Feed, dict[datetime, float]] = {}
    first = start if step == HOUR else start.replace(hour=0)
    steps = [first + number * step for number in range(-((first - end) // step))]
    until = min(end, datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    for feed in known:
        if LOADED_BY.get(feed[2]):
            unproven[feed] = {at: (min(at + step, end) - max(at, start)).total_seconds() for at in steps if at < until}
    for feed, at, seconds in proven:
        if at in (of_feed := unproven.get(feed, {})):
            of_feed[at] -= seconds
    found = []
    for feed, lacks in sorted(unproven.items()):
        lacking = {at: left for at, left in lacks.items() if left >= LEAST_S}
        found += list(_of(feed, lacking)) if lacking else []
    return found


LEAST_S = 0.001  # shares are rounded


def _of(feed: Feed, lacking: dict[datetime, float]) -> Iterator[Loadable]:
    days = tuple(sorted({at.date() for at in lacking}))
    for source in LOADED_BY[feed[2]]:
        if published(feed[0], feed[1], source.kind):
            yield Loadable(*feed, source.asset, source.holds, days, sum(lacking.values()))


def _ranges(days: tuple[date, ...]) -> Iterator[tuple[date, date]]:
    first = days[0]
    for day, following in pairwise(days):
        if following - day != DAY:
            yield first, day
            first = following
    yield first, days[-1]


def _partitions(first: date, last: date) -> str:
    return f"--partition {first}" if first == last else f"--partition-range {first}...{last}"
