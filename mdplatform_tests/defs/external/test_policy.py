"""How often an observation is written: at once when something changes, with growing intervals while nothing does."""

from datetime import timedelta

import pytest

from mdplatform.core.event_kinds import STEADY, STORED, TABLES
from mdplatform.defs.external.policy import QUIET_PAUSE, TABLE_PAUSE, TOPIC_PAUSE, Look, Stated, news

NOW = 1_790_000_000.0


def look(state: str = "read", written_at: float | None = None) -> Look:
    return Look("topic/books", state, TOPIC_PAUSE, written_at)


@pytest.mark.parametrize(
    ("seen", "minutes", "is_news"),
    [
        (look(), 119, False),
        (look(), 120, True),
        (look("behind"), 1, True),
        (look(written_at=NOW - 1), 120, False),  # nothing was written since
        (look(written_at=NOW + 1), 120, True),
    ],
)
def test_what_is_stated_again(seen: Look, minutes: int, is_news: bool) -> None:
    now = NOW + timedelta(minutes=minutes).total_seconds()
    assert bool(news([seen], {"topic/books": Stated("read", NOW)}, now)) is is_news


def test_a_day_of_everything_flowing_is_some_hundred_events() -> None:
    stated: dict[str, Stated] = {}
    events = 0
    for minute in range(24 * 60):
        now = NOW + 60 * minute
        topics = [Look(kind.name, "read", TOPIC_PAUSE) for kind in STORED]
        tables = [Look(name, "", TABLE_PAUSE if name in STEADY else QUIET_PAUSE, now) for name in TABLES]
        fresh = news([*topics, *tables], stated, now)
        stated |= fresh
        events += len(fresh)
    assert 300 < events < 700
