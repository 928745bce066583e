"""What Dagster knows that somebody should be told: failed checks, failed runs, stale assets."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from dagster._core.definitions.freshness import FreshnessState

from mdplatform.defs.alerting import Sign
from mdplatform.defs.ingest import SHARD_TAG

MOST_EVENTS = 1000  # read at one look; the next goes on where it ended
_OVER = [DagsterRunStatus.SUCCESS, DagsterRunStatus.STARTED]


def check_signs(instance: dg.DagsterInstance, after: int) -> tuple[list[Sign], int]:
    """Evaluations since the event with the storage id ``after``, and the id to go on from."""
    wanted = dg.EventRecordsFilter(dg.DagsterEventType.ASSET_CHECK_EVALUATION, after_cursor=after)
    records = instance.event_log_storage.get_event_records(wanted, limit=MOST_EVENTS, ascending=True)
    signs = []
    for record in records:
        event = record.event_log_entry.dagster_event
        if event is not None:
            signs.append(_of_evaluation(event.asset_check_evaluation_data))
    return signs, max([after, *(record.storage_id for record in records)])


def run_signs(instance: dg.DagsterInstance, since: datetime) -> tuple[list[Sign], datetime]:
    """Runs that failed, and began or succeeded where one had failed, since then; and the time to go on from."""
    statuses = [DagsterRunStatus.FAILURE, *_OVER]
    records = instance.get_run_records(RunsFilter(statuses=statuses, updated_after=since), limit=MOST_EVENTS)
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


def _of_evaluation(evaluation: dg.AssetCheckEvaluation) -> Sign:
    asset, hour = evaluation.asset_key.to_user_string(), evaluation.partition or ""
    cause = f"check/{asset}/{evaluation.check_name}/{hour}"
    if evaluation.passed:
        return Sign(cause, None)
    told = {name: value.value for name, value in evaluation.metadata.items()}
    rows = f", {told['bad_rows']} rows" if "bad_rows" in told else ""
    text = f"{evaluation.severity.value}: {evaluation.check_name} failed for {asset} {hour}{rows}"
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
