"""What is stated of a topic or table, and how often: the event log must not grow with every look. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

# Of a table that fills whenever anything is collected: its freshness hangs on it. What is missing is found sooner, by
# the sensor stalled_tables within minutes and by the check feed_is_alive of each venue within two.
TABLE_PAUSE = timedelta(minutes=30)
TOPIC_PAUSE = QUIET_PAUSE = timedelta(hours=2)
BEHIND = 10_000  # messages: a table that has more to read is behind, and that is stated at once


@dataclass(frozen=True)
class Look:
    """What was seen of ``asset``. It is news when ``state`` is another one; else it is stated once in ``pause``, and
    only if something was written since (``written_at``, s since the epoch; None: it does not matter)."""

    asset: str
    state: str
    pause: timedelta
    written_at: float | None = None


@dataclass(frozen=True)
class Stated:
    state: str
    at: float  # s since the epoch


def news(looks: Iterable[Look], stated: Mapping[str, Stated], now: float) -> dict[str, Stated]:
    """Of which assets to state what was seen now, with what to remember of it."""
    return {look.asset: Stated(look.state, now) for look in looks if _is_due(look, stated.get(look.asset), now)}


def _is_due(look: Look, before: Stated | None, now: float) -> bool:
    if before is None or before.state != look.state:
        return True
    is_old = now - before.at >= look.pause.total_seconds()
    return is_old and (look.written_at is None or look.written_at > before.at)
