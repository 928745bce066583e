"""How both of Coinbase's protocols write times and sides."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from mdplatform.simulator.events import Print


def iso(ns: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    seconds, part = divmod(ns, 1_000_000_000)
    return f"{_whole(seconds)}.{part // 1000:06d}Z"


@lru_cache(maxsize=8)
def _whole(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def maker_side(trade: Print) -> str:
    """The side that both protocols call `side`: that of the order that rested."""
    return "sell" if trade.taker_buys else "buy"
