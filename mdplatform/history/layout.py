"""Where venues publish their past, and in which files.

Binance (https://github.com/binance/binance-public-data): one zip for each symbol and day (``daily``, the day after) or
month (``monthly``, after its first Monday), with one CSV inside and a ``.CHECKSUM`` file beside it. Books' depth is
published by the day only, and for futures only. Bybit: see ``bybit``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

from mdplatform.history import bybit

BASE_URL = "https://data.binance.vision"
FIRST_DAY = date(2017, 8, 17)  # of the oldest files
INTERVAL = "1m"  # of klines

Kind = Literal["trades", "aggTrades", "klines", "bookDepth", "ob500", "ob200"]
MARKETS = {"binance": "spot", "binance-usdm": "futures/um"}
VENUES = (*MARKETS, bybit.EXCHANGE)
# Which file holds the trades that are collected live: rows collapse only where they bear the same ids.
TRADE_FILES: dict[str, Kind] = {"binance": "trades", "binance-usdm": "aggTrades", bybit.EXCHANGE: "trades"}
BOOK_FILES: tuple[Kind, ...] = ("ob500", "ob200")  # whichever there is, the deeper first


class Source(NamedTuple):
    """What of the past an asset loads."""

    asset: str
    kind: Kind | None  # of the files, as for ``published``
    holds: str


TRADES, BOOKS = "trades_history", "book_increments_history"
# By the kind of channel that collects the same.
LOADED_BY = {
    "trades": (Source(TRADES, None, "the trades"),),
    "book": (Source(BOOKS, "ob500", "whole books, change by change"),),
}


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
    symbol: str = ""  # the canonical one, where the place of the file follows from it

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def path(self) -> str:
        """Below the base address."""
        return self._of_bybit() if self.venue == bybit.EXCHANGE else self._of_binance()

    @property
    def has_checksum(self) -> bool:
        """Whether the venue publishes one beside it."""
        return self.venue in MARKETS

    @property
    def base_url(self) -> str:
        """The venue's own address."""
        if self.venue in MARKETS:
            return BASE_URL
        return bybit.BOOKS_URL if self.kind in BOOK_FILES else bybit.TRADES_URL

    def _of_binance(self) -> str:
        pace = "monthly" if self.period.monthly else "daily"
        interval = (INTERVAL,) if self.kind == "klines" else ()
        name = f"{self.venue_symbol}-{INTERVAL if self.kind == 'klines' else self.kind}-{self.period}.zip"
        return "/".join(("data", MARKETS[self.venue], pace, self.kind, self.venue_symbol, *interval, name))

    def _of_bybit(self) -> str:
        if self.kind in BOOK_FILES:
            name = f"{self.period}_{self.venue_symbol}_{self.kind}.data.zip"
            return f"orderbook/{bybit.category(self.symbol)}/{self.venue_symbol}/{name}"
        return f"trading/{self.venue_symbol}/{self.venue_symbol}{self.period}.csv.gz"


def published(venue: str, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
    """The kinds of files, of which the first that is there is taken, for ``kind``; () where the venue has none.

    None: of trades with the ids of the live ones. "ob500": of whole books.
    """
    if venue == bybit.EXCHANGE:
        category = bybit.category(symbol)
        if kind is None and category == "linear":  # of spot the ids are others
            return ("trades",)
        return BOOK_FILES if kind == "ob500" and category != "inverse" else ()  # its sizes are not in base units
    if venue not in MARKETS or kind == "ob500" or (kind == "bookDepth" and venue != "binance-usdm"):
        return ()
    return (kind or TRADE_FILES[venue],)


def has_months(venue: str, kind: Kind) -> bool:
    """Whether there are files of whole months."""
    return venue in MARKETS and kind != "bookDepth"


def periods(days: Sequence[date], kind: Kind) -> Iterator[Period]:
    """The fewest files of Binance that hold these days: whole months by the month, the rest by the day."""
    left = sorted(set(days))
    while left:
        whole = month_of(left[0])
        if kind not in ("bookDepth", *BOOK_FILES) and tuple(left[: len(whole)]) == whole:
            yield Period(whole, monthly=True)
            del left[: len(whole)]
        else:
            yield Period((left.pop(0),))


def month_of(day: date) -> tuple[date, ...]:
    """All days of the month of ``day``."""
    first = day.replace(day=1)
    days = (first + timedelta(days=n) for n in range(31))
    return tuple(other for other in days if other.month == first.month)
