"""Rows as frames, from ClickHouse or from the archive: the same answer from both.

    from datetime import UTC, datetime
    from mdplatform import read

    hour = {"start": datetime(2026, 11, 21, 9, tzinfo=UTC), "end": datetime(2026, 11, 21, 10, tzinfo=UTC)}
    trades = read.frame("trades", venues="binance", symbols="BTC-USDT", **hour)
    books = read.table("books", venues=["binance", "okx"], source="archive", **hour)
    spreads = read.query("spread_by_venue", symbol="BTC-USD%")
    smile = read.query("option_smile", exchange="deribit", pair="BTC-USD", expiry="20261225")  # drawn by read.drawn
    whole = read.book("binance", "BTC-USDT", datetime(2026, 11, 21, 9, 30, tzinfo=UTC), depth=200)
    every_second = read.books("binance", "BTC-USDT", hour["start"], hour["end"], every="1s", depth=25).to_pandas()
    recorded = read.coverage(venues="binance", **hour)  # what is proven, and each gap
    names = read.symbols("BTC", kinds="perpetual")

Where ClickHouse and the archive are is taken from the settings, as by the command ``mdplatform``.
"""

from mdplatform.read.books import BookAt, book
from mdplatform.read.cells import Cell, Coverage, Gap
from mdplatform.read.covered import coverage
from mdplatform.read.instruments import Symbol, symbols
from mdplatform.read.queries import drawn, query, sql
from mdplatform.read.rows import frame, table
from mdplatform.read.sampled import books

__all__ = [
    "BookAt",
    "Cell",
    "Coverage",
    "Gap",
    "Symbol",
    "book",
    "books",
    "coverage",
    "drawn",
    "frame",
    "query",
    "sql",
    "symbols",
    "table",
]
