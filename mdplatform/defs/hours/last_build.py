"""When an hour was last built: what Dagster knows of it."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from mdplatform.defs.partitions import hour_of, key_of

SPREAD_HOURLY = dg.AssetKey("spread_hourly")  # the first of an hour's parts: by it an hour is built or not
READ_AT = "read_at"  # metadata of a materialization: from when its rows are, in s since the epoch


def last_built_hour(instance: dg.DagsterInstance) -> datetime | None:
    """The latest hour that was ever built; None: none was."""
    keys = instance.get_materialized_partitions(SPREAD_HOURLY)
    return max((hour_of(key) for key in keys), default=None)


def last_built(instance: dg.DagsterInstance, hour: datetime) -> datetime | None:
    """When the last build of the hour began to read; None: it was never built."""
    wanted = dg.AssetRecordsFilter(asset_key=SPREAD_HOURLY, asset_partitions=[key_of(hour)])
    records = instance.fetch_materializations(wanted, limit=1).records
    event = records[0].asset_materialization if records else None
    if event is None:
        return None
    read_at = event.metadata.get(READ_AT)
    seconds = read_at.value if isinstance(read_at, dg.TimestampMetadataValue) else records[0].timestamp
    return datetime.fromtimestamp(seconds, UTC)


def is_built(instance: dg.DagsterInstance, hour: datetime) -> bool:
    """Whether it was built after its end."""
    built = last_built(instance, hour)
    return built is not None and built >= hour + timedelta(hours=1)
