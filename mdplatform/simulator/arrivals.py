"""When things happen: a self-exciting (Hawkes) process, so that orders come in clusters."""

from __future__ import annotations

import math
from random import Random

_FAST_DECAY, _FAST_SHARE = 20.0, 0.4  # per second; share of all arrivals that an earlier one excited
_SLOW_DECAY, _SLOW_SHARE = 0.5, 0.3


class Arrivals:
    """Event times in ns with a mean of `rate` a second; drawn by thinning, exact for exponential kernels.

    `bursts`: factor on the shares. With 0 they come evenly: from half the mean to one and a half of it after another.
    """

    def __init__(self, rng: Random, rate: float, start_ns: int, bursts: float = 1.0) -> None:
        self._rng = rng
        self._fast_share, self._slow_share = bursts * _FAST_SHARE, bursts * _SLOW_SHARE
        self._even = None if bursts else 1 / rate
        self._base = rate * (1 - self._fast_share - self._slow_share)
        self._fast = rate * self._fast_share
        self._slow = rate * self._slow_share
        self._now = float(start_ns)

    def skip_to(self, ns: int) -> None:
        """Nothing comes until then; the excitement of what was is over."""
        self._fast = self._slow = 0.0
        self._now = max(self._now, float(ns))

    def next(self) -> int:
        """Time of the next event."""
        if self._even is not None:
            self._now += self._even * (0.5 + self._rng.random()) * 1e9
            return int(self._now)
        while True:
            bound = self._base + self._fast + self._slow
            wait = self._rng.expovariate(bound)
            self._now += wait * 1e9
            self._fast *= math.exp(-_FAST_DECAY * wait)
            self._slow *= math.exp(-_SLOW_DECAY * wait)
            if self._rng.random() * bound <= self._base + self._fast + self._slow:
                self._fast += self._fast_share * _FAST_DECAY
                self._slow += self._slow_share * _SLOW_DECAY
                return int(self._now)
