"""Order-flow extremes: within one second the touch gains or loses far more than usual.

    OFI = sum of e over a second (``measures.order_flow``) / average size at the touch;  z = (OFI - mean) / deviation

e and its division by the average depth: Cont, Kukanov, Stoikov, "The Price Impact of Order Book Events", Journal of
Financial Econometrics 12 (2014). Mean and deviation are those of the market's own last minutes, weighted
exponentially. Feeds that send a book ten times a second show the net of what happened between.
"""

from __future__ import annotations

import math

from mdplatform.core.clock import SECOND
from mdplatform.core.measures import order_flow
from mdplatform.signals.message import Signal
from mdplatform.signals.touch import SOURCES, Market, Touch

BUCKET_NS = SECOND
MEMORY = 120  # buckets: what is so old weighs 1/e
WARM = 30  # buckets before a deviation is known
LEAST = 10.0  # times the average size at the touch: in a quiet market little is already unusual


class OrderFlowDetector:
    """Flows of at least ``threshold`` standard deviations, by market; at most one signal per second."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._flows: dict[Market, _Flow] = {}

    def take(self, touch: Touch) -> Signal | None:
        """The extreme that this touch completes, if any."""
        flow = self._flows.get(touch.market)
        if flow is None or abs(touch.venue_ns - flow.last.venue_ns) > WARM * BUCKET_NS:
            self._flows[touch.market] = _Flow(touch)
            return None
        if touch.venue_ns < flow.last.venue_ns:
            return None  # another collector was faster
        flow.take(touch)
        score = flow.score
        if abs(score) < self.threshold or abs(flow.flow) < LEAST or flow.is_reported:
            return None
        flow.is_reported = True
        return self._signal(touch, score, flow)

    def forget(self, exchange: str, symbol: str, is_last: bool) -> None:
        """See ``markets.Forgetful``."""
        for source in SOURCES:
            self._flows.pop((exchange, symbol, source), None)

    def _signal(self, touch: Touch, score: float, flow: _Flow) -> Signal:
        return Signal(
            kind="order_flow",
            exchange=touch.exchange,
            exchanges=(touch.exchange,),
            symbol=touch.symbol,
            scope="market",
            direction="buy" if score > 0 else "sell",
            value=round(score, 4),
            threshold=self.threshold,
            unit="sd",
            window_s=BUCKET_NS / SECOND,
            evidence={
                "flow": round(flow.flow, 4),  # in average sizes at the touch
                "deviation": round(flow.deviation, 4),
                "touch_size": flow.size,
                "bid": touch.bid,
                "ask": touch.ask,
                "source": touch.source,
            },
            sequence=touch.sequence,
            venue_ns=touch.venue_ns,
            received_ns=touch.received_ns,
        )


class _Flow:
    """One market's flow of the current second, and how it was before."""

    def __init__(self, first: Touch) -> None:
        self.last = first
        self.size = (first.bid_size + first.ask_size) / 2  # average at the touch
        self.is_reported = False
        self._sum = 0.0
        self._bucket = first.venue_ns // BUCKET_NS
        self._buckets = 0
        self._mean = 0.0
        self._variance = 0.0

    @property
    def flow(self) -> float:
        return self._sum / self.size if self.size else 0.0

    @property
    def deviation(self) -> float:
        return math.sqrt(self._variance)

    @property
    def score(self) -> float:
        """Standard deviations from the mean; 0 while none is known."""
        if self._buckets < WARM or not self._variance:
            return 0.0
        return (self.flow - self._mean) / self.deviation

    def take(self, touch: Touch) -> None:
        before, self.last = self.last, touch
        bucket = touch.venue_ns // BUCKET_NS
        # Over a broken chain it is not known what happened: neither in this second nor in those before, which are no
        # part of what is usual then. Over a long silence it is not known that it happened in this second.
        follows = touch.continues or not before.continues
        if follows:
            for _ in range(bucket - self._bucket):
                self._close()
        elif bucket != self._bucket:
            self._sum, self.is_reported = 0.0, False
        self._bucket = bucket
        self.size += ((touch.bid_size + touch.ask_size) / 2 - self.size) / (10 * MEMORY)
        if follows and touch.venue_ns - before.venue_ns <= BUCKET_NS:
            self._sum += order_flow(
                (before.bid, before.bid_size, before.ask, before.ask_size),
                (touch.bid, touch.bid_size, touch.ask, touch.ask_size),
            )

    def _close(self) -> None:
        """The second is over: it becomes part of what is usual."""
        self._buckets += 1
        weight = 1 / min(self._buckets, MEMORY)
        away = self.flow - self._mean
        self._mean += weight * away
        self._variance = (1 - weight) * (self._variance + weight * away * away)
        self._sum, self.is_reported = 0.0, False
