"""The nightly job that has old rows leave the warehouse."""

from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from mdplatform.archive.retention import retire
from mdplatform.core.errors import MdplatformError
from mdplatform.defs.failures import RETRY, STARTED_AGAIN, fail
from mdplatform.defs.resources import Platform


class RetentionConfig(dg.Config):
    """What to do with what is old enough to leave."""

    dry_run: bool = Field(default=False, description="Prove the archive, say what would leave, and drop nothing.")


@dg.op(retry_policy=RETRY, pool="clickhouse")
def drop_old_rows(context: dg.OpExecutionContext, config: RetentionConfig, platform: Platform) -> None:
    """By dataset: what is older than MDPLATFORM_RETENTION_* days, and proven in the archive where it belongs there."""
    try:
        settings = platform.settings()
        if settings.clickhouse_cluster and settings.retention_days():
            fail("on a cluster rows leave by ClickHouse's own TTL: partitions are looked at on one node alone")
        root = platform.archive_root()
        with platform.warehouse() as client:
            outcomes = list(retire(client, root, settings.retention_days(), datetime.now(UTC), config.dry_run))
    except MdplatformError as error:
        raise dg.RetryRequested(RETRY.max_retries) from dg.Failure(str(error))
    kept = [outcome for outcome in outcomes if outcome.kept]
    for outcome in outcomes:
        (context.log.warning if outcome.kept else context.log.info)(str(outcome))
    left = [outcome for outcome in outcomes if not outcome.kept]
    context.log.info(
        f"{'would leave' if config.dry_run else 'left'}: {sum(each.rows for each in left):,} rows, "
        f"{sum(each.bytes for each in left):,} bytes in {len(left)} partitions"
    )
    if kept:
        fail(f"{len(kept)} partitions stay: {'; '.join(map(str, kept[:5]))}")


@dg.job(
    executor_def=dg.in_process_executor,
    description="Has rows that are older than MDPLATFORM_RETENTION_* days leave ClickHouse, each hour once its archive "
    "is read back and agrees. `mdplatform restore` loads them back.",
    tags={"mdplatform/batch": "retention", **STARTED_AGAIN},
)
def retention() -> None:
    drop_old_rows()


@dg.schedule(
    job=retention,
    cron_schedule="37 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night, where a MDPLATFORM_RETENTION_* is set.",
)
def drop_old_rows_nightly(platform: Platform) -> dg.RunRequest | dg.SkipReason:
    if not platform.settings().retention_days():
        return dg.SkipReason("no MDPLATFORM_RETENTION_* is set: all rows are kept")
    return dg.RunRequest()
