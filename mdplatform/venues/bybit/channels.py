"""The channels: what each carries and proves, as documented in 2026-07 where nothing else is said."""

from __future__ import annotations

from mdplatform.core.session import Channel

# Cadences and proofs as documented in 2026-07, where nothing else is said.
_WHOLE = "whole from its snapshot on: u counts up by one a message (probed 2026-09: in 5.8 million of 819 perpetuals)"
BOOKS = tuple(
    Channel(f"orderbook.{depth}", "book", _WHOLE, 5.0, cadence_s)
    for depth, cadence_s in ((50, 0.02), (200, 0.1), (1000, 0.2))
)
TRADES = Channel(
    "publicTrade",
    "trades",
    "one a match, as by REST; ids show what repeats, not what is lost; the latest are requested after a break",
)
LIQUIDATIONS = Channel(
    "allLiquidation",
    "liquidations",
    "every one, as the venue states, each 0.5 s; no number would show a loss",
    cadence_s=0.5,
)
TICKERS = Channel(
    "tickers",
    "funding",
    "a snapshot, then what changed, every 0.1 s; no number would show a loss; open interest of both sides",
    cadence_s=0.1,
)
BEST = Channel(
    "orderbook.1",
    "bbo",
    "each message is whole, every 0.01 s, again after 3 s without a change; one that is lost does not show",
    10.0,
    3.0,
    is_steady=True,
)
