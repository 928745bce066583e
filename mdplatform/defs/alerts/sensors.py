"""The sensor that posts alerts to a webhook and writes them to the log."""

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from mdplatform.core.errors import AlertError
from mdplatform.defs.alerts.policy import Outcome, message, posts, settle
from mdplatform.defs.alerts.sources import check_alerts, freshness_alerts, run_alerts
from mdplatform.defs.resources import Platform

INTERVAL_SECONDS = 30
ANSWER_SECONDS = 10


@dataclass(frozen=True)
class Seen:
    """What earlier evaluations processed: the last event and run, and the causes that were posted and are open."""

    event: int
    runs: datetime
    open: tuple[str, ...] = ()


def alert_sensor(watched: Sequence[dg.AssetKey], checked: Sequence[dg.AssetCheckKey]) -> dg.SensorDefinition:
    """``watched``: the assets that have a freshness policy; ``checked``: the checks whose failures are posted."""

    @dg.sensor(
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Posts failed checks, failed runs and stale assets to MDPLATFORM_ALERT_WEBHOOK: a cause once, and "
        "again only after it was over; many at once as one summary. Without a webhook they are in the log.",
    )
    def alerts(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
        seen = _read(context.cursor, context.instance)
        checks, event = check_alerts(context.instance, checked, seen.event)
        runs, latest = run_alerts(context.instance, seen.runs)
        outcome = settle(seen.open, [*checks, *runs, *freshness_alerts(context.instance, watched)])
        delivered: list[str] = []
        try:
            for cause in deliver(outcome, platform.settings().alert_webhook, context.log):
                delivered.append(cause)
        except AlertError as error:
            # The next evaluation starts where this one started; what has been posted is remembered.
            kept = Seen(seen.event, seen.runs, (*seen.open, *delivered))
            return dg.SensorResult(cursor=_written(kept), skip_reason=dg.SkipReason(f"tried again soon: {error}"))
        reason = summary(outcome)
        return dg.SensorResult(cursor=_written(Seen(event, latest, outcome.open)), skip_reason=dg.SkipReason(reason))

    return alerts


def summary(outcome: Outcome) -> str:
    """The text of a tick: which causes are new and which are over."""
    new = [alert.cause for alert in outcome.new]
    named = [f"{word}: {', '.join(causes)}" for word, causes in (("new", new), ("over", outcome.over)) if causes]
    return "; ".join([*named, f"{len(outcome.open)} open"])


def deliver(outcome: Outcome, webhook: str, log: logging.Logger) -> Iterator[str]:
    """Log what changed and post what is new; yields each cause once it is posted. Raises AlertError.

    ``log``: the tick's, which the UI shows beside it.
    """
    for alert in outcome.new:
        log.warning("%s", alert.text)
    for cause in outcome.over:
        log.info("over: %s", cause)
    for alerts in posts(outcome.new):
        if webhook:
            post(webhook, message(alerts))
        yield from (alert.cause for alert in alerts)


def post(webhook: str, content: Mapping[str, object]) -> None:
    """Raises AlertError. Its text does not name the address, which is a secret."""
    request = urllib.request.Request(
        webhook, json.dumps(content).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):
            return
    except urllib.error.HTTPError as error:
        raise AlertError(f"the webhook of MDPLATFORM_ALERT_WEBHOOK answered {error.code}") from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "reason", None) or type(error).__name__
        raise AlertError(f"the webhook of MDPLATFORM_ALERT_WEBHOOK cannot be reached: {cause}") from None


def _read(cursor: str | None, instance: dg.DagsterInstance) -> Seen:
    """The first evaluation starts at the end of the event log: failures from before are not posted."""
    if cursor is None:
        return Seen(instance.event_log_storage.get_maximum_record_id() or 0, datetime.now(UTC))
    kept = json.loads(cursor)
    return Seen(kept["event"], datetime.fromisoformat(kept["runs"]), tuple(kept["open"]))


def _written(seen: Seen) -> str:
    return json.dumps({"event": seen.event, "runs": seen.runs.isoformat(), "open": seen.open})
