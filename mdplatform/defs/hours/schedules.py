"""Hours are built once they are complete and all their messages are read."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from mdplatform.core.errors import BusError, WarehouseError
from mdplatform.defs.failures import STARTED_AGAIN
from mdplatform.defs.hours.last_build import is_built
from mdplatform.defs.hours.topic_lag import unread
from mdplatform.defs.partitions import complete_hours, is_partition, key_of
from mdplatform.defs.resources import Platform
from mdplatform.warehouse import queries

MINUTE = 5  # past the hour: status intervals are extended every 5 s, tables flush within a second
EVERY_MINUTES = 2  # a look at an hour that is built costs next to nothing, one at an hour that waits saves ten minutes
HOURS = 2  # how far the schedule looks back; what is older and has rows is late_data's

hourly_build = dg.define_asset_job(
    "hourly_build",
    selection=dg.AssetSelection.assets("spread_hourly", "trades_minute", "top_of_book_minute", "parquet_archive"),
    description="One hour or a range, a step for each part: the aggregates, their checks, and, if the blocking ones "
    "hold, the archive and its check.",
    tags={"mdplatform/batch": "hourly", **STARTED_AGAIN},
)


@dg.schedule(
    job=hourly_build,
    cron_schedule=f"{MINUTE}-59/{EVERY_MINUTES} * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every two minutes: builds those of the last complete hours that are not built and whose messages the "
    "tables have read.",
)
def build_hours(context: dg.ScheduleEvaluationContext, platform: Platform) -> list[dg.RunRequest] | dg.SkipReason:
    now = context.scheduled_execution_time
    wanted = [hour for hour in complete_hours(now, HOURS) if not is_built(context.instance, hour)]
    if not wanted:
        return dg.SkipReason("the last complete hours are built")
    try:
        with platform.warehouse() as client:
            first = queries.run(client, "first_data")
        # What ended before anything was collected is no hour of ours; a silent one after that is built, and is red.
        wanted = [hour for hour in wanted if is_partition(hour) and first and hour >= first[0]["hour"]]
        behind = {hour: sum(unread(platform.settings(), hour).values()) for hour in wanted}
    except BusError as error:
        return dg.SkipReason(f"the broker cannot say whether the tables have caught up: {error}")
    except WarehouseError as error:
        return dg.SkipReason(str(error))
    if not wanted:
        return dg.SkipReason("nothing was collected before the end of the last complete hour")
    ready = [hour for hour in wanted if not behind[hour]]
    if not ready:
        waiting = ", ".join(f"{key_of(hour)}: {count}" for hour, count in behind.items())
        return dg.SkipReason(f"the tables have yet to read messages of these hours: {waiting}")
    return requests(ready, now)


def requests(hours: Sequence[datetime], now: datetime) -> list[dg.RunRequest]:
    """A run for each hour. The key holds the hour of the tick: a build that failed is tried again an hour later."""
    tick = key_of(now.astimezone(UTC))[:13]
    return [dg.RunRequest(run_key=f"{key_of(hour)}/{tick}", partition_key=key_of(hour)) for hour in hours]
