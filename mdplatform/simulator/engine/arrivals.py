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


_CALM = 1 / 120  # a second
_FIERCE = 0.02  # a second, for each squared deviation beyond what is usual
_MOST = 1.0
_USUAL = 2.0  # standard deviations
_ANCHOR_S = 20.0  # how fast positions adapt to a price
_AGAINST = 0.1  # share of those on the side that the move favours


class Stress:
    """Compares the price with where it was. `sigma`: volatility per square root of a second."""

    def __init__(self, seed: str, sigma: float, price: float, start_ns: int) -> None:
        self._rng = Random(f"stress/{seed}")
        self._deviation = max(sigma, 1e-9) * math.sqrt(_ANCHOR_S / 2)
        self._anchor = price
        self._at_ns = start_ns

    def strikes(self, price: float, now_ns: int) -> bool | None:
        """Whether the next order is a liquidation: True for one that buys, False for one that sells, None for none."""
        seconds = min(1.0, (now_ns - self._at_ns) / 1e9)
        self._at_ns = now_ns
        self._anchor += (price - self._anchor) * min(1.0, seconds / _ANCHOR_S)
        move = (price / self._anchor - 1) / self._deviation
        rate = min(_MOST, _CALM + _FIERCE * max(0.0, abs(move) - _USUAL) ** 2)
        if self._rng.random() >= rate * seconds:
            return None
        return (move > 0) != (self._rng.random() < _AGAINST)
