"""Liquidation cascades: many liquidations of one side within seconds, across all exchanges that trade the symbol.

    value = number of liquidation orders of one side in the last w seconds

Liquidations of one exchange at one time are one order: some venues flag each fill (Deribit). Others report only the
largest one per second and contract (Binance), so the number is a lower bound.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from mdplatform.core.clock import SECOND
from mdplatform.core.messages import TradeMessage
from mdplatform.signals.detectors.deduplicator import Hysteresis
from mdplatform.signals.message import Signal

KEPT = 1000  # liquidations of a symbol and side, however many come


class LiquidationDetector:
    """Cascades of at least ``orders`` liquidations of one side within ``window_s`` of venue time, by symbol."""

    def __init__(self, orders: int, window_s: float) -> None:
        self.orders = orders
        self.window_s = window_s
        self._window_ns = int(window_s * SECOND)
        self._forced: dict[tuple[str, str], deque[TradeMessage]] = {}  # by symbol and side
        self._hysteresis: dict[tuple[str, str], Hysteresis] = {}

    def take(self, order: TradeMessage) -> Signal | None:
        """The cascade that this liquidation completes, if any."""
        key = (order.symbol, order.side)
        forced = self._forced.setdefault(key, deque(maxlen=KEPT))
        if forced and order.venue_ns < forced[-1].venue_ns - self._window_ns:
            if order.received_ns <= forced[-1].received_ns + self._window_ns:
                return None  # late beyond the window
            forced.clear()  # this one is not late: the clock of the one before was ahead
        hysteresis = self._hysteresis.setdefault(key, Hysteresis())
        while forced and forced[0].venue_ns <= order.venue_ns - self._window_ns:
            forced.popleft()
        hysteresis.begins(len(_orders(forced)), self.orders)  # it may have ended since the last order
        forced.append(order)
        if not hysteresis.begins(len(_orders(forced)), self.orders):
            return None
        return self._signal(order, list(forced))

    def forget(self, exchange: str, symbol: str, is_last: bool) -> None:
        """See ``markets.Forgetful``."""
        for side in ("buy", "sell"):
            if is_last:
                self._forced.pop((symbol, side), None)
                self._hysteresis.pop((symbol, side), None)

    def _signal(self, order: TradeMessage, forced: list[TradeMessage]) -> Signal:
        orders = _orders(forced)
        by_exchange = Counter(exchange for exchange, _ in orders)
        return Signal(
            kind="liquidation_cascade",
            exchange=max(by_exchange, key=lambda name: by_exchange[name]),
            exchanges=tuple(sorted(by_exchange)),
            symbol=order.symbol,
            scope="symbol",
            direction=order.side,
            value=len(orders),
            threshold=self.orders,
            unit="orders",
            window_s=self.window_s,
            evidence={
                "orders": dict(by_exchange),
                "size": sum(one.qty for one in forced),
                "worth": sum(one.qty * one.price for one in forced),
                "from_price": forced[0].price,
                "to_price": order.price,
            },
            sequence=None,
            venue_ns=order.venue_ns,
            received_ns=order.received_ns,
        )


def _orders(forced: Iterable[TradeMessage]) -> set[tuple[str, int]]:
    return {(one.exchange, one.venue_ns) for one in forced}
