"""Alerts, each posted once: which causes are new, which are over, and the messages to post. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

MOST_POSTS = 3  # an evaluation that finds more new causes posts them in one summary
SHOWN = 10  # causes that a summary names
MOST_OPEN = 2000  # causes remembered; beyond them the oldest are forgotten, and posted again if they are seen again
MOST_TEXT = 200  # characters of a text that is remembered
STORM_S, STORM_POSTS = 300.0, 5  # after so many messages within this time a route gets one digest a minute
DIGEST_S = 60.0

Severity = Literal["error", "warning"]


class Alert(msgspec.Struct, frozen=True):
    """The state of a cause: it is open (``text`` says what is wrong), or it is over (``text`` is None)."""

    cause: str  # e.g. check/spread_hourly/book_is_not_crossed/2026-11-21-08:00
    text: str | None
    next_step: str = ""
    severity: Severity = "error"
    venues: tuple[str, ...] = ()  # those that it concerns; none: all of them, or none in particular


class Notice(msgspec.Struct, frozen=True):
    """What a route is to be sent: an alert that is new, or one that is over."""

    alert: Alert
    is_over: bool = False


@dataclass(frozen=True)
class Outcome:
    """``open``: alerts that are open now. ``new``: those of them that were not posted. ``over``: no longer open."""

    open: tuple[Alert, ...]
    new: tuple[Alert, ...] = ()
    over: tuple[Alert, ...] = ()


@dataclass(frozen=True)
class Message:
    """One message to people."""

    title: str
    text: str
    severity: Severity
    is_over: bool


def settle(known: Iterable[Alert], alerts: Iterable[Alert]) -> Outcome:
    """The alerts after ``alerts``, in the order in which they were seen; of one cause the last alert counts.

    A warning that became an error is new again.
    """
    before = {alert.cause: alert for alert in known}
    last: dict[str, Alert] = {alert.cause: alert for alert in alerts}
    over = tuple(alert for cause, alert in before.items() if cause in last and last[cause].text is None)
    new = tuple(alert for cause, alert in last.items() if alert.text is not None and _is_news(alert, before.get(cause)))
    gone = {alert.cause for alert in (*over, *new)}
    still = [alert for cause, alert in before.items() if cause not in gone]
    return Outcome(tuple([*still, *map(remembered, new)][-MOST_OPEN:]), new, over)


def _is_news(alert: Alert, before: Alert | None) -> bool:
    return before is None or (before.severity == "warning" and alert.severity == "error")


def remembered(alert: Alert) -> Alert:
    """As much of an open alert as says later what is over."""
    return msgspec.structs.replace(alert, text=(alert.text or "").partition("\n")[0][:MOST_TEXT], next_step="")


def batches(waiting: Sequence[Notice], sent: Sequence[float], now: float) -> list[Sequence[Notice]]:
    """What is sent now, a message each: one by one, or all in one if they are many or many went before; nothing if
    they are kept for the next digest. ``sent``: when messages went by this route, s since the epoch, ascending."""
    recent = [at for at in sent if now - at < STORM_S]
    if not waiting or (len(recent) >= STORM_POSTS and now - recent[-1] < DIGEST_S):
        return []
    kinds = [[notice for notice in waiting if notice.is_over is is_over] for is_over in (False, True)]
    if len(waiting) <= MOST_POSTS and len(recent) + len(waiting) <= STORM_POSTS:
        return [[notice] for kind in kinds for notice in kind]
    return [kind for kind in kinds if kind]


def content(alerts: Sequence[Alert]) -> dict[str, object]:
    """The JSON object for MDPLATFORM_ALERT_WEBHOOK. ``text`` is what chat programs show."""
    causes = [{"cause": alert.cause, "text": alert.text, "next_step": alert.next_step} for alert in alerts[:SHOWN]]
    return {"text": wrong(alerts), "count": len(alerts), "causes": causes}


def message(notices: Sequence[Notice]) -> Message:
    """The message that states all of ``notices``, which are all new or all over."""
    alerts, is_over = [notice.alert for notice in notices], notices[0].is_over
    severity: Severity = "error" if any(alert.severity == "error" for alert in alerts) else "warning"
    if is_over:
        lines = [f"over: {alert.text or alert.cause}" for alert in alerts[:SHOWN]]
        title = "over" if len(alerts) == 1 else f"{len(alerts)} things are over"
        return Message(f"mdplatform: {title}", "\n".join([*lines, *_more(alerts)]), severity, is_over)
    title = severity if len(alerts) == 1 else f"{len(alerts)} things are wrong"
    return Message(f"mdplatform: {title}", wrong(alerts), severity, is_over)


def wrong(alerts: Sequence[Alert]) -> str:
    """What is wrong and what to do; of many only what is wrong."""
    if len(alerts) == 1:
        return f"{alerts[0].text}\n{alerts[0].next_step}".strip()
    shown = [f"- {alert.text}" for alert in alerts[:SHOWN]]
    return "\n".join([f"{len(alerts)} things are wrong:", *shown, *_more(alerts)])


def _more(alerts: Sequence[Alert]) -> list[str]:
    return [f"- and {len(alerts) - SHOWN} more"] if len(alerts) > SHOWN else []
