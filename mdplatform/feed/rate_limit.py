"""A venue's rate limit: a number of units in any window of a number of seconds, never exceeded."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable


class Budget:
    """Units spent within a sliding window. Venues count in fixed windows; a sliding one never exceeds any of them.

    A venue counts a request at some time between its sending and its answer: what is on ``hold`` counts from the
    sending on, and its window begins when it is settled. A weight above the whole limit waits for an empty window
    rather than indefinitely. Without ``now`` the time is the machine's, or that of a loop with its own clock.
    """

    def __init__(self, units: int, per_s: float, now: Callable[[], float] | None = None) -> None:
        self.units, self.per_s = units, per_s
        self._now = now or _ticks()
        self._spent: deque[tuple[float, int]] = deque()
        self._total = 0  # what is held included
        self._blocked_until = 0.0
        self._turn = asyncio.Lock()

    @property
    def used(self) -> int:
        """Units spent within the window that ends now."""
        self._forget(self._now())
        return self._total

    def wait_s(self, weight: int = 1) -> float:
        """Seconds until ``weight`` fits; 0.0 when it does now."""
        now = self._now()
        self._forget(now)
        wait = max(0.0, self._blocked_until - now)
        over = self._total + min(weight, self.units) - self.units
        for at, units in self._spent:
            if over <= 0:
                break
            over -= units
            wait = max(wait, at + self.per_s - now)
        return wait if over <= 0 else max(wait, self.per_s)

    def take(self, weight: int = 1) -> None:
        """Count ``weight`` as spent now, whether it fits or not."""
        self._spent.append((self._now(), weight))
        self._total += weight

    def hold(self, weight: int) -> None:
        """Count ``weight`` as spent until it is settled."""
        self._total += weight

    def settle(self, weight: int) -> None:
        """What was held is answered: it counts as spent now."""
        self._total -= weight
        self.take(weight)

    async def spend(self, weight: int = 1) -> None:
        """Wait until ``weight`` fits and take it; first come, first served."""
        async with self._turn:
            while (wait := self.wait_s(weight)) > 0:  # noqa: ASYNC110 - time is what is waited for
                await asyncio.sleep(wait)
            self.take(weight)

    def block(self, seconds: float) -> None:
        """Let nothing pass for this long: the venue asked us to wait."""
        self._blocked_until = max(self._blocked_until, self._now() + seconds)

    def observe(self, used: int) -> None:
        """The venue states that ``used`` units are spent: those of other clients on our address count too."""
        if used > self.used:
            self.take(used - self.used)

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] + self.per_s <= now:
            self._total -= self._spent.popleft()[1]


def _ticks() -> Callable[[], float]:
    """Of the running loop where it has such; the time of any other is that of its last turn, which is not exact."""
    try:
        ticks: Callable[[], float] = getattr(asyncio.get_running_loop(), "ticks", time.monotonic)
    except RuntimeError:
        return time.monotonic
    return ticks
