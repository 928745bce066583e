"""An hour from the warehouse's rows to checked files, and a range of hours in one run, one after the other.

Each hour is done with before the next begins: a run that dies in the middle of a month leaves whole hours behind it.
All is one step, because Dagster (1.13) materializes the range of a step's output at once and in the end, and loses the
partition of a check's result in a range: what happened to each hour is said here, event by event.
"""

import json
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.store import Store
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.defs.archive.assets import PARQUET_ARCHIVE, parquet_archive
from mdplatform.defs.archive.checks import ARCHIVE_SPEC, compare_archive
from mdplatform.defs.hours.checks import CLAIM_SPECS, Finding, judge
from mdplatform.defs.hours.claims import CLAIMS
from mdplatform.defs.hours.last_build import READ_AT
from mdplatform.defs.hours.replays import REPLAY_SPEC, compare_replay
from mdplatform.defs.hours.rollups import MINUTE_BARS, SPREAD_HOURLY, minute_bars, spread_hourly
from mdplatform.defs.partitions import hours_built, key_of
from mdplatform.defs.resources import Platform

CHECK_SPECS = [*CLAIM_SPECS, REPLAY_SPEC, ARCHIVE_SPEC]
Event = dg.AssetMaterialization | dg.AssetCheckEvaluation


@dg.multi_asset(
    name="hours",
    specs=[SPREAD_HOURLY, MINUTE_BARS, PARQUET_ARCHIVE],
    check_specs=CHECK_SPECS,
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="clickhouse",
    description="Hour by hour: the rollups, their checks and, if the blocking ones hold, the archive and its check.",
)
def hours(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[Any]:
    wanted, refused = hours_built(context), list[str]()
    settings = platform.settings()
    # Only a replay needs to know them: else a wrong one would keep hours from being built.
    shards = platform.shards() if settings.keep_raw else ()
    with platform.warehouse() as client:
        work = Work(context, client, platform.archive_root(), settings, shards)
        for hour in one_by_one(context.log, wanted):
            broken = yield from work.on(hour)
            refused += [f"{key_of(hour)}: {', '.join(broken)}"] if broken else []
    for spec in CHECK_SPECS:
        if spec.key in context.selected_asset_check_keys:
            yield dg.Output(None, spec.get_python_identifier())  # the step has its outputs; the events are above
    if refused:
        raise dg.Failure(f"{len(refused)} hours are not archived, as their checks failed: {'; '.join(refused)}")


def one_by_one(log: Any, wanted: Sequence[datetime]) -> Iterator[datetime]:
    """The hours; after each one, a line in the run's log says how far the run has come."""
    started = time.monotonic()
    for done, hour in enumerate(wanted, 1):
        yield hour
        passed = time.monotonic() - started
        left = passed / done * (len(wanted) - done)
        log.info(f"{key_of(hour)} is done: {done} of {len(wanted)} hours in {passed:.1f} s, about {left:.0f} s to go")


@dataclass(frozen=True)
class Work:
    """What is done to one hour after the other: of the assets and checks, those that the run has selected."""

    context: dg.AssetExecutionContext
    client: Client
    root: Store
    settings: Settings
    shards: Sequence[Shard]

    def on(self, hour: datetime) -> Generator[Event, None, list[str]]:
        """Build the hour, and archive it unless it breaks a blocking claim; gives the names of those that it breaks."""
        assets, checks = self.context.selected_asset_keys, self.context.selected_asset_check_keys
        if SPREAD_HOURLY.key in assets:
            yield self._materialized(SPREAD_HOURLY, hour, lambda: spread_hourly(self.client, hour))
        if MINUTE_BARS.key in assets:
            yield self._materialized(MINUTE_BARS, hour, lambda: minute_bars(self.client, hour))
        broken = yield from self._claims(hour)
        if REPLAY_SPEC.key in checks and (finding := self._replay(hour)):
            yield _evaluation(finding, hour, self._target(SPREAD_HOURLY, hour))
        if PARQUET_ARCHIVE.key in assets and not broken:
            yield self._materialized(PARQUET_ARCHIVE, hour, lambda: parquet_archive(self.client, self.root, hour))
        if ARCHIVE_SPEC.key in checks and not broken:
            target = self._target(PARQUET_ARCHIVE, hour)
            yield _evaluation(compare_archive(self.client, self.root, hour), hour, target)
        return broken

    def _claims(self, hour: datetime) -> Generator[Event, None, list[str]]:
        """Judge the hour by the selected claims, and by the blocking ones, told or not, where it is to be archived."""
        told = self.context.selected_asset_check_keys
        archiving = PARQUET_ARCHIVE.key in self.context.selected_asset_keys
        target = self._target(SPREAD_HOURLY, hour)
        broken = []
        for claim, spec in zip(CLAIMS, CLAIM_SPECS, strict=True):
            if spec.key not in told and not (claim.blocking and archiving):
                continue
            finding = judge(self.client, claim, hour)
            if spec.key in told:
                yield _evaluation(finding, hour, target)
            if claim.blocking and not finding.passed:
                broken.append(claim.name)
        return broken

    def _replay(self, hour: datetime) -> Finding | None:
        return compare_replay(self.client, self.settings, self.shards, hour, datetime.now(UTC), self.context.log)

    def _materialized(
        self, spec: dg.AssetSpec, hour: datetime, build: Callable[[], dict[str, Any]]
    ) -> dg.AssetMaterialization:
        read_at, started = time.time(), time.monotonic()
        metadata = build()
        metadata["seconds"] = round(time.monotonic() - started, 3)
        metadata[READ_AT] = dg.MetadataValue.timestamp(read_at)
        return dg.AssetMaterialization(spec.key, partition=key_of(hour), metadata=metadata)

    def _target(self, spec: dg.AssetSpec, hour: datetime) -> Any | None:
        """The materialization that a check of the hour is about, by which the UI tells whether it is out of date."""
        wanted = dg.AssetRecordsFilter(asset_key=spec.key, asset_partitions=[key_of(hour)])
        records = self.context.instance.fetch_materializations(wanted, limit=1).records
        return target_of(records[0]) if records else None


def target_of(record: dg.EventLogRecord) -> Any:
    """The materialization that a check is about. Dagster exports no constructor of it, but its serialized form."""
    fields = {"storage_id": record.storage_id, "run_id": record.run_id, "timestamp": record.timestamp}
    return dg.deserialize_value(json.dumps({"__class__": "AssetCheckEvaluationTargetMaterializationData", **fields}))


def _evaluation(finding: Finding, hour: datetime, target: Any | None) -> dg.AssetCheckEvaluation:
    """Not stated as blocking: such an event ends the whole step, and the run has other hours to build."""
    return dg.AssetCheckEvaluation(
        asset_key=finding.check.asset_key,
        check_name=finding.check.name,
        passed=finding.passed,
        severity=finding.severity,
        metadata=finding.metadata,
        description=finding.description,
        partition=key_of(hour),
        target_materialization_data=target,
    )
