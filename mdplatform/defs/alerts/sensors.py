"""The sensor that sends alerts by their routes and writes them to the log."""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import dagster as dg
import msgspec

from mdplatform.alerts.policy import Alert, Outcome, settle
from mdplatform.alerts.routes import Outbox, Route, deliver, routes
from mdplatform.core.errors import ConfigError
from mdplatform.defs.alerts.sources import check_alerts, freshness_alerts, run_alerts
from mdplatform.defs.resources import Platform

INTERVAL_S = 30


class Seen(msgspec.Struct, frozen=True):
    """What earlier evaluations processed: the last event and run, the alerts that are open, and what waits."""

    event: int
    runs: datetime
    open: tuple[Alert | str, ...] = ()  # a cause alone: as versions before 0.2 wrote it
    outbox: Outbox = Outbox()


def alert_sensor(watched: Sequence[dg.AssetKey], checked: Sequence[dg.AssetCheckKey]) -> dg.SensorDefinition:
    """``watched``: the assets that have a freshness policy; ``checked``: the checks whose failures are posted."""

    @dg.sensor(
        minimum_interval_seconds=INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends failed checks, failed runs and stale assets to MDPLATFORM_ALERTS and "
        "MDPLATFORM_ALERT_WEBHOOK: a cause once, and again only after it was over; many at once as one summary. All "
        "are in the tick's log.",
    )
    def alerts(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
        seen = _read(context.cursor, context.instance)
        checks, event = check_alerts(context.instance, checked, seen.event)
        runs, latest = run_alerts(context.instance, seen.runs)
        found = [*checks, *runs, *freshness_alerts(context.instance, watched)]
        outcome, outbox, problems = notify(platform, context.log, seen.open, seen.outbox, found)
        reason = "; ".join([summary(outcome), *problems])
        cursor = msgspec.json.encode(Seen(event, latest, outcome.open, outbox)).decode()
        return dg.SensorResult(cursor=cursor, skip_reason=dg.SkipReason(reason))

    return alerts


def notify(
    platform: Platform, log: logging.Logger, opened: Iterable[Alert | str], outbox: Outbox, alerts: Iterable[Alert]
) -> tuple[Outcome, Outbox, list[str]]:
    """Send what changed since ``opened`` (versions before 0.2 wrote a cause alone), and what waits in ``outbox``.

    Gives what is open now, what waits then, and what the tick should say went wrong.
    """
    known = [alert if isinstance(alert, Alert) else Alert(alert, alert) for alert in opened]
    outcome = settle(known, alerts)
    to, wrong = _routes(platform)
    after, failed = deliver(to, outbox, outcome, time.time(), log)
    return outcome, after, [*wrong, *(f"tried again soon: {each}" for each in failed)]


def _routes(platform: Platform) -> tuple[list[Route], list[str]]:
    """Where alerts go, and what is wrong with the settings of that: alerts are logged all the same."""
    try:
        return routes(platform.settings()), []
    except ConfigError as error:
        return [], [str(error)]


def summary(outcome: Outcome) -> str:
    """The text of a tick: which causes are new and which are over."""
    changed = (("new", outcome.new), ("over", outcome.over))
    named = [f"{word}: {', '.join(alert.cause for alert in alerts)}" for word, alerts in changed if alerts]
    return "; ".join([*named, f"{len(outcome.open)} open"])


def _read(cursor: str | None, instance: dg.DagsterInstance) -> Seen:
    """The first evaluation starts at the end of the event log: failures from before are not posted."""
    if cursor is None:
        return Seen(instance.event_log_storage.get_maximum_record_id() or 0, datetime.now(UTC))
    return msgspec.json.decode(cursor, type=Seen)
