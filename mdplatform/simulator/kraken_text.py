"""Kraken: times and checksums as spot writes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from zlib import crc32

CHECKED = 10  # levels a side in a checksum


def iso(ns: int) -> str:
    """RFC 3339 with microseconds."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def checksum(asks: Iterable[tuple[str, str]], bids: Iterable[tuple[str, str]]) -> int:
    """CRC-32 of the best levels' digits: asks then bids, price then size."""
    text = "".join(digits for side in (asks, bids) for level in side for digits in map(_digits, level))
    return crc32(text.encode())


def _digits(text: str) -> str:
    return text.replace(".", "").lstrip("0")
