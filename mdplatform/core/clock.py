"""Where time comes from. Only drivers read a clock; everything else takes time as an argument."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

MS = 1_000_000
SECOND = 1_000_000_000


class Clock(Protocol):
    """Nanoseconds since the Unix epoch."""

    def now_ns(self) -> int: ...


class SystemClock:
    """The machine's wall clock, never going backwards within one process.

    Where the wall clock is stepped back it runs at half the pace until that has caught up. ``ticks_ns``: a clock of
    any origin that nobody steps.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, ticks_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns, self._ticks_ns = wall_ns, ticks_ns
        self._last, self._ticks = 0, ticks_ns()

    def now_ns(self) -> int:
        # A stepped clock must not make receive times regress: order of receipt is evidence. Nor may time stand still:
        # a feed that fell silent would look alive for as long as the step was.
        ticks = self._ticks_ns()
        wall, least = self._wall_ns(), self._last + (ticks - self._ticks) // 2
        self._last = wall if wall > least else least
        self._ticks = ticks
        return self._last


class FrozenClock:
    """A clock that moves only by ``advance``: for tests and replays."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, by_ns: int) -> None:
        self._now_ns += by_ns


def utc_day(seconds: float) -> str:
    """YYYYMMDD, as expiries are written, of a Unix time. Raises ValueError, OverflowError or OSError where none is."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d}"


def epoch_ns(value: float | int | str) -> int:
    """A Unix time in s, ms, us or ns, distinguished by its magnitude, as nanoseconds.

    Thresholds hold from 2001 (1e9 s) to 2286: s < 1e11 <= ms < 1e14 <= us < 1e17 <= ns.
    Raises ValueError when ``value`` is not a number or not positive.
    """
    text = str(value)
    whole, _, fraction = text.partition(".")
    number = int(whole)
    if number <= 0:
        raise ValueError(f"not a time since 1970: {text!r}")
    digits = 9 if number < 10**11 else 6 if number < 10**14 else 3 if number < 10**17 else 0
    # Decimal shift on the text: a float would lose the nanoseconds of a time in seconds.
    padded = (fraction + "000000000")[:digits]
    scale: int = 10**digits
    return number * scale + (int(padded) if padded else 0)


_TO_SECONDS = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})")
_FRACTION_AT = len("2026-08-20T12:00:00")
_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def rfc3339_ns(text: str) -> int:
    """``2026-08-20T12:00:00.123456Z`` (UTC, up to 9 decimals) as nanoseconds; negative before 1970.

    Raises ValueError when ``text`` is no such time.
    """
    seconds, rest = _seconds(text[:_FRACTION_AT]), text[_FRACTION_AT:]
    fraction = rest[1:-1]
    has_digits = rest[:1] == "." and rest[-1] == "Z" and fraction.isascii() and fraction.isdecimal()
    if seconds is None or not (rest == "Z" or (has_digits and len(fraction) <= 9)):
        raise ValueError(f"not an RFC 3339 time in UTC: {text[:40]!r}")
    return seconds * SECOND + int(fraction.ljust(9, "0"))


@lru_cache(maxsize=64)
def _seconds(text: str) -> int | None:
    """Up to the second, which messages after each other mostly share; None where it is no such time."""
    match = _TO_SECONDS.fullmatch(text)
    if match is None:
        return None
    day, hour, minute, second = match.groups()
    if not (hour < "24" and minute < "60" and second < "61"):  # 60: a leap second
        return None
    try:
        days = datetime.strptime(day, "%Y-%m-%d").toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    return days * 86400 + int(hour) * 3600 + int(minute) * 60 + int(second)
