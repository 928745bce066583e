"""When positions are closed by force: rarely while prices are calm, in clusters while they run."""

from __future__ import annotations

import math
from random import Random

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
