"""A market's volume second by second: the last few seconds against the minute before them."""

from __future__ import annotations

USUAL_S = 60
WARM_S = 30  # of trading, before anything can be unusual
LEAST_TRADES = 10  # in the window: one large print alone is no spike


class VolumeRing:
    """``recent``: base units of the last ``window`` seconds; ``usual``: of as many of the minute before, or 0."""

    def __init__(self, window: int) -> None:
        self.recent = 0.0
        self.usual = 0.0
        self._trades = 0  # of ``recent``
        self._window = window
        self._size = window + USUAL_S
        self._begin(0)

    @property
    def ratio(self) -> float:
        """Recent to usual; 0 while too little is known to say."""
        return self.recent / self.usual if self.usual and self._trades >= LEAST_TRADES else 0.0

    def add(self, second: int, volume: float) -> bool:
        """Count a trade of this second; False for one too late to matter."""
        if second > self._newest or second < self._newest - self._size:
            self._advance(second)
        slot = second % self._size
        self._volumes[slot] += volume
        self._counts[slot] += 1
        if second <= self._newest - self._window:
            return False
        self.recent += volume
        self._trades += 1
        return True

    def _begin(self, second: int) -> None:
        self._first = self._newest = second
        self._volumes = [0.0] * self._size
        self._counts = [0] * self._size

    def _advance(self, second: int) -> None:
        """To a later second, or to a new beginning where it is none or too far away."""
        if not 0 < second - self._newest < self._size:
            self._begin(second)
        for passed in range(self._newest + 1, second + 1):
            self._volumes[passed % self._size] = 0.0
            self._counts[passed % self._size] = 0
        self._newest = second
        window = [(second - back) % self._size for back in range(self._window)]
        self.recent = sum(self._volumes[slot] for slot in window)
        self._trades = sum(self._counts[slot] for slot in window)
        known = min(USUAL_S, second - self._window - self._first + 1)
        before = sum(self._volumes) - self.recent
        self.usual = before / known * self._window if known >= WARM_S else 0.0
