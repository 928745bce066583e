"""Disks that fill: an alert while there is time, and a graver one when there is little."""

from collections.abc import Iterable
from datetime import UTC, datetime

import dagster as dg
import msgspec

from mdplatform.alerts.policy import Alert
from mdplatform.alerts.routes import Outbox
from mdplatform.core.errors import MdplatformError
from mdplatform.defs.alerts.sensors import notify, summary
from mdplatform.defs.resources import Platform
from mdplatform.warehouse.sizes import Room, is_scarce, rooms

INTERVAL_S = 60
NEXT_STEP = (
    "Set MDPLATFORM_RETENTION_* and run the job retention, or make the disk larger. `mdplatform doctor` shows what "
    "takes how much."
)


class Seen(msgspec.Struct, frozen=True):
    """The alerts that are open, and what waits to be sent."""

    open: tuple[Alert, ...] = ()
    outbox: Outbox = Outbox()


@dg.sensor(
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks once a minute at the room on the disks of ClickHouse and the archive: an alert when less than a "
    "tenth is free or the disk is full within a week at the present pace, an error below 3 % or within a day.",
)
def disk_watch(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    seen, now = msgspec.json.decode(context.cursor, type=Seen) if context.cursor else Seen(), datetime.now(UTC)
    try:
        with platform.warehouse() as client:
            found = rooms(client, platform.settings().local_archive(), now)
    except (MdplatformError, OSError) as error:
        return dg.SkipReason(f"how much room there is is not known: {error}")
    outcome, outbox, problems = notify(platform, context.log, seen.open, seen.outbox, room_alerts(found, now))
    reason = "; ".join([*map(str, found), summary(outcome), *problems])
    cursor = msgspec.json.encode(Seen(outcome.open, outbox)).decode()
    return dg.SensorResult(cursor=cursor, skip_reason=dg.SkipReason(reason))


def room_alerts(found: Iterable[Room], now: datetime) -> list[Alert]:
    """Of each disk whether it is about to be full."""
    return [_alert(room, now) for room in found]


def _alert(room: Room, now: datetime) -> Alert:
    cause = f"disk/{room.name}"
    if not is_scarce(room, now):
        return Alert(cause, None)
    full = room.full_at(now)
    when = f", full on {full:%Y-%m-%d %H:00} UTC at this pace" if full else ""
    return Alert(cause, f"{room}{when}", NEXT_STEP, "error" if is_scarce(room, now, grave=True) else "warning")
