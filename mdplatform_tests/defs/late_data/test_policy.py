"""Late rows reopen an hour: once they have stopped, and not again and again."""

from datetime import UTC, datetime, timedelta

import pytest

from mdplatform.defs.late_data.policy import PAUSE, QUIET, Arrival, Look, due, note, ranges

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
HOUR = datetime(2026, 11, 21, 8, tzinfo=UTC)
BUILT = HOUR + timedelta(minutes=65)
SINCE = NOW - timedelta(minutes=10)
LATE = NOW - timedelta(minutes=5)


def noted(at: datetime, built: datetime | None = BUILT, hour: datetime = HOUR) -> dict[datetime, tuple[str, ...]]:
    return dict(note(Look(SINCE), [Arrival("okx", hour, at)], {hour: built}, NOW).owed)


def test_rows_after_the_build_reopen_the_hour_and_name_the_venue() -> None:
    assert noted(LATE) == {HOUR: ("okx",)}


def test_rows_from_before_the_build_reopen_nothing() -> None:
    assert noted(LATE, built=LATE + timedelta(seconds=1)) == {}


def test_rows_that_still_come_are_left_to_the_next_look_which_sees_them() -> None:
    at = NOW - timedelta(seconds=1)
    look = note(Look(SINCE), [Arrival("okx", HOUR, at)], {HOUR: BUILT}, NOW)
    assert (dict(look.owed), look.since < at) == ({}, True)


def test_the_hour_under_way_is_not_late() -> None:
    assert noted(LATE, built=None, hour=NOW.replace(minute=0)) == {}


@pytest.mark.parametrize(("hours_ago", "is_owed"), [(2, False), (30 * 24, True)])
def test_an_hour_that_was_never_built_is_owed_when_the_schedule_no_longer_looks_at_it(
    hours_ago: int, is_owed: bool
) -> None:
    hour = NOW.replace(minute=0) - timedelta(hours=hours_ago)
    assert bool(noted(LATE, built=None, hour=hour)) is is_owed


def test_what_is_owed_stays_owed() -> None:
    look = Look(SINCE, {HOUR: ("okx",)})
    again = note(look, [Arrival("gate", HOUR, LATE)], {HOUR: BUILT}, NOW)
    assert (dict(again.owed), again.since) == ({HOUR: ("gate", "okx")}, NOW - QUIET)


@pytest.mark.parametrize(("age", "is_due"), [(PAUSE, True), (PAUSE - timedelta(seconds=1), False)])
def test_an_owed_hour_is_built_again_at_most_once_in_a_pause(age: timedelta, is_due: bool) -> None:
    assert bool(due(Look(SINCE, {HOUR: ("okx",)}), {HOUR: NOW - age}, NOW)) is is_due


def test_neighbouring_hours_are_one_range() -> None:
    hours = [HOUR + timedelta(hours=n) for n in (0, 1, 2, 5)]
    assert ranges(hours) == [(hours[0], hours[2]), (hours[3], hours[3])]
