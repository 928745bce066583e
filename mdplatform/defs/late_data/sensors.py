"""The sensor that builds hours again when rows come after their build."""

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import dagster as dg

from mdplatform.core.errors import WarehouseError
from mdplatform.defs.hours.last_build import last_built
from mdplatform.defs.hours.schedules import hourly_build
from mdplatform.defs.late_data.policy import Arrival, Look, due, note, ranges
from mdplatform.defs.partitions import hour_of, is_partition, key_of
from mdplatform.defs.resources import Platform
from mdplatform.warehouse import queries

INTERVAL_S = 300
MOST_RUNS = 10  # started by one look; the rest stays owed


@dg.sensor(
    job=hourly_build,
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Every five minutes: looks for rows that were stored into an hour after it was built, and builds it "
    "again once no more come, at most once an hour; neighbouring hours in one run.",
)
def late_data(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    now = datetime.now(UTC)
    look = _read(context.cursor, now)
    try:
        with platform.warehouse() as client:
            rows = queries.run(client, "late_hours", since=look.since)
    except WarehouseError as error:
        return dg.SkipReason(str(error))
    every = [Arrival(r["exchange"], r["hour"], r["last_inserted_at"]) for r in rows]
    arrivals = [arrival for arrival in every if is_partition(arrival.hour)]
    built = {hour: last_built(context.instance, hour) for hour in {a.hour for a in arrivals} | set(look.owed)}
    look = note(look, arrivals, built, now)
    spans = ranges(due(look, built, now))[:MOST_RUNS]
    left = {hour: venues for hour, venues in look.owed.items() if not any(a <= hour <= b for a, b in spans)}
    return dg.SensorResult(
        run_requests=[request(look, first, last) for first, last in spans],
        cursor=_written(Look(look.since, left)),
        skip_reason=None if spans else dg.SkipReason(_situation(left, {arrival.hour for arrival in every})),
    )


def _situation(left: Collection[datetime], late: Iterable[datetime]) -> str:
    """Hours before the first partition are not built, as when history is loaded; the tick says so."""
    waiting = f"{len(left)} hours wait to be built again"
    before = sorted(hour for hour in late if not is_partition(hour))
    if not before:
        return waiting
    earliest = f"MDPLATFORM_FIRST_HOUR={before[0]:%Y-%m-%dT%H:00}"
    return f"{waiting}; {len(before)} late hours lie before the first partition, {earliest} includes them"


def request(look: Look, first: datetime, last: datetime) -> dg.RunRequest:
    """One run for the hours from ``first`` to ``last``. Without a run key: an hour may be late more than once."""
    venues = sorted({venue for hour, found in look.owed.items() if first <= hour <= last for venue in found})
    tags = {"mdplatform/late": ",".join(venues)}
    if first == last:
        return dg.RunRequest(partition_key=key_of(first), tags=tags)
    ends = {"dagster/asset_partition_range_start": key_of(first), "dagster/asset_partition_range_end": key_of(last)}
    return dg.RunRequest(tags=tags | ends)


def _read(cursor: str | None, now: datetime) -> Look:
    """The first look begins now: rows from before it are in the hours that the schedule builds."""
    if cursor is None:
        return Look(now)
    kept = json.loads(cursor)
    owed = {hour_of(key): tuple(venues) for key, venues in kept["owed"].items()}
    return Look(datetime.fromisoformat(kept["since"]), {hour: owed[hour] for hour in owed if is_partition(hour)})


def _written(look: Look) -> str:
    owed = {key_of(hour): venues for hour, venues in look.owed.items()}
    return json.dumps({"since": look.since.isoformat(), "owed": owed})
