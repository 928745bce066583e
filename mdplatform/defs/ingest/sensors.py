"""The sensor that keeps one ingest run alive for each wanted shard."""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from mdplatform.collector import pauses
from mdplatform.collector.pauses import Pause
from mdplatform.core.clock import SECOND
from mdplatform.core.errors import BusError, ConfigError
from mdplatform.core.shards import Shard
from mdplatform.defs.ingest.jobs import FEED_TAG, SHARD_TAG, ingest, run_config
from mdplatform.defs.ingest.policy import Decision, LivingRun, PastRun, State, decide, silence
from mdplatform.defs.resources import Platform

INTERVAL_S = 10
GIVE_UP_S = 20.0  # giving up a run takes up to a second on a busy disk, and Dagster stops an evaluation at 60 s
REMEMBERED_RUNS = 10  # of a shard, to count its failures in a row: enough for the longest pause

_STATES: dict[DagsterRunStatus, State] = {
    DagsterRunStatus.QUEUED: "waiting",
    DagsterRunStatus.NOT_STARTED: "starting",
    DagsterRunStatus.STARTING: "starting",
    DagsterRunStatus.STARTED: "running",
    DagsterRunStatus.CANCELING: "ending",
}
_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


@dg.sensor(
    job=ingest,
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Compares the shards of MDPLATFORM_INGEST with the living runs every 10 s: starts what is missing "
    "(with growing pauses after failures), ends what is no longer wanted, replaces what gives no sign of life. "
    "Ends what an operator has paused (jobs pause_venue, resume_venue), and states its feeds as down.",
)
def ingest_supervisor(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    return supervise(context.instance, platform, time.time())


def supervise(instance: DagsterInstance, platform: Platform, now: float) -> dg.SensorResult | dg.SkipReason:
    """Compare the wanted shards with the living runs once; ``now`` in s since the epoch."""
    try:
        shards, paused = platform.shards(), platform.pauses()
    except ConfigError as error:
        # The collectors that run stay up: a typo must not stop running collectors.
        return dg.SkipReason(str(error))
    wanted = [shard for shard in shards if shard.venue not in paused]
    halted = [shard for shard in shards if shard.venue in paused]
    living = living_runs(instance, platform)
    heard = {run.shard for run in living if silence(run, now) is None}
    missing = [shard for shard in wanted if shard.key not in heard]
    decision = decide(wanted, living, past_runs(instance, missing), now, {shard.key for shard in halted})
    left = _give_up_and_end(instance, decision)
    kept = {run.shard for run in living if run.id in left}
    starting = [shard for shard in decision.start if shard.key not in kept]
    if starting:
        return dg.SensorResult(run_requests=[request(shard) for shard in starting])
    uncollected = [shard for shard in halted if shard.key not in {run.shard for run in living}]
    return dg.SkipReason("; ".join([_situation(wanted, decision), *_state_paused(platform, paused, uncollected, now)]))


def _state_paused(
    platform: Platform, paused: Mapping[str, Pause], uncollected: Iterable[Shard], now: float
) -> list[str]:
    """State the feeds of paused venues as down, which no collector does; gives what the tick says of each pause."""
    said = [str(pause) for pause in paused.values()]
    settings = platform.settings()
    due = {pause.venue for pause in pauses.due(settings.data_dir, paused.values(), now)}
    shards = [shard for shard in uncollected if shard.venue in due]
    if shards:
        try:
            stated = pauses.state(settings, paused, shards, round(now * SECOND))
            said.append(f"stated {stated} intervals of paused feeds")
        except BusError as error:
            said.append(f"that their feeds are down could not be published: {error}")
    return said


def request(shard: Shard) -> dg.RunRequest:
    """Without a run key: a key is forever, and a shard is started again and again."""
    return dg.RunRequest(run_config=run_config(shard), tags={SHARD_TAG: shard.key, FEED_TAG: str(shard)})


def living_runs(instance: DagsterInstance, platform: Platform) -> list[LivingRun]:
    """The ingest runs that Dagster has not finished."""
    records = instance.get_run_records(RunsFilter(job_name=ingest.name, statuses=list(_STATES)))
    tagged = [(record, record.dagster_run.tags.get(SHARD_TAG)) for record in records]
    # One without the tag was started by hand, and is left to whoever did.
    beats = {shard: _beat(file) for shard, file in platform.lock_files(s for _, s in tagged if s is not None).items()}
    living = []
    for record, shard in tagged:
        if shard is None:
            continue
        run, beat = record.dagster_run, beats[shard]
        since = record.start_time or record.create_timestamp.timestamp()
        # An earlier run's heartbeat says nothing about this one.
        living.append(LivingRun(run.run_id, shard, _STATES[run.status], since, beat if beat and beat > since else None))
    return living


def _beat(lock_file: Path) -> float | None:
    """When the holder of the lock last did its work, in s since the epoch; None: there was none yet."""
    try:
        return lock_file.stat().st_mtime
    except FileNotFoundError:
        return None


def past_runs(instance: DagsterInstance, shards: Iterable[Shard]) -> list[PastRun]:
    """The last ended runs of each shard, without cancelled ones: those did not fail to start."""
    past = []
    for shard in shards:
        tagged = RunsFilter(job_name=ingest.name, statuses=_ENDED, tags={SHARD_TAG: shard.key})
        for record in instance.get_run_records(tagged, limit=REMEMBERED_RUNS):
            if record.dagster_run.status != DagsterRunStatus.CANCELED:
                ended = record.end_time or record.update_timestamp.timestamp()
                past.append(PastRun(shard.key, record.start_time, ended))
    return past


def _give_up_and_end(instance: DagsterInstance, decision: Decision) -> set[str]:
    """Returns the ids of the runs that are left to the next evaluation, because this one has taken long enough."""
    deadline = time.monotonic() + GIVE_UP_S
    left = set(decision.abandon)
    for run_id, reason in decision.abandon.items():
        if time.monotonic() > deadline:
            break
        left.discard(run_id)
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, f"Given up: {reason}.")
    for run_id, reason in decision.end.items():
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_engine_event(f"Ending: {reason}.", run)
            instance.run_coordinator.cancel_run(run_id)
    return left


def _situation(wanted: Sequence[Shard], decision: Decision) -> str:
    if not wanted:
        return "MDPLATFORM_INGEST names no shard"
    if decision.waiting:
        pauses = ", ".join(f"{key} in {seconds:.0f} s" for key, seconds in decision.waiting.items())
        return f"waiting after failures: {pauses}"
    return f"{len(wanted)} shards, each has its run"
