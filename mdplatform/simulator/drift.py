"""The price every venue's book follows: a seeded random walk whose volatility itself wanders, per base asset."""

from __future__ import annotations

import math
from random import Random

STEP_NS = 100_000_000
_MEMORY = 1 - 1 / 600  # log volatility forgets in a minute of steps
_VOL_OF_VOL = 0.04


class Drift:
    """`at(ns)` is the latent price relative to the start (1.0 there), constant within a step of 100 ms.

    Steps are drawn in order and kept, so that two venues reading it at different times see the same path.
    """

    def __init__(self, seed: str, sigma: float, start_ns: int) -> None:
        self._rng = Random(f"drift/{seed}")
        self._sigma = sigma * math.sqrt(STEP_NS / 1e9)
        self._start_ns = start_ns
        self._log_vol = 0.0
        self._log_price = 0.0
        self._first = 0
        self._path = [1.0]

    def at(self, ns: int) -> float:
        step = max(0, (ns - self._start_ns) // STEP_NS)
        while self._first + len(self._path) <= step:
            self._draw()
        return self._path[max(0, step - self._first)]

    def _draw(self) -> None:
        rng = self._rng
        self._log_vol = self._log_vol * _MEMORY + _VOL_OF_VOL * rng.gauss(0.0, 1.0)
        # the pull to the start keeps a simulation of days near its starting price
        self._log_price += self._sigma * math.exp(self._log_vol) * rng.gauss(0.0, 1.0) - 2e-7 * self._log_price
        self._path.append(math.exp(self._log_price))
        if len(self._path) > 4096:  # a driver steps all markets together: only the recent path can be asked for
            del self._path[:2048]
            self._first += 2048
