"""Aggregates by the hour and, within it, by the minute."""

from datetime import datetime, timedelta
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.defs.asset_metadata import OWNERS, messages_of, table_schema, written_in
from mdplatform.defs.external.assets import table_key
from mdplatform.defs.hours.lineage import minute_lineage, rollup_lineage
from mdplatform.defs.partitions import HOURLY
from mdplatform.warehouse.rollups import build_minutes, build_spread_hourly

# A backfill of an old hour counts as well, so this tells that the schedule works, not which hours are there.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=4), warn_window=timedelta(hours=2))

SPREAD_HOURLY = dg.AssetSpec(
    "spread_hourly",
    description="Spread, mid, imbalance, depth, volatility and order flow of each symbol over one hour, weighted by "
    "valid time. The hour is built beside the table and put in place whole: building it again replaces it.",
    partitions_def=HOURLY,
    deps=[table_key("md_orderbook_depth"), table_key("md_feed_status")],
    group_name="rollups",
    kinds={"clickhouse", "sql"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    metadata={
        "dagster/table_name": "marketdata.md_spread_hourly",
        **written_in("hours/rollups.py", "queries/spread_hourly_build.sql", "migrations/0010_spread_hourly.sql"),
    },
)

MINUTE_BARS = dg.AssetSpec(
    "minute_bars",
    description="For charts, by the minute: open, high, low, close and volume of trades (md_trades_minute), and mid, "
    "spread and coverage of the best levels (md_top_of_book_minute). Each hour is put in place whole.",
    partitions_def=HOURLY,
    deps=[table_key("md_trades"), table_key("md_top_of_book"), table_key("md_feed_status")],
    group_name="rollups",
    kinds={"clickhouse", "sql"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    metadata=written_in(
        "hours/rollups.py",
        "queries/trades_minute_build.sql",
        "queries/top_of_book_minute_build.sql",
        "migrations/0016_minutes.sql",
    ),
)


def spread_hourly(client: Client, hour: datetime) -> dict[str, Any]:
    """Build the hour; gives what its materialization says. Raises WarehouseError."""
    rows = build_spread_hourly(client, hour)
    return {
        "dagster/partition_row_count": rows,
        "dagster/column_schema": table_schema(client, "md_spread_hourly"),
        "dagster/column_lineage": rollup_lineage(),
        **messages_of(client, hour, "md_orderbook_depth"),
    }


def minute_bars(client: Client, hour: datetime) -> dict[str, Any]:
    """The same for both tables by the minute; their columns are named ``table.column``."""
    rows = build_minutes(client, hour)
    columns = [
        dg.TableColumn(f"{table}.{column.name}", column.type, column.description)
        for table in rows
        for column in table_schema(client, table).columns
    ]
    return {
        "dagster/partition_row_count": sum(rows.values()),
        "dagster/column_schema": dg.TableSchema(columns),
        "dagster/column_lineage": minute_lineage(),
        **rows,
        **messages_of(client, hour, "md_trades", "md_top_of_book"),
    }
