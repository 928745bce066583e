"""What a venue allows a connection, and its counters: a bucket that refills, a window that restarts each minute."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mdplatform.simulator.config import SimulatorConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How a venue treats a connection. None: the venue has no such rule.

    messages, connects, requests    incoming ones: (refill a second, burst)
    notice_s                        how long before the end of the lifetime the venue announces it
    """

    messages: tuple[float, float]
    connects: tuple[float, float]
    requests: tuple[float, float]
    ping_every_s: float | None = None
    pong_within_s: float | None = None
    lifetime_s: float | None = None
    notice_s: float = 0.0
    subscribe_within_s: float | None = None

    def overridden(self, config: SimulatorConfig) -> ConnectionLimits:
        """With what the configuration overrides: only rules that the venue has."""
        lifetime_s = _override(self.lifetime_s, config.lifetime_s)
        notice_s = self.notice_s if config.notice_s is None else config.notice_s
        return replace(
            self,
            lifetime_s=lifetime_s,
            notice_s=notice_s if lifetime_s is None else min(notice_s, lifetime_s / 2),
            ping_every_s=_override(self.ping_every_s, config.ping_s),
            pong_within_s=_override(self.pong_within_s, config.pong_s),
            subscribe_within_s=_override(self.subscribe_within_s, config.subscribe_s),
        )


def _override(own: float | None, override: float | None) -> float | None:
    return own if override is None or own is None else override


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
