"""Where Binance publishes its past: https://github.com/binance/binance-public-data.

One zip for each symbol and day (``daily``, the day after) or month (``monthly``, after its first Monday), with one CSV
inside and a ``.CHECKSUM`` file beside it. Books' depth is published by the day only, and for futures only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

BASE_URL = "https://data.binance.vision"
FIRST_DAY = date(2017, 8, 17)  # of the oldest files
INTERVAL = "1m"  # of klines

Kind = Literal["trades", "aggTrades", "klines", "bookDepth"]
MARKETS = {"binance": "spot", "binance-usdm": "futures/um"}
# Which file holds the trades that are collected live: rows collapse only where they bear the same ids.
TRADE_FILES: dict[str, Kind] = {"binance": "trades", "binance-usdm": "aggTrades"}


@dataclass(frozen=True)
class Period:
    """The days of one file, in order: one, or those of a month."""

    days: tuple[date, ...]
    monthly: bool = False

    def __str__(self) -> str:
        return self.days[0].strftime("%Y-%m" if self.monthly else "%Y-%m-%d")


@dataclass(frozen=True)
class HistoryFile:
    """One file: ``venue_symbol`` is the venue's own name."""

    venue: str
    kind: Kind
    venue_symbol: str
    period: Period

    @property
    def name(self) -> str:
        part = INTERVAL if self.kind == "klines" else self.kind
        return f"{self.venue_symbol}-{part}-{self.period}.zip"

    @property
    def path(self) -> str:
        """Below the base address."""
        pace = "monthly" if self.period.monthly else "daily"
        interval = (INTERVAL,) if self.kind == "klines" else ()
        return "/".join(("data", MARKETS[self.venue], pace, self.kind, self.venue_symbol, *interval, self.name))


def is_published(venue: str, kind: Kind) -> bool:
    """Whether the venue publishes files of this kind at all."""
    return kind != "bookDepth" or venue == "binance-usdm"


def periods(days: Sequence[date], kind: Kind) -> Iterator[Period]:
    """The fewest files that hold these days: whole months by the month, the rest by the day."""
    left = sorted(set(days))
    while left:
        whole = month_of(left[0])
        if kind != "bookDepth" and tuple(left[: len(whole)]) == whole:
            yield Period(whole, monthly=True)
            del left[: len(whole)]
        else:
            yield Period((left.pop(0),))


def month_of(day: date) -> tuple[date, ...]:
    """All days of the month of ``day``."""
    first = day.replace(day=1)
    days = (first + timedelta(days=n) for n in range(31))
    return tuple(other for other in days if other.month == first.month)
