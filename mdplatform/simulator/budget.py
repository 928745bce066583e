"""Limits as venues keep them: a bucket that refills, and a window that starts again each minute."""

from __future__ import annotations


class Bucket:
    """`burst` units at once, refilled at `rate` a second."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at_ns = 0

    def take(self, now_ns: int) -> bool:
        """Use one unit; False when none is left."""
        if self._at_ns:
            self._left = min(self._burst, self._left + (now_ns - self._at_ns) / 1e9 * self._rate)
        self._at_ns = now_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Window:
    """Weight used in the current window of `seconds`."""

    def __init__(self, limit: int, seconds: int = 60) -> None:
        self.limit = limit
        self.used = 0
        self._seconds = seconds
        self._index = 0

    def use(self, weight: int, now_ns: int) -> bool:
        """Count `weight`; False when that is more than the window allows."""
        index = now_ns // (self._seconds * 1_000_000_000)
        if index != self._index:
            self._index, self.used = index, 0
        self.used += weight
        return self.used <= self.limit

    def left_s(self, now_ns: int) -> int:
        """Whole seconds until the next window, at least one."""
        return max(1, self._seconds - now_ns // 1_000_000_000 % self._seconds)
