"""The sensor that observes topics and stream tables."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from mdplatform.bus.admin import Admin
from mdplatform.core.errors import MdplatformError
from mdplatform.core.event_kinds import STEADY, STORED, TABLES
from mdplatform.core.settings import Settings
from mdplatform.defs.external.assets import table_groups, table_key, topic_key
from mdplatform.defs.resources import Platform
from mdplatform.warehouse import queries
from mdplatform.warehouse.render import topics_read

INTERVAL_SECONDS = 60
WRITTEN_EVERY = timedelta(minutes=5)  # freshness counts materializations; one a minute would be 7,000 events a day


@dg.sensor(
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Once a minute: offsets and lag of the topics, rows, size and latest write of the tables.",
)
def stream_observer(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    settings = platform.settings()
    events: list[dg.AssetObservation | dg.AssetMaterialization] = []
    missing: list[str] = []
    for observe in (topic_observations, table_observations):
        try:
            events += observe(settings, platform)
        except MdplatformError as error:
            missing.append(str(error))
    events += written(context.instance, [event for event in events if isinstance(event, dg.AssetObservation)])
    for error_text in missing:
        context.log.warning(error_text)
    return dg.SensorResult(asset_events=events, skip_reason=None if events else dg.SkipReason("; ".join(missing)))


def topic_observations(settings: Settings, platform: Platform) -> Iterator[dg.AssetObservation]:
    """Of every topic that exists; raises BusError."""
    admin = Admin(settings)
    lags: dict[str, int] = {}
    for row in (row for group in table_groups(admin, settings) for row in admin.lag(group)):
        lags[row.topic] = lags.get(row.topic, 0) + row.lag
    for kind in STORED:
        marks = admin.watermarks(topics_read(settings, kind.name))
        if marks:
            names = {topic for topic, _ in marks}
            metadata: dict[str, Any] = {
                "messages_kept": sum(end - first for first, end in marks.values()),
                "messages_ever": sum(end for _, end in marks.values()),
                "table_lag": sum(lags.get(name, 0) for name in names),
                "offsets": dg.MetadataValue.md(_offsets(marks, lags)),
            }
            yield dg.AssetObservation(topic_key(kind.name), metadata=metadata)


def table_observations(settings: Settings, platform: Platform) -> Iterator[dg.AssetObservation]:
    """Of every table that holds something; raises WarehouseError."""
    with platform.warehouse() as client:
        found = {row["name"]: row for row in queries.run(client, "observe_tables")}
    for table in (name for name in TABLES if name in found):
        row = found[table]
        age = (datetime.now(UTC) - row["written_at"].replace(tzinfo=UTC)).total_seconds()
        metadata = {
            "dagster/row_count": row["rows"],
            "bytes": row["bytes"],
            "written_at": dg.MetadataValue.timestamp(row["written_at"].replace(tzinfo=UTC)),
            "seconds_since_write": max(0.0, age),
        }
        yield dg.AssetObservation(table_key(table), metadata=metadata)


def written(
    instance: dg.DagsterInstance, observations: Sequence[dg.AssetObservation]
) -> Iterator[dg.AssetMaterialization]:
    """A materialization of each steady table that was written to since its last one, which is WRITTEN_EVERY old."""
    keys = [table_key(table) for table in STEADY]
    latest = {key: instance.get_latest_materialization_event(key) for key in keys}
    for observation in (found for found in observations if found.asset_key in latest):
        written_at = observation.metadata["written_at"].value
        last = latest[observation.asset_key]
        if isinstance(written_at, float) and (
            last is None or written_at >= last.timestamp + WRITTEN_EVERY.total_seconds()
        ):
            yield dg.AssetMaterialization(observation.asset_key, metadata=observation.metadata)


def _offsets(marks: dict[tuple[str, int], tuple[int, int]], lags: dict[str, int]) -> str:
    """Topics that hold something: first and next offset by partition."""
    ends: dict[str, list[str]] = {}
    for (topic, _), (first, end) in sorted(marks.items()):
        if end:
            ends.setdefault(topic, []).append(f"{first}-{end}")
    rows = [f"| {topic} | {', '.join(parts)} | {lags.get(topic, 0)} |" for topic, parts in ends.items()]
    return "\n".join(["| topic | offsets by partition | table lag |", "|---|---|---|", *rows])
