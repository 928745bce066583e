"""When things happen: a self-exciting (Hawkes) process, so that orders come in clusters."""

from __future__ import annotations

import math
from random import Random

_FAST_DECAY, _FAST_SHARE = 20.0, 0.4  # per second; share of all arrivals that an earlier one excited
_SLOW_DECAY, _SLOW_SHARE = 0.5, 0.3


class Arrivals:
    """Event times in ns with a mean of `rate` a second; drawn by thinning, exact for exponential kernels."""

    def __init__(self, rng: Random, rate: float, start_ns: int) -> None:
        self._rng = rng
        self._base = rate * (1 - _FAST_SHARE - _SLOW_SHARE)
        self._fast = rate * _FAST_SHARE
        self._slow = rate * _SLOW_SHARE
        self._now = float(start_ns)

    def skip_to(self, ns: int) -> None:
        """Nothing comes until then; the excitement of what was is over."""
        self._fast = self._slow = 0.0
        self._now = max(self._now, float(ns))

    def next(self) -> int:
        """Time of the next event."""
        while True:
            bound = self._base + self._fast + self._slow
            wait = self._rng.expovariate(bound)
            self._now += wait * 1e9
            self._fast *= math.exp(-_FAST_DECAY * wait)
            self._slow *= math.exp(-_SLOW_DECAY * wait)
            if self._rng.random() * bound <= self._base + self._fast + self._slow:
                self._fast += _FAST_SHARE * _FAST_DECAY
                self._slow += _SLOW_SHARE * _SLOW_DECAY
                return int(self._now)
