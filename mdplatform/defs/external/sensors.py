"""The sensor that observes topics and stream tables."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.bus.admin import Admin
from mdplatform.core.errors import MdplatformError
from mdplatform.core.event_kinds import STEADY, STORED, TABLES
from mdplatform.core.settings import Settings
from mdplatform.defs.asset_metadata import table_schema
from mdplatform.defs.external.assets import table_groups, table_key, table_lineage, topic_key
from mdplatform.defs.external.policy import BEHIND, QUIET_PAUSE, TABLE_PAUSE, TOPIC_PAUSE, Look, Stated, news
from mdplatform.defs.resources import Platform
from mdplatform.warehouse import queries
from mdplatform.warehouse.render import topics_read

INTERVAL_S = 60


@dataclass(frozen=True)
class Seen:
    """One topic or table: the event that would state it."""

    look: Look
    event: dg.AssetObservation | dg.AssetMaterialization


@dg.sensor(
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks once a minute at the offsets and lag of the topics and at rows, size and latest write of the "
    "tables; states what has changed, and the rest every half an hour or more.",
)
def stream_observer(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    settings, stated = platform.settings(), _read(context.cursor)
    seen: list[Seen] = []
    missing: list[str] = []
    for observe in (topics_seen, tables_seen):
        try:
            seen += observe(settings, platform)
        except MdplatformError as error:
            missing.append(str(error))
    for text in missing:
        context.log.warning(text)
    fresh = news([each.look for each in seen], stated, time.time())
    events = [each.event for each in seen if each.look.asset in fresh]
    topics = sum(each.look.asset.startswith("topic/") for each in seen)
    reason = (
        f"observed {topics} topics, {len(seen) - topics} tables; stated {', '.join(sorted(fresh)) or 'nothing new'}"
    )
    return dg.SensorResult(
        asset_events=events,
        cursor=_written({**stated, **fresh}),
        skip_reason=dg.SkipReason("; ".join([*missing, reason])),
    )


def topics_seen(settings: Settings, platform: Platform) -> Iterator[Seen]:
    """Of every topic that exists; raises BusError."""
    admin = Admin(settings)
    lags: dict[str, int] = {}
    for row in (row for group in table_groups(admin, settings) for row in admin.lag(group)):
        lags[row.topic] = lags.get(row.topic, 0) + row.lag
    for kind in STORED:
        marks = admin.watermarks(topics_read(settings, kind.name))
        if marks:
            lag = sum(lags.get(name, 0) for name in {topic for topic, _ in marks})
            state = f"{len(marks)} partitions, {'behind' if lag > BEHIND else 'read'}"
            key = topic_key(kind.name)
            metadata: dict[str, Any] = {
                "messages_kept": sum(end - first for first, end in marks.values()),
                "messages_ever": sum(end for _, end in marks.values()),
                "table_lag": lag,
                "offsets": dg.MetadataValue.md(_offsets(marks, lags)),
            }
            yield Seen(Look(key.to_user_string(), state, TOPIC_PAUSE), dg.AssetObservation(key, metadata=metadata))


def tables_seen(settings: Settings, platform: Platform) -> Iterator[Seen]:
    """Of every table that holds something, as a materialization: freshness counts those, and the catalog shows the
    columns of the last one. Raises WarehouseError."""
    with platform.warehouse() as client:
        found = {row["name"]: row for row in queries.run(client, "observe_tables")}
        for table in (name for name in TABLES if name in found):
            yield _table(client, table, found[table])


def _table(client: Client, table: str, row: Mapping[str, Any]) -> Seen:
    written_at = row["written_at"].replace(tzinfo=UTC).timestamp()
    key = table_key(table)
    schema = table_schema(client, table)
    metadata: dict[str, Any] = {
        "dagster/row_count": row["rows"],
        "dagster/column_schema": schema,
        "dagster/column_lineage": table_lineage(table, [column.name for column in schema.columns]),
        "bytes": row["bytes"],
        "written_at": dg.MetadataValue.timestamp(written_at),
        "seconds_since_write": max(0.0, time.time() - written_at),
    }
    pause = TABLE_PAUSE if table in STEADY else QUIET_PAUSE
    look = Look(key.to_user_string(), "holds rows", pause, written_at)
    return Seen(look, dg.AssetMaterialization(key, metadata=metadata))


def _read(cursor: str | None) -> dict[str, Stated]:
    return {asset: Stated(*kept) for asset, kept in json.loads(cursor).items()} if cursor else {}


def _written(stated: Mapping[str, Stated]) -> str:
    return json.dumps({asset: (kept.state, kept.at) for asset, kept in stated.items()})


def _offsets(marks: dict[tuple[str, int], tuple[int, int]], lags: dict[str, int]) -> str:
    """Topics that hold something: first and next offset by partition."""
    ends: dict[str, list[str]] = {}
    for (topic, _), (first, end) in sorted(marks.items()):
        if end:
            ends.setdefault(topic, []).append(f"{first}-{end}")
    rows = [f"| {topic} | {', '.join(parts)} | {lags.get(topic, 0)} |" for topic, parts in ends.items()]
    return "\n".join(["| topic | offsets by partition | table lag |", "|---|---|---|", *rows])
