"""The sensor that forgets old ingest runs, and their events with them."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from mdplatform.defs.ingest.jobs import ingest

INTERVAL_S = 3600
KEPT = timedelta(days=30)
MOST_RUNS = 100  # forgotten at one look; each is a file of events
_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


@dg.sensor(
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Once an hour: deletes ingest runs that ended more than {KEPT.days} days ago, with their events. "
    "Runs that built hours are kept: Dagster knows by them what is built.",
)
def forgotten_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    return dg.SkipReason(forget(context.instance, datetime.now(UTC)))


def forget(instance: dg.DagsterInstance, now: datetime) -> str:
    """Delete what is old at ``now``; says how much that was."""
    old = RunsFilter(job_name=ingest.name, statuses=_ENDED, updated_before=now - KEPT)
    runs = instance.get_run_records(old, limit=MOST_RUNS)
    for record in runs:
        instance.delete_run(record.dagster_run.run_id)
    return f"deleted {len(runs)} ingest runs that ended before {now - KEPT:%Y-%m-%d %H:%M} UTC"
