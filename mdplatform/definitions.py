"""What Dagster loads. Importing it reads the hour with which partitions begin, and touches nothing: settings are read
when something runs."""

import dagster as dg

from mdplatform.core.event_kinds import STEADY
from mdplatform.defs.alerts.disks import disk_watch
from mdplatform.defs.alerts.sensors import alert_sensor
from mdplatform.defs.alerts.stalls import stalled_tables
from mdplatform.defs.archive.assets import parquet_archive
from mdplatform.defs.archive.retention import drop_old_rows_nightly, retention
from mdplatform.defs.external.assets import specs, table_key
from mdplatform.defs.external.sensors import stream_observer
from mdplatform.defs.history.assets import history
from mdplatform.defs.history.datasets import SOURCES
from mdplatform.defs.history.jobs import load_history
from mdplatform.defs.hours.assets import spread_hourly, top_of_book_minute, trades_minute
from mdplatform.defs.hours.checks import hour_checks
from mdplatform.defs.hours.schedules import build_hours, hourly_build
from mdplatform.defs.ingest.health import SPECS as FEED_CHECKS
from mdplatform.defs.ingest.health import feed_health, feed_watch
from mdplatform.defs.ingest.jobs import ingest
from mdplatform.defs.ingest.pauses import pause_venue, resume_venue
from mdplatform.defs.ingest.retention import forgotten_runs
from mdplatform.defs.ingest.sensors import ingest_supervisor
from mdplatform.defs.late_data.sensors import late_data
from mdplatform.defs.resources import Platform

built = [spread_hourly, trades_minute, top_of_book_minute, parquet_archive]
alerts = alert_sensor(
    [*(key for asset in built for key in asset.keys), *map(table_key, STEADY)],
    [
        *hour_checks.check_keys,
        *parquet_archive.check_keys,
        *history.check_keys,
        *(spec.key for spec in FEED_CHECKS.values()),
    ],
)

defs = dg.Definitions(
    assets=[*specs(), *SOURCES, *built, history],
    asset_checks=[hour_checks, feed_health],
    jobs=[ingest, pause_venue, resume_venue, hourly_build, load_history, retention],
    schedules=[build_hours, drop_old_rows_nightly],
    sensors=[
        ingest_supervisor,
        feed_watch,
        forgotten_runs,
        stream_observer,
        late_data,
        alerts,
        stalled_tables,
        disk_watch,
    ],
    resources={"platform": Platform()},
    # A process for each step costs two seconds of a core, more than most steps.
    executor=dg.in_process_executor,
)
