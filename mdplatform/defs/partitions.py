"""The hour, named once: every partitioned asset and check of this room uses it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

FORMAT = "%Y-%m-%d-%H:%M"
FIRST_HOUR = datetime(2024, 8, 1, tzinfo=UTC)  # the month of the oldest recording that our tests play

# One partition beyond the complete ones: the hour that is under way can be built by hand, to see what it gives so
# far. Building it again once it is over replaces it.
HOURLY = dg.HourlyPartitionsDefinition(start_date=FIRST_HOUR, timezone="UTC", fmt=FORMAT, end_offset=1)


def hour_of(key: str) -> datetime:
    """The first instant of a partition."""
    return datetime.strptime(key, FORMAT).replace(tzinfo=UTC)


def hours_built(context: dg.AssetExecutionContext) -> list[datetime]:
    """The hours that a run is about, earliest first: one, or the range of a backfill; Failure when it names none."""
    if not (context.has_partition_key or context.has_partition_key_range):
        raise dg.Failure("this run names no hour: choose a partition, or a range of them")
    return [hour_of(key) for key in context.partition_keys]


def key_of(hour: datetime) -> str:
    return hour.astimezone(UTC).strftime(FORMAT)


def complete_hours(now: datetime, count: int) -> list[datetime]:
    """The last ``count`` hours that are over, latest first."""
    current = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [current - timedelta(hours=back) for back in range(1, count + 1)]


def is_over(hour: datetime, now: datetime) -> bool:
    """Whether the hour that begins at ``hour`` is complete."""
    return now >= hour + timedelta(hours=1)
