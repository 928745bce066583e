"""Alerts from Dagster's own records: failed checks, failed runs, stale assets."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from mdplatform.alerts.policy import Alert, Severity
from mdplatform.defs.external.assets import feed_key
from mdplatform.defs.hours.findings import VENUES
from mdplatform.defs.ingest.jobs import FEED_TAG, SHARD_TAG
from mdplatform.venues import venue_ids

MOST_RUNS = 1000  # read in one evaluation; the next one continues where it ended
PAGE = 200  # evaluations of a check, read at once
# Dagster exports no names for the states of checks and of freshness: these are their values.
_PASSED, _FAILED = "SUCCEEDED", "FAILED"
_FRESH, _STALE = "PASS", "FAIL"
_OVER = [DagsterRunStatus.SUCCESS, DagsterRunStatus.STARTED]


def check_alerts(instance: dg.DagsterInstance, keys: Sequence[dg.AssetCheckKey], after: int) -> tuple[list[Alert], int]:
    """The last evaluation of each check and partition, if it is newer than the event with the storage id ``after``;
    and the id to continue from. The query is one that SQLite, which keeps a file of events for each run, answers too.
    """
    found = instance.event_log_storage.get_asset_check_partition_info(keys, after_storage_id=after)
    done = [
        (info.latest_check_event_storage_id, info.check_key, info.partition_key, info.latest_execution_status.value)
        for info in found
        if info.latest_execution_status is not None and (info.latest_check_event_storage_id or 0) > after
    ]
    fresh = sorted((each for each in done if each[3] in (_PASSED, _FAILED)), key=lambda each: each[0])
    failed: dict[dg.AssetCheckKey, set[str | None]] = {}
    for _, key, partition, state in fresh:
        if state == _FAILED:
            failed.setdefault(key, set()).add(partition)
    evaluations = {key: _evaluations(instance, key, partitions) for key, partitions in failed.items()}
    alerts = [_of_check(key, partition, evaluations.get(key, {}).get(partition)) for _, key, partition, _ in fresh]
    return alerts, max([after, *(each[0] for each in fresh)])


def _evaluations(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, partitions: set[str | None]
) -> dict[str | None, dg.AssetCheckEvaluation]:
    """The last evaluation of each of the partitions."""
    found: dict[str | None, dg.AssetCheckEvaluation] = {}
    cursor = None
    while partitions - found.keys():
        page = instance.event_log_storage.get_asset_check_execution_history(key, limit=PAGE, cursor=cursor)
        for record in page:
            # A run that judges it again has planned an evaluation, which says nothing yet.
            if isinstance(record.evaluation, dg.AssetCheckEvaluation) and record.partition in partitions:
                found.setdefault(record.partition, record.evaluation)
        if len(page) < PAGE:
            break
        cursor = page[-1].id
    return found


def run_alerts(instance: dg.DagsterInstance, since: datetime) -> tuple[list[Alert], datetime]:
    """Runs that failed since then, runs that end an earlier failure, and the time to continue from."""
    statuses = [DagsterRunStatus.FAILURE, *_OVER]
    records = instance.get_run_records(RunsFilter(statuses=statuses, updated_after=since), limit=MOST_RUNS)
    ordered = sorted(records, key=lambda record: record.update_timestamp)
    latest = max([since, *(record.update_timestamp.replace(tzinfo=UTC) for record in ordered)])
    return [alert for record in ordered for alert in _of_run(record.dagster_run)], latest


def freshness_alerts(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> Iterator[Alert]:
    """Assets whose freshness policy is broken, and those that keep theirs."""
    for key, record in instance.get_freshness_state_records(keys).items():
        name = key.to_user_string()
        if record.freshness_state.value == _STALE:
            since = f"{record.updated_at:%Y-%m-%d %H:%M}"
            step = "Look at the feeds' runs and the lag of the tables' consumers." if "/" in name else ""
            yield Alert(f"stale/{name}", f"{name} is stale since {since} UTC", step or "Look at its last runs.")
        elif record.freshness_state.value == _FRESH:
            yield Alert(f"stale/{name}", None)


def _of_check(key: dg.AssetCheckKey, partition: str | None, failed: dg.AssetCheckEvaluation | None) -> Alert:
    """``failed``: its last evaluation, where that failed."""
    hour = partition or ""
    asset = key.asset_key.to_user_string()
    cause = f"check/{asset}/{key.name}/{hour}"
    if failed is None:
        return Alert(cause, None)
    metadata = {name: value.value for name, value in failed.metadata.items()}
    rows = f", {metadata['bad_rows']} rows" if "bad_rows" in metadata else ""
    why = f": {failed.description}" if failed.description and not rows else ""
    text = f"{failed.severity.value}: {key.name} failed for {' '.join(filter(None, (asset, hour)))}{rows}{why}"
    severity: Severity = "warning" if failed.severity == dg.AssetCheckSeverity.WARN else "error"
    return Alert(cause, text, str(metadata.get("next_step", "")), severity, _venues(key.asset_key, metadata))


def _venues(asset: dg.AssetKey, metadata: Mapping[str, object]) -> tuple[str, ...]:
    """Those that a check is about: the one of a feed, or those whose rows contradict a claim."""
    if asset.path[0] == feed_key("").path[0]:
        return tuple(venue for venue in venue_ids() if feed_key(venue) == asset)
    named = metadata.get(VENUES)
    return tuple(map(str, named)) if isinstance(named, list) else ()


def _of_run(run: dg.DagsterRun) -> Iterator[Alert]:
    """The failure of a collector's run is over when its next run has started; of another job, when a run succeeded."""
    shard = run.tags.get(SHARD_TAG)
    hours = run.tags.get("dagster/partition") or run.tags.get("dagster/asset_partition_range_start", "")
    cause = f"run/{run.job_name}/{shard or hours}"
    if run.status == DagsterRunStatus.FAILURE:
        of = f" of {shard or hours}" if shard or hours else ""
        text = f"run {run.run_id[:8]} of {run.job_name}{of} failed"
        venue = run.tags.get(FEED_TAG, "").partition(":")[0]
        yield Alert(cause, text, "Read the end of its log in the UI.", venues=(venue,) if venue else ())
    elif run.status == (DagsterRunStatus.STARTED if shard else DagsterRunStatus.SUCCESS):
        yield Alert(cause, None)
