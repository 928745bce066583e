"""What flows without Dagster: venues' feeds, topics and stream tables as external assets, and their lineage."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import dagster as dg

from mdplatform.bus.admin import Admin
from mdplatform.core.event_kinds import STORED, EventKind, Table
from mdplatform.core.settings import Settings
from mdplatform.defs.asset_metadata import OWNERS, written_in
from mdplatform.defs.external.columns import column_lineage, message_schema
from mdplatform.venues import venue, venue_ids
from mdplatform.warehouse.render import placeholders

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=45), warn_window=timedelta(minutes=35))


def feed_key(venue: str) -> dg.AssetKey:
    return dg.AssetKey(["feed", venue.replace("-", "_")])


def topic_key(dataset: str) -> dg.AssetKey:
    return dg.AssetKey(["topic", dataset])


def table_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(["marketdata", table])


def table_groups(admin: Admin, settings: Settings) -> list[str]:
    """The consumer groups that the warehouse's tables read with; raises BusError."""
    prefix = placeholders(settings)["group"]
    return [group for group in admin.groups() if group == prefix or group.startswith(f"{prefix}.")]


def table_lineage(table: str, columns: Iterable[str]) -> dg.TableColumnLineage:
    """From which fields of messages, or columns of another table, the columns of a stream table come."""
    kind, found = next((kind, each) for kind in STORED for each in kind.tables if each.name == table)
    return column_lineage(kind, found, columns, topic_key(kind.name), table_key(kind.tables[0].name))


def specs() -> list[dg.AssetSpec]:
    """Lineage from venue to topic to table."""
    feeds = [_feed(venue_id) for venue_id in venue_ids()]
    upstream = [feed.key for feed in feeds]
    topics = [_topic(kind, upstream) for kind in STORED]
    tables = [_table(kind, table) for kind in STORED for table in kind.tables]
    return [*feeds, *topics, *tables]


def _feed(venue_id: str) -> dg.AssetSpec:
    channels = [f"- `{c.name}` ({c.kind}): {c.proof}" for c in venue(venue_id).channels]
    return dg.AssetSpec(
        feed_key(venue_id),
        description="\n".join([f"The public WebSocket feed of {venue_id}.", "", *channels]),
        group_name="feeds",
        kinds={"websocket"},
        owners=OWNERS,
        metadata={"websocket": dg.MetadataValue.url(venue(venue_id).ws_url)},
    )


def _topic(kind: EventKind, upstream: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        topic_key(kind.name),
        deps=[topic_key("books")] if kind.name == "signals" else upstream,
        description=f"Kafka: {kind.title}.",
        group_name="topics",
        kinds={"kafka"},
        owners=OWNERS,
        metadata={"template": kind.topic, "dagster/column_schema": message_schema(kind)},
    )


def _table(kind: EventKind, table: Table) -> dg.AssetSpec:
    """A kind's second table is filled from its first."""
    first = kind.tables[0]
    return dg.AssetSpec(
        table_key(table.name),
        deps=[topic_key(kind.name) if table is first else table_key(first.name)],
        description=f"ClickHouse: {table.row}.",
        group_name="tables",
        kinds={"clickhouse"},
        owners=OWNERS,
        freshness_policy=FRESHNESS if table.is_steady else None,
        metadata={
            "dagster/table_name": f"marketdata.{table.name}",
            **written_in("external/assets.py", kind.stream_file),
        },
    )
