"""When dated contracts end: on the last Friday of a quarter, 08:00 UTC, as most venues have it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

_FRIDAY = 4
_HOUR = 8


def quarters(now_ns: int, count: int = 2) -> list[date]:
    """The next `count` quarterly expiries after this time: current quarter first."""
    now = datetime.fromtimestamp(now_ns / 1e9, UTC)
    today = now.date() - timedelta(days=now.hour < _HOUR)  # on its day one is listed until it ends
    months = range(3 * ((today.month - 1) // 3 + 1), 12 * 10, 3)
    days = (_last_friday(today.year + (month - 1) // 12, (month - 1) % 12 + 1) for month in months)
    return [day for day in days if day > today][:count]


def expires_ms(expiry: str) -> int:
    """08:00 UTC of the day written YYYYMMDD, in ms."""
    return int(datetime.strptime(expiry + "08+0000", "%Y%m%d%H%z").timestamp()) * 1000


def _last_friday(year: int, month: int) -> date:
    day = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return day - timedelta(days=(day.weekday() - _FRIDAY) % 7)
