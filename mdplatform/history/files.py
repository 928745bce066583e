"""What a published file is: of which venue, kind, instrument and days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

Kind = Literal[
    "trades", "aggTrades", "klines", "bookDepth", "metrics", "fundingRate", "bookTicker", "ob500", "ob200", "L2-400lv"
]


@dataclass(frozen=True)
class Period:
    """The days of one file that are asked for, in order; ``monthly``: the file holds their whole month."""

    days: tuple[date, ...]
    monthly: bool = False

    def __str__(self) -> str:
        return self.days[0].strftime("%Y-%m" if self.monthly else "%Y-%m-%d")

    @property
    def begin(self) -> datetime:
        return midnight(self.days[0].replace(day=1) if self.monthly else self.days[0])

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        last = month_of(self.days[0])[-1] if self.monthly else self.days[-1]
        return midnight(last + timedelta(days=1))


@dataclass(frozen=True)
class PublishedFile:
    """``venue_symbol`` is the venue's own name, ``symbol`` the canonical one."""

    venue: str
    kind: Kind
    venue_symbol: str
    period: Period
    symbol: str = ""


def periods(days: Sequence[date], has_months: bool, has_days: bool = True) -> Iterator[Period]:
    """The fewest files that hold these days: whole months by the month, the rest by the day where there are such."""
    left = sorted(set(days))
    while left:
        month = month_of(left[0])
        asked = tuple(day for day in left if day in month)
        if has_months and (asked == month or not has_days):
            yield Period(asked, monthly=True)
            del left[: len(asked)]
        else:
            yield Period((left.pop(0),))


def month_of(day: date) -> tuple[date, ...]:
    """All days of the month of ``day``."""
    first = day.replace(day=1)
    days = (first + timedelta(days=n) for n in range(31))
    return tuple(other for other in days if other.month == first.month)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
