from __future__ import annotations

import pytest

from mdplatform.clock import FrozenClock, SystemClock, epoch_ns


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
def test_the_unit_of_a_time_is_told_by_its_magnitude(text: str, expected: int) -> None:
    assert epoch_ns(text) == expected


@pytest.mark.parametrize("text", ["", "-1", "0", "now", "1e9", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        epoch_ns(text)


def test_the_system_clock_never_goes_back() -> None:
    clock = SystemClock()
    times = [clock.now_ns() for _ in range(1000)]
    assert times == sorted(times)


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock(5)
    clock.advance(3)
    assert clock.now_ns() == 8
