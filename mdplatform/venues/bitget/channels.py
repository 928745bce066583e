"""The channels: what each carries and proves, as documented in 2026 where nothing else is said."""

from __future__ import annotations

from mdplatform.core.session import Channel

# As documented in 2026, where nothing else is said. ``books50`` turns incremental on 2026-12-01: it is not read.
BOOKS = Channel(
    "books",
    "book",
    "whole from its snapshot on: each update's pseq is the last seq (probed 2026-10: no gap in 280,000)",
    5.0,
    0.06,  # 51 to 64 ms, probed 2026-10
)
TRADES = Channel("publicTrade", "trades", "ids are not consecutive: repeats show, one that is lost does not")
LIQUIDATIONS = Channel(
    "liquidation", "liquidations", "contracts only; the largest long and short of each second, a lost one does not show"
)
TICKER = Channel(
    "ticker",
    "funding",
    "contracts only; each message stands alone, one that is lost does not show; which sides open interest counts is "
    "not stated",
)
BEST = Channel("books1", "bbo", "each message stands alone, seq is the book's; one that is lost does not show")
CHANNELS = (BOOKS, TRADES, LIQUIDATIONS, TICKER, BEST)
# Documented channels that give no event here, or none where they are not taken; candle1m and the like besides.
UNUSED = frozenset(("books", "books1", "books5", "books15", "books50", "trade", "publicTrade", "ticker", "liquidation"))
