"""What several venues write or read alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

import msgspec

T = TypeVar("T")


def iso(ns: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    seconds, part = divmod(ns, 1_000_000_000)
    return f"{_whole_seconds(seconds)}.{part // 1000:06d}Z"


@lru_cache(maxsize=8)
def _whole_seconds(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def reader(kind: type[T]) -> Callable[[bytes], T | None]:
    """Reads a client's message; None for one that is malformed."""
    decode = msgspec.json.Decoder(kind).decode

    def read(message: bytes) -> T | None:
        try:
            return decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    return read
