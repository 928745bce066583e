"""The hour, named once: every asset and check by the hour uses it.

Partitions are part of what Dagster loads, so their beginning is read at import: of one variable and one small file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from dotenv import dotenv_values

from mdplatform.core.first_hour import first_hour
from mdplatform.core.settings import Settings
from mdplatform.defs.failures import fail

PROGRESS_LINES = 20  # of a range, in the log of each step
FORMAT = "%Y-%m-%d-%H:%M"


def _first_hour() -> datetime:
    file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return first_hour({**file, **os.environ}, Settings.data_dir)


FIRST_HOUR = _first_hour()

# One partition beyond the complete ones: the hour that is under way can be built by hand, to see what it gives so
# far. Building it again once it is over replaces it.
HOURLY = dg.HourlyPartitionsDefinition(start_date=FIRST_HOUR, timezone="UTC", fmt=FORMAT, end_offset=1)


def hour_of(key: str) -> datetime:
    """The first instant of a partition."""
    return datetime.strptime(key, FORMAT).replace(tzinfo=UTC)


def is_partition(hour: datetime) -> bool:
    """Whether it is not before the first hour."""
    return hour >= FIRST_HOUR


def each_hour(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, otherwise: datetime | None = None
) -> Iterator[datetime]:
    """The hours that a run is about, earliest first: one, or those of a range, of which the log says how far it is.

    When it names none: the hour ``otherwise``; the step fails where there is none.
    """
    if not (context.has_partition_key or context.has_partition_key_range):
        if otherwise is None:
            fail("this run names no hour: choose a partition, or a range of them")
        return iter([otherwise])
    return _one_by_one(context)


def _one_by_one(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[datetime]:
    keys, started = context.partition_keys, time.monotonic()
    for done, key in enumerate(keys, 1):
        yield hour_of(key)
        if len(keys) > 1 and done % -(-len(keys) // PROGRESS_LINES) == 0:
            passed = time.monotonic() - started
            left = passed / done * (len(keys) - done)
            context.log.info(f"{key} is done: {done} of {len(keys)} hours in {passed:.1f} s, about {left:.0f} s to go")


def key_of(hour: datetime) -> str:
    return hour.astimezone(UTC).strftime(FORMAT)


def complete_hours(now: datetime, count: int) -> list[datetime]:
    """The last ``count`` hours that are over, latest first."""
    current = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [current - timedelta(hours=back) for back in range(1, count + 1)]


def is_over(hour: datetime, now: datetime) -> bool:
    """Whether the hour that begins at ``hour`` is complete."""
    return now >= hour + timedelta(hours=1)
