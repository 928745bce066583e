"""What the messages of both feeds have in common: times, sides, and rows of another shape."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

from mdplatform.core.clock import SECOND, rfc3339_ns
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Side

EXCHANGE = "coinbase"
_YEAR_NS = 365 * 24 * 3600 * SECOND

MakerSide = Literal["buy", "sell", "BUY", "SELL"]
# The venue states the side of the maker's order; ours is the taker's.
TAKER: dict[MakerSide, Side] = {"buy": "sell", "sell": "buy", "BUY": "sell", "SELL": "buy"}


def venue_ns(text: str | None, fallback_ns: int) -> int:
    """RFC 3339 text; ``fallback_ns`` where it is absent or one of the venue's null times (year 1, 1970).

    Raises FrameError when it is no time, or beyond what 64 bits of nanoseconds hold.
    """
    if text is None:
        return fallback_ns
    try:
        time = rfc3339_ns(text)
    except ValueError as error:
        raise FrameError("bad_time", str(error)) from None
    if time >= 2**63:
        raise FrameError("bad_time", f"beyond the year 2262: {text}")
    return time if time > _YEAR_NS else fallback_ns


R = TypeVar("R")


def readable(rows: list[msgspec.Raw], read: msgspec.json.Decoder[R]) -> tuple[list[R], list[msgspec.Raw]]:
    """(the rows that ``read`` can read, those that are of another shape)."""
    good: list[R] = []
    odd: list[msgspec.Raw] = []
    for row in rows:
        try:
            good.append(read.decode(row))
        except msgspec.ValidationError:
            odd.append(row)
    return good, odd
