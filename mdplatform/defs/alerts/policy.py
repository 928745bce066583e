"""Alerts, each posted once: which causes are new, which are over, and the text to post. Pure, without Dagster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MOST_POSTS = 3  # an evaluation that finds more new causes posts them in one summary
SHOWN = 10  # causes that a summary names
MOST_OPEN = 2000  # causes remembered; beyond them the oldest are forgotten, and posted again if they are seen again


@dataclass(frozen=True)
class Alert:
    """The state of a cause: it is open (``text`` says what is wrong), or it is over (``text`` is None)."""

    cause: str  # e.g. check/spread_hourly/book_is_not_crossed/2026-11-21-08:00
    text: str | None
    next_step: str = ""


@dataclass(frozen=True)
class Outcome:
    """``open``: causes that are open now. ``new``: those of them that have not been posted."""

    open: tuple[str, ...]
    new: tuple[Alert, ...] = field(default=())
    over: tuple[str, ...] = field(default=())


def settle(known: Iterable[str], alerts: Iterable[Alert]) -> Outcome:
    """The causes after ``alerts``, in the order in which they were seen; of one cause the last alert counts."""
    before = list(known)
    last: dict[str, Alert] = {alert.cause: alert for alert in alerts}
    over = {cause for cause, alert in last.items() if alert.text is None}
    new = [alert for cause, alert in last.items() if alert.text is not None and cause not in before]
    still = [cause for cause in before if cause not in over]
    opened = [*still, *(alert.cause for alert in new)][-MOST_OPEN:]
    return Outcome(tuple(opened), tuple(new), tuple(cause for cause in before if cause in over))


def posts(new: Sequence[Alert]) -> list[Sequence[Alert]]:
    """The alerts of each post: one a post, or all in one post if they are many."""
    return [[alert] for alert in new] if len(new) <= MOST_POSTS else [new]


def message(alerts: Sequence[Alert]) -> dict[str, object]:
    """The JSON object to post. ``text`` is what chat programs show."""
    if len(alerts) == 1:
        text = f"{alerts[0].text}\n{alerts[0].next_step}".strip()
    else:
        more = [f"- and {len(alerts) - SHOWN} more"] if len(alerts) > SHOWN else []
        text = "\n".join([f"{len(alerts)} things are wrong:", *(f"- {alert.text}" for alert in alerts[:SHOWN]), *more])
    causes = [{"cause": alert.cause, "text": alert.text, "next_step": alert.next_step} for alert in alerts[:SHOWN]]
    return {"text": text, "count": len(alerts), "causes": causes}
