"""Price moves: the mid is so many percent away from its lowest or highest point of the last minute.

change % = 100 (m - m') / m', where m = (bid + ask) / 2 now and m' its extreme within the window
"""

from __future__ import annotations

from collections import deque

from mdplatform.core.clock import SECOND
from mdplatform.signals.message import Signal
from mdplatform.signals.touch import SOURCES, Market, Touch

SLOTS = 1000  # per window: values within one slot are distinguished only where they are extremes


class MoveDetector:
    """Moves of at least ``threshold_pct`` percent within ``window_s`` seconds of venue time, by market.

    After a move the window restarts at its price. For ``cooldown_s`` it also restarts at each further extreme in the
    same direction, so that the rest of a move is not found as another move, while a reversal is.
    """

    def __init__(self, threshold_pct: float, window_s: float, cooldown_s: float = 0.0) -> None:
        self.threshold_pct = threshold_pct
        self.window_s = window_s
        self._window_ns = int(window_s * SECOND)
        self._cooldown_ns = int(cooldown_s * SECOND)
        self._paths: dict[Market, _Path] = {}

    def take(self, touch: Touch) -> Signal | None:
        """The move that this touch completes, if any."""
        mid, now_ns = touch.mid, touch.venue_ns
        path = self._paths.get(touch.market)
        if path is None or now_ns < path.last_ns - self._window_ns:
            path = self._paths[touch.market] = _Path(self._window_ns // SLOTS)
        if now_ns < path.last_ns:
            return None  # another collector was faster
        path.add(now_ns, mid, now_ns - self._window_ns)
        if now_ns < path.followed_until_ns and mid == (path.highest if path.followed_up else path.lowest):
            path.begin(now_ns, mid)
            return None
        for start in (path.lowest, path.highest):
            change_pct = 100 * (mid - start) / start if start else 0.0
            if abs(change_pct) >= self.threshold_pct:
                path.begin(now_ns, mid)
                path.followed_up, path.followed_until_ns = change_pct > 0, now_ns + self._cooldown_ns
                return self._signal(touch, start, change_pct)
        return None

    def forget(self, exchange: str, symbol: str, is_last: bool) -> None:
        """See ``markets.Forgetful``."""
        for source in SOURCES:
            self._paths.pop((exchange, symbol, source), None)

    def _signal(self, touch: Touch, start: float, change_pct: float) -> Signal:
        return Signal(
            kind="price_move",
            exchange=touch.exchange,
            exchanges=(touch.exchange,),
            symbol=touch.symbol,
            scope="market",
            direction="up" if change_pct > 0 else "down",
            value=round(change_pct, 6),
            threshold=self.threshold_pct,
            unit="%",
            window_s=self.window_s,
            evidence={"from_price": start, "to_price": touch.mid, "source": touch.source},
            sequence=touch.sequence,
            venue_ns=touch.venue_ns,
            received_ns=touch.received_ns,
        )


class _Path:
    """The lowest and highest value of a sliding window, each update in constant time on average.

    ``_rising`` holds the values that may yet be the lowest (ascending in time and value), ``_falling`` the highest: at
    most one a slot of ``slot_ns``.
    """

    def __init__(self, slot_ns: int) -> None:
        self.last_ns = 0
        self.followed_up = False
        self.followed_until_ns = 0
        self._slot_ns = max(1, slot_ns)
        self._rising: deque[tuple[int, float]] = deque()
        self._falling: deque[tuple[int, float]] = deque()

    @property
    def lowest(self) -> float:
        return self._rising[0][1]

    @property
    def highest(self) -> float:
        return self._falling[0][1]

    def begin(self, now_ns: int, value: float) -> None:
        """Forget all but this."""
        self._rising.clear()
        self._falling.clear()
        self.add(now_ns, value, now_ns)

    def add(self, now_ns: int, value: float, oldest_ns: int) -> None:
        """Take ``value`` in and forget what is older than ``oldest_ns``."""
        self.last_ns = now_ns
        rising, falling = self._rising, self._falling
        while rising and rising[-1][1] >= value:
            rising.pop()
        while falling and falling[-1][1] <= value:
            falling.pop()
        for kept in (rising, falling):
            # What comes within a slot of an extreme outlives it by no more than the slot.
            if not kept or now_ns - kept[-1][0] >= self._slot_ns:
                kept.append((now_ns, value))
            while kept[0][0] < oldest_ns:
                kept.popleft()
