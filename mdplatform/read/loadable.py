"""What of the unproven time can still be had from venues' archives, by which asset, and the command that loads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from mdplatform.history.layout import LOADED_BY, published
from mdplatform.read.cells import Cell
from mdplatform.read.request import HOUR

DAY = timedelta(days=1)


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
        """One for each range of days without a hole."""
        return [
            f"MDPLATFORM_HISTORY={self.exchange}:{self.symbol} dagster asset materialize -m mdplatform.definitions "
            f"--select {self.asset} {_partitions(first, last)}"
            for first, last in _ranges(self.days)
        ]


def loadable(
    cells: Iterable[Cell], known: Iterable[tuple[str, str, str]], start: datetime, end: datetime
) -> list[Loadable]:
    """Of these feeds in [start, end), what is not whole by their hourly cells. An hour without a cell is not proven.

    Files appear the day after: today's are left out.
    """
    unproven: dict[tuple[str, str, str], dict[datetime, float]] = {}
    hours = [start + number * HOUR for number in range(-((start - end) // HOUR))]
    until = min(end, datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    for feed in known:
        if LOADED_BY.get(feed[2]):
            unproven[feed] = {hour: (min(hour + HOUR, end) - hour).total_seconds() for hour in hours if hour < until}
    for cell in cells:
        if cell.start in (of_feed := unproven.get(cell.feed, {})):
            # What came before the feed was first known of is not judged by its cell.
            of_feed[cell.start] -= cell.proven * cell.judged_s
    found = []
    for feed, seconds in sorted(unproven.items()):
        lacking = {hour: left for hour, left in seconds.items() if left >= LEAST_S}
        found += list(_of(feed, lacking)) if lacking else []
    return found


LEAST_S = 0.001  # shares are rounded


def _of(feed: tuple[str, str, str], lacking: dict[datetime, float]) -> Iterator[Loadable]:
    days = tuple(sorted({hour.date() for hour in lacking}))
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
