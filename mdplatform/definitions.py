"""What Dagster loads. Importing it reads no environment and touches nothing: settings are read when something runs."""

import dagster as dg

from mdplatform.defs.alerts import alert_sensor
from mdplatform.defs.feeds import table_key
from mdplatform.defs.history import history
from mdplatform.defs.historysets import SOURCE
from mdplatform.defs.hours import hours
from mdplatform.defs.ingest import ingest
from mdplatform.defs.late import late_data
from mdplatform.defs.resources import Platform
from mdplatform.defs.schedules import build_hours, hourly_build
from mdplatform.defs.stalls import stalled_tables
from mdplatform.defs.streams import STEADY, specs, stream_observer
from mdplatform.defs.supervisor import ingest_supervisor

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
