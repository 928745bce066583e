"""Aggregates that are built hour by hour and put in place whole."""

from __future__ import annotations

from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client

from mdplatform.core.errors import WarehouseError
from mdplatform.warehouse import queries


def build_spread_hourly(client: Client, hour: datetime) -> int:
    """Build the hour that begins at ``hour`` (aware) of md_spread_hourly again; gives its rows."""
    return _build(client, "spread_hourly", hour)


def build_trades_minute(client: Client, hour: datetime) -> int:
    """The same for md_trades_minute; md_bars takes the hour from it from now on."""
    rows = _build(client, "trades_minute", hour)
    queries.command(client, "trades_minute_built", hour=hour)
    return rows


def build_top_of_book_minute(client: Client, hour: datetime) -> int:
    """The same for md_top_of_book_minute."""
    return _build(client, "top_of_book_minute", hour)


def partition_of(hour: datetime) -> int:
    """Of a table with a partition an hour; raises WarehouseError where ``hour`` (aware) is not an hour's begin."""
    if hour.tzinfo is None or hour.replace(minute=0, second=0, microsecond=0) != hour:
        raise WarehouseError(f"not the begin of an hour with a time zone: {hour.isoformat()}")
    return int(hour.astimezone(UTC).strftime("%Y%m%d%H"))


def _build(client: Client, name: str, hour: datetime) -> int:
    """Replace one hour of the table md_<name> by what the query <name>_build makes of it.

    1. empty the staging partition of whatever an interrupted build left, 2. build there, 3. replace the hour in one
    step, 4. empty the staging partition. Doing it again gives the same rows. Raises WarehouseError.
    """
    partition = partition_of(hour)
    queries.command(client, f"{name}_clear", partition=partition)  # 1.
    queries.command(client, f"{name}_build", hour=hour)  # 2.
    _put_in_place(client, name, partition)  # 3.
    queries.command(client, f"{name}_clear", partition=partition)  # 4.
    return int(queries.run(client, f"{name}_rows", hour=hour)[0]["rows"])


def _put_in_place(client: Client, name: str, partition: int) -> None:
    """Newer servers replace nothing by what is empty: an hour without rows is dropped instead."""
    if queries.run(client, "rollup_parts", table=f"md_{name}_staging", partition=partition)[0]["parts"]:
        queries.command(client, f"{name}_replace", partition=partition)
    else:
        queries.command(client, "rollup_drop", table=f"md_{name}_store", partition=partition)
