"""What is computed from books: the definitions that SQL and consumers share. Inputs are floats, best level first."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

BPS = 10_000

Touch = tuple[float, float, float, float]  # bid, bid size, ask, ask size

Price = TypeVar("Price", float, Decimal)


def mid(bid: Price, ask: Price) -> Price:
    """Half way between the best prices, in quote units."""
    return (bid + ask) / 2


def spread_bps(bid: Price, ask: Price) -> Price:
    """Distance of the best prices, in basis points of the mid."""
    return (ask - bid) / mid(bid, ask) * BPS


def imbalance(bid_size: Price, ask_size: Price) -> Price | None:
    """(bid - ask) / (bid + ask) of the sizes: 1 is all bid, -1 all ask; None when there is neither."""
    total = bid_size + ask_size
    return (bid_size - ask_size) / total if total else None


def executable_bps(bid: float, ask: float) -> float:
    """What a purchase at ``ask`` sold at ``bid`` of another venue would gain before fees, in bps of their mid."""
    return spread_bps(ask, bid)


def order_flow(before: Touch, now: Touch) -> float:
    """What one change of the touch adds to the order flow imbalance, in base units; positive is buying pressure.

    e = [Pb >= Pb'] qb - [Pb <= Pb'] qb' - [Pa <= Pa'] qa + [Pa >= Pa'] qa', where ' is the touch before: Cont, Kukanov,
    Stoikov, "The Price Impact of Order Book Events", Journal of Financial Econometrics 12 (2014), section 2.1.
    """
    (bid, bid_size, ask, ask_size), (bid_0, bid_size_0, ask_0, ask_size_0) = now, before
    flow = 0.0
    if bid >= bid_0:
        flow += bid_size
    if bid <= bid_0:
        flow -= bid_size_0
    if ask <= ask_0:
        flow -= ask_size
    if ask >= ask_0:
        flow += ask_size_0
    return flow
