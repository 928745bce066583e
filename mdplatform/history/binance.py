"""Binance's public archive: https://github.com/binance/binance-public-data

One zip for each symbol and day (``daily``, the day after) or month (``monthly``, after its first Monday), with one CSV
inside and a ``.CHECKSUM`` file beside it. Depth and metrics are published by the day only, funding by the month only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from mdplatform.core.symbols import Instrument
from mdplatform.history.files import Kind, PublishedFile
from mdplatform.history.publisher import Note, Publisher
from mdplatform.history.rows import batches

BASE_URL = "https://data.binance.vision"
INTERVAL = "1m"  # of klines
DAYS_ONLY: tuple[Kind, ...] = ("bookDepth", "metrics")
MONTHS_ONLY: tuple[Kind, ...] = ("fundingRate",)
BOTH: tuple[Kind, ...] = ("aggTrades", "klines")
OF_CONTRACTS: tuple[Kind, ...] = ("metrics", "fundingRate", "bookTicker")


class Binance(Publisher):
    """One of its markets. ``trades``: the files that hold the trades that are collected live: rows collapse only where
    they bear the same ids."""

    has_checksums = True

    def __init__(self, market: str, trades: Kind, others: tuple[Kind, ...]) -> None:
        self._market, self._trades, self._others = market, trades, others

    def kinds(self, symbol: str, kind: Kind | None) -> tuple[Kind, ...]:
        if kind is None:
            return (self._trades,)
        return (kind,) if kind in self._others else ()

    def base_url(self, kind: Kind) -> str:
        return BASE_URL

    def path(self, file: PublishedFile) -> str:
        pace = "monthly" if file.period.monthly else "daily"
        interval = (INTERVAL,) if file.kind == "klines" else ()
        name = f"{file.venue_symbol}-{INTERVAL if file.kind == 'klines' else file.kind}-{file.period}.zip"
        return "/".join(("data", self._market, pace, file.kind, file.venue_symbol, *interval, name))

    def rows(
        self, paths: Sequence[Path], file: PublishedFile, instrument: Instrument, as_trades: bool, note: Note
    ) -> Iterator[pa.Table]:
        return batches(paths[0], file, self.path(file), instrument, as_trades)

    def has_months(self, kind: Kind) -> bool:
        return kind not in DAYS_ONLY

    def has_days(self, kind: Kind) -> bool:
        return kind not in MONTHS_ONLY


SPOT = Binance("spot", "trades", BOTH)
USDM = Binance("futures/um", "aggTrades", (*BOTH, "bookDepth", *OF_CONTRACTS))
COINM = Binance("futures/cm", "aggTrades", (*BOTH, *OF_CONTRACTS))
