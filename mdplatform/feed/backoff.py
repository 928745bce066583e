"""Waiting before trying again: exponential with full jitter, bounded, forgotten after a healthy time."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Delays for one thing that is retried.

    Full jitter (a uniform draw from zero to the bound) spreads many clients that lost the same venue at once; the
    bound doubles from ``base_s`` to ``cap_s``.
    """

    def __init__(
        self,
        base_s: float = 0.5,
        cap_s: float = 30.0,
        healthy_s: float = 60.0,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.base_s, self.cap_s, self.healthy_s = base_s, cap_s, healthy_s
        self.failures = 0
        self._draw = draw

    def next_s(self) -> float:
        """Seconds to wait before the next try; counts a failure."""
        # The exponent is bounded too: 2**1024 is no float.
        bound = min(self.cap_s, self.base_s * 2 ** min(self.failures, 32))
        self.failures += 1
        return self._draw(0.0, bound)

    def worked_for(self, seconds: float) -> None:
        """What was tried held for so long; from ``healthy_s`` on the failures before it are forgotten."""
        if seconds >= self.healthy_s:
            self.failures = 0
