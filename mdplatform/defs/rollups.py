"""Aggregates by the hour."""

from datetime import datetime, timedelta
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.defs.columns import rollup_lineage, table_schema
from mdplatform.defs.feeds import table_key
from mdplatform.defs.partitions import HOURLY
from mdplatform.warehouse.rollups import build_spread_hourly

OWNERS = ["team:market-data"]
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
    metadata={"dagster/table_name": "marketdata.md_spread_hourly"},
)


def spread_hourly(client: Client, hour: datetime) -> dict[str, Any]:
    """Build the hour; gives what its materialization says. Raises WarehouseError."""
    rows = build_spread_hourly(client, hour)
    return {
        "dagster/partition_row_count": rows,
        "dagster/column_schema": table_schema(client, "md_spread_hourly"),
        "dagster/column_lineage": rollup_lineage(),
    }
