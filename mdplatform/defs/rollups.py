"""Aggregates by the hour."""

from datetime import timedelta
from typing import Any

import dagster as dg

from mdplatform.defs.columns import rollup_lineage, table_schema
from mdplatform.defs.feeds import table_key
from mdplatform.defs.partitions import HOURLY, hour_built
from mdplatform.defs.resources import Platform
from mdplatform.warehouse.rollups import build_spread_hourly

OWNERS = ["team:market-data"]
# A backfill of an old hour counts as well, so this tells that the schedule works, not which hours are there.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=4), warn_window=timedelta(hours=2))


@dg.asset(
    partitions_def=HOURLY,
    deps=[table_key("md_orderbook_depth"), table_key("md_feed_status")],
    group_name="rollups",
    kinds={"clickhouse", "sql"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    pool="clickhouse",
    metadata={"dagster/table_name": "marketdata.md_spread_hourly"},
)
def spread_hourly(context: dg.AssetExecutionContext, platform: Platform) -> dg.MaterializeResult[None]:
    """Spread, mid, imbalance, depth, volatility and order flow of each symbol over one hour, weighted by valid time.

    The hour is built beside the table and put in place whole: building it again replaces it.
    """
    hour = hour_built(context)
    with platform.warehouse() as client:
        rows = build_spread_hourly(client, hour)
        metadata: dict[str, Any] = {
            "dagster/partition_row_count": rows,
            "dagster/column_schema": table_schema(client, "md_spread_hourly"),
            "dagster/column_lineage": rollup_lineage(),
        }
    return dg.MaterializeResult(metadata=metadata)
