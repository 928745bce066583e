"""The step that archives hours and proves what it archived."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.datasets import DATASETS
from mdplatform.defs.archive.checks import ARCHIVE_SPEC, PARQUET_ARCHIVE, compare_archive
from mdplatform.defs.archive.columns import archive_lineage, archive_schema, archive_source
from mdplatform.defs.archive.export import archive_hour
from mdplatform.defs.asset_metadata import OWNERS
from mdplatform.defs.failures import RETRY, fail, plainly
from mdplatform.defs.hours.assets import BACKFILL, FRESHNESS
from mdplatform.defs.hours.checks import judge
from mdplatform.defs.hours.claims import CLAIMS, Claim
from mdplatform.defs.hours.costs import noted_costs
from mdplatform.defs.hours.findings import target_of
from mdplatform.defs.hours.last_build import last_built_hour
from mdplatform.defs.partitions import HOURLY, each_hour, key_of
from mdplatform.defs.resources import Platform

SPEC = dg.AssetSpec(
    PARQUET_ARCHIVE,
    description="One hour of the warehouse as Parquet, a directory and a manifest for each dataset of each venue. The "
    "same rows give the same bytes. An hour without rows is a manifest that says so, and no file. Coverage in the "
    "manifest comes from spread_hourly. An hour that breaks a blocking claim is not archived.",
    partitions_def=HOURLY,
    deps=sorted({archive_source(dataset) for dataset in DATASETS.values()}),
    group_name="archive",
    kinds={"parquet"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    metadata={"dagster/column_schema": archive_schema(), "dagster/column_lineage": archive_lineage()},
)
BLOCKING = [claim for claim in CLAIMS if claim.blocking]
Verdicts = dict[tuple[str, str | None], bool]  # by claim and partition, whether it held


@dg.multi_asset(
    name="parquet_archive",
    specs=[SPEC],
    check_specs=[ARCHIVE_SPEC],
    can_subset=True,
    backfill_policy=BACKFILL,
    retry_policy=RETRY,
    pool="clickhouse",
)
def parquet_archive(context: dg.AssetExecutionContext, platform: Platform) -> Iterator[Any]:
    archiving = PARQUET_ARCHIVE in context.selected_asset_keys
    checking = ARCHIVE_SPEC.key in context.selected_asset_check_keys
    refused = []
    hours = each_hour(context, None if archiving else last_built_hour(context.instance))
    with plainly(context), platform.warehouse() as client, noted_costs(client, "parquet_archive") as costs:
        root, verdicts = platform.archive_root(), verdicts_of(context) if archiving else {}
        for hour in hours:
            broken = broken_claims(client, hour, verdicts) if archiving else []
            if broken:
                refused.append(f"{key_of(hour)}: {', '.join(broken)}")
                continue
            if archiving:
                started = time.monotonic()
                metadata = archive_hour(client, root, hour)
                metadata["seconds"] = round(time.monotonic() - started, 3)
                costs.add(hour, metadata["seconds"], metadata["dagster/partition_row_count"], metadata["bytes"])
                # Hour by hour, as an output would stand for each hour of the run, and some are not archived.
                yield dg.AssetMaterialization(PARQUET_ARCHIVE, partition=key_of(hour), metadata=metadata)
            if checking:
                target = target_of(context.instance, PARQUET_ARCHIVE, hour)
                yield compare_archive(client, root, hour).evaluation(target, hour)
    if checking:
        yield dg.Output(None, ARCHIVE_SPEC.get_python_identifier())
    if refused:
        fail(f"not archived, as their checks failed ({len(refused)} hours): {'; '.join(refused)}")


def verdicts_of(context: dg.AssetExecutionContext) -> Verdicts:
    """How the checks of this run have judged the blocking claims."""
    wanted = {claim.name for claim in BLOCKING}
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    found: Verdicts = {}
    for record in context.instance.get_records_for_run(context.run.run_id, of_type=kind).records:
        event = record.event_log_entry.dagster_event
        evaluation = event.event_specific_data if event else None
        if isinstance(evaluation, dg.AssetCheckEvaluation) and evaluation.check_name in wanted:
            found[evaluation.check_name, evaluation.partition] = evaluation.passed
    return found


def broken_claims(client: Client, hour: datetime, verdicts: Verdicts) -> list[str]:
    """The blocking claims that the hour breaks; what this run has not judged is judged here."""

    def holds(claim: Claim) -> bool:
        known = verdicts.get((claim.name, key_of(hour)))
        return judge(client, claim, hour).passed if known is None else known

    return [claim.name for claim in BLOCKING if not holds(claim)]
