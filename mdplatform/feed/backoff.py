"""How long to wait before trying again.

By ourselves: exponential with full jitter, bounded, reset after a healthy time. By the venue: the header Retry-After,
obeyed within reason, because a venue in trouble must not silence us for a day by a typo.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from mdplatform.core.backoff import doubled

LONGEST_S = 600.0  # a longer wait is cut to this: asking again every ten minutes costs nobody anything
BELIEVED_S = 3 * 86_400.0  # the longest ban that a venue documents; a header above it is ignored
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


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
        bound = doubled(self.base_s, self.failures, self.cap_s)
        self.failures += 1
        return self._draw(0.0, bound)

    def worked_for(self, seconds: float) -> None:
        """What was tried held for so long; from ``healthy_s`` on the failures before it are forgotten."""
        if seconds >= self.healthy_s:
            self.failures = 0


def retry_after_s(header: str | None) -> float | None:
    """Seconds to wait; None where the header is absent or not a sensible number. Venues do not send its date form."""
    text = (header or "").strip()
    if _SECONDS.fullmatch(text) is None or float(text) > BELIEVED_S:
        return None
    return min(float(text), LONGEST_S)
