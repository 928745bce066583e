"""What Dagster knows that somebody should be told: failed checks, failed runs, stale assets."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus, AssetCheckPartitionInfo
from dagster._core.storage.event_log import EventLogStorage

from mdplatform.defs.alerting import Sign
from mdplatform.defs.ingest import SHARD_TAG

MOST_RUNS = 1000  # read at one look; the next goes on where it ended
_DONE = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
_OVER = [DagsterRunStatus.SUCCESS, DagsterRunStatus.STARTED]


def check_signs(instance: dg.DagsterInstance, keys: Sequence[dg.AssetCheckKey], after: int) -> tuple[list[Sign], int]:
    """Of each check and partition the last evaluation, where it is newer than the event with the storage id ``after``;
    and the id to go on from. Asked so that SQLite, which keeps a file of events for each run, can answer it too."""
    storage = instance.event_log_storage
    infos = storage.get_asset_check_partition_info(keys, after_storage_id=after)
    done = [info for info in infos if info.latest_execution_status in _DONE and info.latest_check_event_storage_id]
    fresh = [info for info in done if info.latest_check_event_storage_id > after]
    signs = [_of_check(storage, info) for info in sorted(fresh, key=lambda info: info.latest_check_event_storage_id)]
    return signs, max([after, *(info.latest_check_event_storage_id for info in fresh)])


def run_signs(instance: dg.DagsterInstance, since: datetime) -> tuple[list[Sign], datetime]:
    """Runs that failed, and began or succeeded where one had failed, since then; and the time to go on from."""
    statuses = [DagsterRunStatus.FAILURE, *_OVER]
    records = instance.get_run_records(RunsFilter(statuses=statuses, updated_after=since), limit=MOST_RUNS)
    ordered = sorted(records, key=lambda record: record.update_timestamp)
    latest = max([since, *(record.update_timestamp.replace(tzinfo=UTC) for record in ordered)])
    return [sign for record in ordered for sign in _of_run(record.dagster_run)], latest


def freshness_signs(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> Iterator[Sign]:
    """Assets whose freshness policy is broken, and those that keep theirs."""
    for key, record in instance.get_freshness_state_records(keys).items():
        name = key.to_user_string()
        if record.freshness_state == FreshnessState.FAIL:
            since = f"{record.updated_at:%Y-%m-%d %H:%M}"
            step = "Look at the feeds' runs and the lag of the tables' consumers." if "/" in name else ""
            yield Sign(f"stale/{name}", f"{name} is stale since {since} UTC", step or "Look at its last runs.")
        elif record.freshness_state == FreshnessState.PASS:
            yield Sign(f"stale/{name}", None)


def _of_check(storage: EventLogStorage, info: AssetCheckPartitionInfo) -> Sign:
    key, hour = info.check_key, info.partition_key or ""
    asset = key.asset_key.to_user_string()
    cause = f"check/{asset}/{key.name}/{hour}"
    if info.latest_execution_status == AssetCheckExecutionRecordStatus.SUCCEEDED:
        return Sign(cause, None)
    (record,) = storage.get_asset_check_execution_history(
        key, limit=1, status=_DONE, partition_filter=PartitionKeyFilter(key=info.partition_key)
    )
    evaluation = record.evaluation
    if evaluation is None:
        return Sign(cause, f"{key.name} failed for {asset} {hour}")
    told = {name: value.value for name, value in evaluation.metadata.items()}
    rows = f", {told['bad_rows']} rows" if "bad_rows" in told else ""
    text = f"{evaluation.severity.value}: {key.name} failed for {asset} {hour}{rows}"
    return Sign(cause, text, str(told.get("next_step", "")))


def _of_run(run: dg.DagsterRun) -> Iterator[Sign]:
    """A collector's run is over its failure when it has begun; another, when the same has succeeded."""
    shard = run.tags.get(SHARD_TAG)
    hours = run.tags.get("dagster/partition") or run.tags.get("dagster/asset_partition_range_start", "")
    cause = f"run/{run.job_name}/{shard or hours}"
    if run.status == DagsterRunStatus.FAILURE:
        of = f" of {shard or hours}" if shard or hours else ""
        yield Sign(cause, f"run {run.run_id[:8]} of {run.job_name}{of} failed", "Read the end of its log in the UI.")
    elif run.status == (DagsterRunStatus.STARTED if shard else DagsterRunStatus.SUCCESS):
        yield Sign(cause, None)
