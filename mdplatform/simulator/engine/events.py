"""What happens in a market, in whole ticks and lots. A venue's feed makes its frames of these."""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """A level now holds `lots` (absolute; 0: it is gone)."""

    ns: int
    update_id: int  # one a change, without holes
    is_bid: bool
    tick: int
    lots: int


class Trade(NamedTuple):
    """A trade against one resting order."""

    ns: int
    trade_id: int  # consecutive
    order_id: int  # the taker's order at one price: what aggTrade aggregates
    tick: int
    lots: int
    taker_buys: bool
    update_id: int  # of the level change that it causes
    forced: bool = False  # the taker is being liquidated

    @property
    def taker_side(self) -> str:
        return "buy" if self.taker_buys else "sell"

    @property
    def maker_side(self) -> str:
        """Of the order that rested."""
        return "sell" if self.taker_buys else "buy"


class Quote(NamedTuple):
    """The best bid and ask after a change of either."""

    ns: int
    update_id: int
    bid: int
    bid_lots: int
    ask: int
    ask_lots: int


class Liquidation(NamedTuple):
    """A position was closed by a taker's order; it comes after the order's trades (those have `forced`)."""

    ns: int
    liquidation_id: int  # consecutive
    buys: bool  # the order's side: a short was liquidated
    tick: int  # the order's limit: the bankruptcy price
    lots: int  # filled
    average: float  # of the fills, in ticks


class Mark(NamedTuple):
    """What a derivative is valued at. Prices in the quote currency, not on the lattice."""

    ns: int
    mark_price: float
    index_price: float  # the underlying's
    funding_rate: float  # of the current period, a fraction; 0 for what has no funding
    next_funding_ns: int

    @property
    def predicted_rate(self) -> float:
        """Of the period after the current one, as a venue expects it: half-way back to 0.01 %."""
        return (self.funding_rate + 0.0001) / 2


Event = Change | Trade | Quote | Liquidation
