from __future__ import annotations

import pytest

from mdplatform.core.clock import FrozenClock, SystemClock, epoch_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1723161254", 1723161254_000000000),
        ("1723161254.123456789", 1723161254_123456789),
        ("1723161254123", 1723161254_123000000),
        ("1723161254123.5", 1723161254_123500000),
        ("1723161254123456", 1723161254_123456000),
        ("1723161254123456789", 1723161254_123456789),
    ],
)
def test_the_unit_of_a_time_follows_from_its_magnitude(text: str, expected: int) -> None:
    assert epoch_ns(text) == expected


@pytest.mark.parametrize("text", ["", "-1", "0", "now", "1e9", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        epoch_ns(text)


def test_the_system_clock_never_goes_back() -> None:
    clock = SystemClock()
    times = [clock.now_ns() for _ in range(1000)]
    assert times == sorted(times)


def test_a_frozen_clock_moves_only_when_moved() -> None:
    clock = FrozenClock(5)
    clock.advance(3)
    assert clock.now_ns() == 8


def stepped(*readings: tuple[int, int]) -> list[int]:
    """What the clock says at such (wall, ticks) in turn; the first is where it begins."""
    walls, ticks = (iter(column) for column in zip(*readings, strict=True))
    clock = SystemClock(lambda: next(walls), lambda: next(ticks))
    next(walls)
    return [clock.now_ns() for _ in readings[1:]]


def test_a_clock_that_is_stepped_back_neither_regresses_nor_stands_still() -> None:
    assert stepped((1000, 0), (1010, 10), (510, 20), (610, 120)) == [1010, 1015, 1065]


def test_it_joins_the_wall_again_once_that_has_caught_up() -> None:
    assert stepped((1000, 0), (1010, 10), (990, 20), (1070, 100), (1080, 110)) == [1010, 1015, 1070, 1080]


def test_it_follows_a_step_ahead_at_once() -> None:
    assert stepped((1000, 0), (1010, 10), (5020, 20)) == [1010, 5020]
