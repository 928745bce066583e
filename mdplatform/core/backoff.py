"""How long to wait after failures: one rule for sockets, REST calls, snapshots, subscriptions and lists."""

from __future__ import annotations

from typing import TypeVar

_MOST_DOUBLINGS = 16  # 2**1024 is no float

N = TypeVar("N", int, float)


def doubled(first: N, times: int, most: N) -> N:
    """``first``, twice as long each time, up to ``most``; in whatever unit both are."""
    return min(first * (1 << min(times, _MOST_DOUBLINGS)), most)
