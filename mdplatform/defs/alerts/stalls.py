"""Tables that make no progress although messages wait for them: an alert that names the reason.

ClickHouse reads a block that it refuses again and again, so the lag grows without any error. The sensor watches the
committed offset: it does not move for a minute although messages follow it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import msgspec

from mdplatform.alerts.policy import Alert
from mdplatform.alerts.routes import Outbox
from mdplatform.bus.admin import Admin, Lag
from mdplatform.core.errors import BusError, MdplatformError
from mdplatform.defs.alerts.sensors import notify
from mdplatform.defs.external.assets import table_groups
from mdplatform.defs.hours.topic_lag import without_values
from mdplatform.defs.resources import Platform
from mdplatform.warehouse import queries

INTERVAL_S = 30
PATIENCE = timedelta(minutes=1)
MOST_TEXT = 300  # characters of a reason


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """Since when a group has stood at an offset, with messages behind it."""

    offset: int
    since: datetime


class Seen(msgspec.Struct, frozen=True):
    """Where tables stood at the last evaluation, the alerts that are open, and what waits to be sent."""

    standing: dict[str, Standing] = {}
    open: tuple[Alert | str, ...] = ()  # a cause alone: as versions before 0.2 wrote it
    outbox: Outbox = Outbox()


Known = Mapping[str, Standing]  # by "<group> <topic>/<partition>"


@dg.sensor(
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends tables that have messages to read and make no progress for a minute, with the reason that "
    "ClickHouse states, to MDPLATFORM_ALERTS and MDPLATFORM_ALERT_WEBHOOK: once, and again only after it was over.",
)
def stalled_tables(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    seen = msgspec.json.decode(context.cursor, type=Seen) if context.cursor else Seen()
    try:
        alerts, after = stall_alerts(platform, seen.standing, datetime.now(UTC))
    except BusError as error:
        return dg.SkipReason(f"whether tables stand still is not known: {error}")
    outcome, outbox, problems = notify(platform, context.log, seen.open, seen.outbox, alerts)
    found = "; ".join(alert.text or "" for alert in alerts if alert.text) or "every table makes progress"
    reason = "; ".join([found, *problems])
    cursor = msgspec.json.encode(Seen(after, outcome.open, outbox)).decode()
    return dg.SensorResult(cursor=cursor, skip_reason=dg.SkipReason(reason))


def stall_alerts(platform: Platform, known: Known, now: datetime) -> tuple[list[Alert], dict[str, Standing]]:
    """Alerts for groups that stand still or move again, and what the next evaluation must know; raises BusError."""
    settings = platform.settings()
    admin = Admin(settings)
    lags = [row for group in table_groups(admin, settings) for row in admin.lag(group)]
    after = standing(known, lags, now)
    late = {key: row for row in lags if (key := _key(row)) in after and now - after[key].since >= PATIENCE}
    empty = without_values(
        settings, {(row.topic, row.partition): (row.end - row.lag, row.end) for row in late.values()}
    )
    stalled = {key: row for key, row in late.items() if (row.topic, row.partition) not in empty}
    reason = _reasons(platform) if stalled else _no_reason
    alerts = [_stalled(row, after[key], reason(row.topic)) for key, row in stalled.items()]
    alerts += [Alert(_cause(row), None) for row in lags if _key(row) not in stalled]
    return alerts, after


def standing(known: Known, lags: Iterable[Lag], now: datetime) -> dict[str, Standing]:
    """Where each group stands that has messages to read, and since when."""
    found = {}
    for row in lags:
        if row.lag > 0:
            offset, before = row.end - row.lag, known.get(_key(row))
            found[_key(row)] = before if before is not None and before.offset == offset else Standing(offset, now)
    return found


def _key(row: Lag) -> str:
    return f"{row.group} {row.topic}/{row.partition}"


def _cause(row: Lag) -> str:
    return f"stalled/{row.topic}/{row.partition}"


def _stalled(row: Lag, place: Standing, reason: str) -> Alert:
    text = f"{row.topic}/{row.partition} is not read since {place.since:%Y-%m-%d %H:%M} UTC: {row.lag} messages wait"
    why = reason or "ClickHouse states no reason"
    return Alert(
        _cause(row),
        f"{text}; {why}",
        f"Read the message at offset {place.offset} and the log of ClickHouse; what it cannot store it asks for again.",
    )


def _reasons(platform: Platform) -> Callable[[str], str]:
    """The last error of the table that reads a topic; where ClickHouse cannot be asked, that is the reason."""
    try:
        with platform.warehouse() as client:
            rows = queries.run(client, "observe_consumers")
    except MdplatformError as error:
        text = str(error)
        return lambda topic: text
    last = last_errors(rows)
    return lambda topic: last.get(topic, "")


def last_errors(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """By topic, the last error of the tables that read it."""
    failed = sorted((row for row in rows if row["errors"]), key=lambda row: row["error_times"][-1])
    # A consumer that was fenced is assigned nothing any more: its table still says what it should read.
    return {topic: row["errors"][-1][:MOST_TEXT] for row in failed for topic in {*row["topics"], *row["subscribed"]}}


def _no_reason(topic: str) -> str:
    return ""
