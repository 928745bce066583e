"""What Dagster loads. Importing it reads no environment and touches nothing: settings are read when something runs."""

import dagster as dg

from mdplatform.core.event_kinds import STEADY
from mdplatform.defs.alerts.sensors import alert_sensor
from mdplatform.defs.alerts.stalls import stalled_tables
from mdplatform.defs.external.assets import specs, table_key
from mdplatform.defs.external.sensors import stream_observer
from mdplatform.defs.history.assets import history
from mdplatform.defs.history.datasets import SOURCE
from mdplatform.defs.hours.assets import hours
from mdplatform.defs.hours.schedules import build_hours, hourly_build
from mdplatform.defs.ingest.jobs import ingest
from mdplatform.defs.ingest.sensors import ingest_supervisor
from mdplatform.defs.late_data.sensors import late_data
from mdplatform.defs.resources import Platform

alerts = alert_sensor([*hours.keys, *map(table_key, STEADY)], [*hours.check_keys, *history.check_keys])

defs = dg.Definitions(
    assets=[*specs(), SOURCE, hours, history],
    jobs=[ingest, hourly_build],
    schedules=[build_hours],
    sensors=[ingest_supervisor, stream_observer, late_data, alerts, stalled_tables],
    resources={"platform": Platform()},
    # A process for each step costs two seconds of a core, more than most steps.
    executor=dg.in_process_executor,
)
