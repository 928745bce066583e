"""Aggregates that are built hour by hour and put in place whole."""

from __future__ import annotations

from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client

from mdplatform.errors import WarehouseError
from mdplatform.warehouse import queries


def build_spread_hourly(client: Client, hour: datetime) -> int:
    """Build the hour that begins at ``hour`` (aware) anew and replace it in md_spread_hourly; gives its rows.

    1. empty the staging partition of whatever an interrupted build left, 2. build there, 3. replace the hour in one
    step, 4. empty the staging partition. Doing it again gives the same rows. Raises WarehouseError.
    """
    if hour.tzinfo is None or hour.replace(minute=0, second=0, microsecond=0) != hour:
        raise WarehouseError(f"not the begin of an hour with a time zone: {hour.isoformat()}")
    partition = int(hour.astimezone(UTC).strftime("%Y%m%d%H"))
    queries.command(client, "spread_hourly_clear", partition=partition)  # 1.
    queries.command(client, "spread_hourly_build", hour=hour)  # 2.
    queries.command(client, "spread_hourly_replace", partition=partition)  # 3.
    queries.command(client, "spread_hourly_clear", partition=partition)  # 4.
    return int(queries.run(client, "spread_hourly_rows", hour=hour)[0]["rows"])
