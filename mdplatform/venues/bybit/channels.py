"""The channels: what each carries and proves, as documented in 2026-07 where nothing else is said."""

from __future__ import annotations

from mdplatform.core.session import Channel

# Cadences and proofs as documented in 2026-07, where nothing else is said.
_WHOLE = "whole from its snapshot on: u counts up by one a message (probed 2026-09: in 5.8 million of 819 perpetuals)"
BOOKS = tuple(
    Channel(f"orderbook.{depth}", "book", _WHOLE, 5.0, cadence_s)
    for depth, cadence_s in ((50, 0.02), (200, 0.1), (1000, 0.2))
)
OF_OPTIONS = tuple(
    Channel(f"orderbook.{depth}", "book", f"of options, {_WHOLE}", None, cadence_s)
    for depth, cadence_s in ((25, 0.02), (100, 0.1))
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
    "a snapshot, then what changed, every 0.1 s; no number would show a loss; open interest of both sides, "
    "and of options what they are worth",
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


def offered(category: str, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Those of ``channels`` that the socket of a category has.

    Spot knows neither liquidations nor funding; options have books of other depths, and of the best bid and ask only
    what their tickers state (reported 2026-09).
    """
    if category == "spot":
        return tuple(c for c in channels if c not in (LIQUIDATIONS, TICKERS, *OF_OPTIONS))
    if category != "option":
        return tuple(c for c in channels if c not in OF_OPTIONS)
    depths = {BOOKS[0]: OF_OPTIONS[0], BOOKS[1]: OF_OPTIONS[1], BOOKS[2]: OF_OPTIONS[1]}
    return tuple(dict.fromkeys(depths.get(c, c) for c in channels if c not in (LIQUIDATIONS, BEST)))
