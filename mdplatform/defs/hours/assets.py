"""Aggregates of an hour, each a step of its own: built beside its table and put in place whole."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.retention import retired
from mdplatform.core.errors import ConfigError
from mdplatform.defs.asset_metadata import OWNERS, messages_of, table_schema, written_in
from mdplatform.defs.failures import RETRY, plainly
from mdplatform.defs.hours.costs import Costs, noted_costs
from mdplatform.defs.hours.last_build import READ_AT, SPREAD_HOURLY
from mdplatform.defs.hours.lineage import spread_hourly_lineage, top_of_book_minute_lineage, trades_minute_lineage
from mdplatform.defs.hours.wanted import note_of
from mdplatform.defs.partitions import HOURLY, each_hour, key_of
from mdplatform.defs.resources import Platform
from mdplatform.warehouse.rollups import build_spread_hourly, build_top_of_book_minute, build_trades_minute

# A backfill of an old hour counts as well, so this shows that the schedule works, not which hours exist.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=4), warn_window=timedelta(hours=2))
# A run reports its hours when a step ends: a run that dies loses at most a day of them.
BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=24)


@dataclass(frozen=True)
class Aggregate:
    """An asset in a table of its own: what fills an hour of it, from which tables, and where each column comes from."""

    name: str
    meaning: str
    sources: tuple[str, ...]  # whose messages the hour is made from
    build: Callable[[Client, datetime], int]  # gives the rows of the hour
    lineage: Callable[[], dg.TableColumnLineage]
    migration: str

    @property
    def datasets(self) -> list[str]:
        """Those of the archive that hold its sources."""
        return [name for name, dataset in DATASETS.items() if dataset.table in self.sources]

    @property
    def table(self) -> str:
        return f"md_{self.name}"

    def on(self, client: Client, hour: datetime, schema: dg.TableSchema, costs: Costs) -> dict[str, Any]:
        """Build the hour; returns the metadata of its materialization, and adds to ``costs``. Raises WarehouseError."""
        read_at, started = time.time(), time.monotonic()
        if gone := retired(client, hour) & set(self.datasets):
            # What trickles in late is all that a build would find.
            return {"kept": f"its {', '.join(sorted(gone))} are in the archive alone", READ_AT: _moment(read_at)}
        rows = self.build(client, hour)
        seconds = round(time.monotonic() - started, 3)
        costs.add(hour, seconds, rows)
        return {
            "dagster/partition_row_count": rows,
            "dagster/column_schema": schema,
            "dagster/column_lineage": self.lineage(),
            **messages_of(client, hour, *self.sources),
            "seconds": seconds,
            READ_AT: _moment(read_at),
        }


def _moment(seconds: float) -> dg.TimestampMetadataValue:
    return dg.MetadataValue.timestamp(seconds)


def asset(aggregate: Aggregate) -> dg.AssetsDefinition:
    """The step that builds it: an hour, or those of a range one after the other."""

    @dg.asset(
        name=aggregate.name,
        description=f"{aggregate.meaning} Building an hour again replaces it.",
        partitions_def=HOURLY,
        deps=sorted({dep.asset_key for deps in aggregate.lineage().deps_by_column.values() for dep in deps}),
        group_name="rollups",
        kinds={"clickhouse", "sql"},
        owners=OWNERS,
        freshness_policy=FRESHNESS,
        backfill_policy=BACKFILL,
        retry_policy=RETRY,
        pool="clickhouse",
        metadata={
            "dagster/table_name": f"marketdata.{aggregate.table}",
            **written_in(
                "hours/assets.py", f"queries/rollups/{aggregate.name}_build.sql", f"migrations/{aggregate.migration}"
            ),
        },
    )
    def step(context: dg.AssetExecutionContext, platform: Platform) -> None:
        hours = each_hour(context)
        with plainly(context), platform.warehouse() as client, noted_costs(client, aggregate.name) as costs:
            schema = table_schema(client, aggregate.table)
            for hour in hours:
                metadata = aggregate.on(client, hour, schema, costs)
                if context.asset_key == SPREAD_HOURLY:
                    metadata |= _wanted(platform, hour)
                context.add_asset_metadata(metadata, partition_key=key_of(hour))

    return step


def _wanted(platform: Platform, hour: datetime) -> dict[str, Any]:
    """What is to be collected, if that is known of the hour; a wrong setting does not keep an hour from being built."""
    try:
        return note_of(platform.shards(), hour, datetime.now(UTC))
    except ConfigError:
        return {}


spread_hourly = asset(
    Aggregate(
        "spread_hourly",
        "Spread, mid, imbalance, depth, volatility and order flow of each symbol over the hour, over valid time.",
        ("md_orderbook_depth",),
        build_spread_hourly,
        spread_hourly_lineage,
        "0010_spread_hourly.sql",
    )
)
trades_minute = asset(
    Aggregate(
        "trades_minute",
        "Bars of trades by the minute: open, high, low, close, volume.",
        ("md_trades",),
        build_trades_minute,
        trades_minute_lineage,
        "0016_minutes.sql",
    )
)
top_of_book_minute = asset(
    Aggregate(
        "top_of_book_minute",
        "Mid, spread and coverage of the best bid and ask by the minute, in valid time.",
        ("md_top_of_book",),
        build_top_of_book_minute,
        top_of_book_minute_lineage,
        "0016_minutes.sql",
    )
)
