"""How several venues write the same thing."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def iso(ns: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    seconds, part = divmod(ns, 1_000_000_000)
    return f"{_whole_seconds(seconds)}.{part // 1000:06d}Z"


@lru_cache(maxsize=8)
def _whole_seconds(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
