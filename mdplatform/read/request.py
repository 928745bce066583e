"""What is requested: a dataset, venues, symbols, a time range; refused in one line where it cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from mdplatform.archive.datasets import DATASETS, Dataset
from mdplatform.core.errors import ConfigError
from mdplatform.venues import venue_ids

HOUR = timedelta(hours=1)
# Rows that last: the column that says until when.
LASTING = {"statuses": "ended_time"}


@dataclass(frozen=True)
class Wanted:
    """Rows of [start, end), in UTC; no venues or symbols: all of them."""

    dataset: Dataset
    venues: tuple[str, ...]
    symbols: tuple[str, ...]
    start: datetime
    end: datetime

    @classmethod
    def of(
        cls,
        dataset: str,
        venues: str | Iterable[str],
        symbols: str | Iterable[str],
        start: datetime,
        end: datetime,
    ) -> Wanted:
        """Raises ConfigError for a dataset or venue that nobody knows, times without a time zone, an empty range."""
        if dataset not in DATASETS:
            raise ConfigError(f"no dataset {dataset!r}; there are {', '.join(DATASETS)}")
        wanted_venues = _several(venues)
        known = venue_ids()
        if strange := [venue for venue in wanted_venues if venue not in known]:
            raise ConfigError(f"no venue {strange[0]!r}; there are {', '.join(known)}")
        for name, at in (("start", start), ("end", end)):
            if not isinstance(at, datetime) or at.tzinfo is None:
                raise ConfigError(f"{name} must be a datetime with a time zone, not {at!r}: say tzinfo=UTC")
        if start >= end:
            raise ConfigError(f"the range is empty: it starts at {start.isoformat()} and ends at {end.isoformat()}")
        return cls(DATASETS[dataset], wanted_venues, _several(symbols), start.astimezone(UTC), end.astimezone(UTC))

    @property
    def hours(self) -> list[datetime]:
        """The first instants of all hours that the range touches."""
        first = self.start.replace(minute=0, second=0, microsecond=0)
        return [first + number * HOUR for number in range(-((first - self.end) // HOUR))]

    @property
    def within(self) -> pc.Expression:
        """Which rows are meant: those with a time in the range; of what lasts, all that touches it."""
        start, end = (pa.scalar(at, pa.timestamp("ns", "UTC")) for at in (self.start, self.end))
        begun = pc.field("timestamp") >= start
        if (until := LASTING.get(self.dataset.name)) is not None:
            begun = begun | (pc.field(until) > start)
        rows = begun & (pc.field("timestamp") < end)
        if len(self.symbols) == 1:  # by an equality Parquet's statistics leave out row groups
            return rows & (pc.field("symbol") == self.symbols[0])
        return rows & pc.field("symbol").isin(list(self.symbols)) if self.symbols else rows


def _several(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(dict.fromkeys(names))
