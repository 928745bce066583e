"""The sensor that tells what is wrong to a webhook, and to the log."""

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
from mdplatform.defs.alerts.sources import check_signs, freshness_signs, run_signs
from mdplatform.defs.resources import Platform

INTERVAL_SECONDS = 30
ANSWER_SECONDS = 10


@dataclass(frozen=True)
class Seen:
    """How far earlier looks came: the last event, the last run, and the causes that were told and are not over."""

    event: int
    runs: datetime
    open: tuple[str, ...] = ()


def alert_sensor(watched: Sequence[dg.AssetKey], checked: Sequence[dg.AssetCheckKey]) -> dg.SensorDefinition:
    """``watched``: the assets that have a freshness policy; ``checked``: the checks to be told of."""

    @dg.sensor(
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Posts failed checks, failed runs and stale assets to MDPLATFORM_ALERT_WEBHOOK: a cause once, and "
        "again only after it was over; many at once as one summary. Without a webhook they are in the log.",
    )
    def alerts(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
        seen = _read(context.cursor, context.instance)
        checks, event = check_signs(context.instance, checked, seen.event)
        runs, latest = run_signs(context.instance, seen.runs)
        outcome = settle(seen.open, [*checks, *runs, *freshness_signs(context.instance, watched)])
        told: list[str] = []
        try:
            for cause in tell(outcome, platform.settings().alert_webhook, context.log):
                told.append(cause)
        except AlertError as error:
            # Looked at again from where this look began; what has been told is remembered.
            kept = Seen(seen.event, seen.runs, (*seen.open, *told))
            return dg.SensorResult(cursor=_written(kept), skip_reason=dg.SkipReason(f"tried again soon: {error}"))
        reason = summary(outcome)
        return dg.SensorResult(cursor=_written(Seen(event, latest, outcome.open)), skip_reason=dg.SkipReason(reason))

    return alerts


def summary(outcome: Outcome) -> str:
    """What a tick says: which causes are new and which are over."""
    new = [sign.cause for sign in outcome.new]
    named = [f"{word}: {', '.join(causes)}" for word, causes in (("new", new), ("over", outcome.over)) if causes]
    return "; ".join([*named, f"{len(outcome.open)} open"])


def tell(outcome: Outcome, webhook: str, log: logging.Logger) -> Iterator[str]:
    """Log what changed and post what is new; gives each cause once it is posted. Raises AlertError.

    ``log``: the tick's, which the UI shows beside it.
    """
    for sign in outcome.new:
        log.warning("%s", sign.text)
    for cause in outcome.over:
        log.info("over: %s", cause)
    for signs in posts(outcome.new):
        if webhook:
            post(webhook, message(signs))
        yield from (sign.cause for sign in signs)


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
    """The first look begins where the log ends: what failed before somebody watched is not news."""
    if cursor is None:
        return Seen(instance.event_log_storage.get_maximum_record_id() or 0, datetime.now(UTC))
    kept = json.loads(cursor)
    return Seen(kept["event"], datetime.fromisoformat(kept["runs"]), tuple(kept["open"]))


def _written(seen: Seen) -> str:
    return json.dumps({"event": seen.event, "runs": seen.runs.isoformat(), "open": seen.open})
