"""What Dagster says to Prometheus, on ``/metrics`` of its webserver: hours, checks, assets, runs, its daemon.

All of it is asked of Dagster's storage when Prometheus asks; nothing here reads tables or topics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from prometheus_client.core import Metric

from mdplatform.defs.hours.last_build import SPREAD_HOURLY, is_built
from mdplatform.defs.partitions import complete_hours, key_of
from mdplatform.metrics import measures
from mdplatform.metrics.measures import Sample

HOURS = 48  # how far back checks are looked at, and hours are counted
RECENT = timedelta(hours=1)
MOST_RUNS = 1000
BATCHES = ("hourly_build", "load_history")  # jobs that end; collectors' runs last
LIVING = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
# Dagster exports no names for the states of checks and of freshness: these are their values.
_CHECK = {"SUCCEEDED": 0, "FAILED": 1}
_FRESHNESS = {"PASS": 0, "WARN": 0, "FAIL": 1}


def dagster_families(
    instance: dg.DagsterInstance,
    checks: Collection[dg.AssetCheckKey],
    assets: Collection[dg.AssetKey],
    now: datetime,
) -> Iterator[Metric]:
    """``checks`` and ``assets``: those that the code location has."""
    behind = hours_behind(instance, now)
    yield measures.HOURS_BEHIND.of([] if behind is None else [((), behind)])
    yield measures.CHECK_FAILING.of(_failing(instance, sorted(checks), now))
    yield measures.STALE.of(_stale(instance, sorted(assets)))
    yield measures.RUNS.of(_counted(instance.get_runs(RunsFilter(statuses=LIVING))))
    recent = RunsFilter(statuses=ENDED, updated_after=now - RECENT)
    yield measures.ENDED.of(_counted(instance.get_runs(recent, limit=MOST_RUNS)))
    yield measures.LAST_SUCCESS.of(_last_successes(instance))
    beats = instance.get_daemon_heartbeats()
    yield measures.DAEMON.of(((name,), beat.timestamp) for name, beat in beats.items())


def hours_behind(instance: dg.DagsterInstance, now: datetime) -> int | None:
    """How many complete hours have passed since the last one that was built after its end, at most 48.

    None where no hour was ever built: there may be nothing to build yet. Those before the first one do not count.
    """
    known = instance.get_materialized_partitions(SPREAD_HOURLY)
    if not known:
        return None
    first = min(known)  # keys are in the order of their hours
    for behind, hour in enumerate(complete_hours(now, HOURS)):
        key = key_of(hour)
        if key < first or (key in known and is_built(instance, hour)):
            return behind
    return HOURS


def _failing(instance: dg.DagsterInstance, keys: Sequence[dg.AssetCheckKey], now: datetime) -> Iterator[Sample]:
    """How many of the last hours, the running one among them, the last evaluation of each check has failed for."""
    hours = [key_of(hour) for hour in complete_hours(now + timedelta(hours=1), HOURS)]
    failing: Counter[dg.AssetCheckKey] = Counter()
    for info in instance.event_log_storage.get_asset_check_partition_info(keys, partition_keys=hours):
        if info.latest_execution_status is not None and info.latest_execution_status.value in _CHECK:
            failing[info.check_key] += _CHECK[info.latest_execution_status.value]
    return (((key.asset_key.to_user_string(), key.name), count) for key, count in failing.items())


def _stale(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> Iterator[Sample]:
    for key, record in instance.get_freshness_state_records(keys).items():
        if record.freshness_state.value in _FRESHNESS:
            yield (key.to_user_string(),), _FRESHNESS[record.freshness_state.value]


def _counted(runs: Sequence[dg.DagsterRun]) -> Iterator[Sample]:
    counts = Counter((run.job_name, run.status.value.lower()) for run in runs)
    return iter(counts.items())


def _last_successes(instance: dg.DagsterInstance) -> Iterator[Sample]:
    for job in BATCHES:
        succeeded = RunsFilter(job_name=job, statuses=[DagsterRunStatus.SUCCESS])
        for record in instance.get_run_records(succeeded, limit=1):
            ended = record.end_time or record.update_timestamp.replace(tzinfo=UTC).timestamp()
            yield (job,), ended
