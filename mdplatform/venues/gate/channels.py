"""Channels of both sections, by their names behind the section's (``spot.trades``, ``futures.trades``).

Cadences and proofs as documented in 2026-06, where nothing else is said.
"""

from __future__ import annotations

from mdplatform.core.session import Channel

OBU = Channel(
    "obu",
    "book",
    "best 400 levels, whole from the snapshot it begins with: each update's U is the last u + 1 (probed 2026-10: no "
    "gap in 26,292); dated contracts: order_book_update",
    5.0,
    0.1,
)
BOOK = Channel(
    "order_book_update",
    "book",
    "best 100 levels, whole from a REST snapshot on: each update's U is the last u + 1",
    5.0,
    0.1,
)
TRADES = Channel(
    "trades", "trades", "spot: whole, id_market counts up by one a pair; contracts: one that is lost does not show"
)
LIQUIDATIONS = Channel(
    "public_liquidates", "liquidations", "contracts only, gathered about once a second; one that is lost does not show"
)
TICKERS = Channel(
    "tickers",
    "funding",
    "contracts only; each message stands alone, one that is lost does not show; which sides open interest counts is "
    "not stated",
)
QUOTES = Channel("book_ticker", "bbo", "each message stands alone, u is the book's update id; a lost one does not show")
CHANNELS = (OBU, BOOK, TRADES, LIQUIDATIONS, TICKERS, QUOTES)

OBU_LEVELS = 400  # pushed every 100 ms; the stream of 50 levels every 20 ms
# Documented channels, which give no event where they are not taken.
_NAMES = "order_book order_book_update obu trades trades_v2 tickers book_ticker candlesticks public_liquidates"
UNUSED = frozenset(f"{_NAMES} contract_stats contract_info".split())
