"""Hours are built once they are complete, and once more an hour later for what came late."""

from datetime import UTC, datetime

import dagster as dg

from mdplatform.bus.admin import Admin
from mdplatform.defs.feeds import table_groups
from mdplatform.defs.partitions import complete_hours, key_of
from mdplatform.defs.resources import Platform
from mdplatform.errors import BusError

MINUTE = 5  # past the hour: status intervals are extended every 5 s, tables flush within a second
HOURS = 2
MOST_LAG = 5_000  # messages; above it rows of the hour may still be on their way

hourly_build = dg.define_asset_job(
    "hourly_build",
    selection=dg.AssetSelection.assets("spread_hourly", "parquet_archive"),
    description="One hour: the rollup, its checks, and, if they hold, the archive and its check.",
    tags={"mdplatform/batch": "hourly"},
)


@dg.schedule(
    job=hourly_build,
    cron_schedule=f"{MINUTE},{MINUTE + 10},{MINUTE + 20} * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def build_hours(context: dg.ScheduleEvaluationContext, platform: Platform) -> list[dg.RunRequest] | dg.SkipReason:
    """Builds the last complete hour and, for late data, the one before, once the tables have caught up."""
    now = context.scheduled_execution_time
    try:
        lag = table_lag(platform)
    except BusError as error:
        return dg.SkipReason(f"the broker cannot say whether the tables have caught up: {error}")
    if lag > MOST_LAG:
        return dg.SkipReason(f"the tables are {lag} messages behind; the hour is built when they have caught up")
    return requests(now)


def requests(now: datetime) -> list[dg.RunRequest]:
    """A run for each hour. The key holds the hour of the tick: later ticks within it repeat nothing."""
    tick = key_of(now.astimezone(UTC))[:13]
    return [
        dg.RunRequest(run_key=f"{key_of(hour)}/{tick}", partition_key=key_of(hour))
        for hour in complete_hours(now, HOURS)
    ]


def table_lag(platform: Platform) -> int:
    """Messages that the warehouse has not read yet; raises BusError."""
    settings = platform.settings()
    admin = Admin(settings)
    return sum(row.lag for group in table_groups(admin, settings) for row in admin.lag(group))
