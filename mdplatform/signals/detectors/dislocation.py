"""Cross-venue dislocations: one exchange bids more for a symbol than another asks, and it lasts.

value = 10^4 (highest bid - lowest ask) / their mid, before fees; of exchanges that sent within the last seconds
"""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.measures import executable_bps
from mdplatform.signals.detectors.deduplicator import Hysteresis
from mdplatform.signals.message import Signal
from mdplatform.signals.touch import Touch

FRESH_S = 10.0  # of receive time: an exchange that was silent for longer is left out


class DislocationDetector:
    """Crossings of at least ``threshold_bps`` that last, by symbol: both sides still show it ``hold_s`` later.

    Later by their own clocks: a feed that is seconds behind shows old prices as if they were new. A touch older than
    the latest one of its exchange is ignored.
    """

    def __init__(self, threshold_bps: float, hold_s: float) -> None:
        self.threshold_bps = threshold_bps
        self.hold_s = hold_s
        self._hold_ns = int(hold_s * SECOND)
        self._symbols: dict[str, _Crossing] = {}

    def take(self, touch: Touch) -> Signal | None:
        """The dislocation that has lasted long enough with this touch, if any."""
        crossing = self._symbols.get(touch.symbol)
        if crossing is None:
            crossing = self._symbols[touch.symbol] = _Crossing()
        latest = crossing.touches.get(touch.exchange)
        if latest is not None and 0 < latest.venue_ns - touch.venue_ns < FRESH_S * SECOND:
            return None
        crossing.touches[touch.exchange] = touch
        if len(crossing.touches) == 1:
            return None
        oldest_ns = touch.received_ns - FRESH_S * SECOND
        fresh = [one for one in crossing.touches.values() if one.received_ns >= oldest_ns]
        bid, ask = max(fresh, key=lambda one: one.bid), min(fresh, key=lambda one: one.ask)
        value = executable_bps(bid.bid, ask.ask)
        if value < self.threshold_bps:
            crossing.since_ns = None
        elif crossing.since_ns is None:
            crossing.since_ns = max(bid.venue_ns, ask.venue_ns)
        confirmed_ns = min(bid.venue_ns, ask.venue_ns)
        holds = crossing.since_ns is not None and confirmed_ns - crossing.since_ns >= self._hold_ns
        begins = (holds or crossing.hysteresis.lasts) and crossing.hysteresis.begins(value, self.threshold_bps)
        return self._signal(touch, value, bid, ask) if begins else None

    def forget(self, exchange: str, symbol: str, is_last: bool) -> None:
        """See ``markets.Forgetful``."""
        if is_last:
            self._symbols.pop(symbol, None)
        elif symbol in self._symbols:
            self._symbols[symbol].touches.pop(exchange, None)

    def _signal(self, touch: Touch, value: float, bid: Touch, ask: Touch) -> Signal:
        return Signal(
            kind="dislocation",
            exchange=bid.exchange,
            exchanges=(bid.exchange, ask.exchange),
            symbol=touch.symbol,
            scope="symbol",
            direction="",
            value=round(value, 4),
            threshold=self.threshold_bps,
            unit="bps",
            window_s=self.hold_s,
            evidence={
                "bid": bid.bid,
                "bid_size": bid.bid_size,
                "ask": ask.ask,
                "ask_size": ask.ask_size,
                "skew_ms": abs(bid.received_ns - ask.received_ns) / 1e6,
            },
            sequence=None,
            venue_ns=touch.venue_ns,
            received_ns=touch.received_ns,
        )


class _Crossing:
    """The latest touch of each exchange, and since when the threshold is passed without a break."""

    def __init__(self) -> None:
        self.touches: dict[str, Touch] = {}
        self.since_ns: int | None = None
        self.hysteresis = Hysteresis()
