"""A price move is found once, within its window, by exchange and symbol."""

import random

from hypothesis import given
from hypothesis import strategies as st

from mdplatform.signals.detectors.moves import MoveDetector
from mdplatform.signals.message import Signal
from mdplatform_tests.signals.touches import around, ns


def moves(
    mids: list[float], step_s: float = 1.0, threshold_pct: float = 0.5, window_s: float = 60, cooldown_s: float = 0
) -> list[Signal]:
    detector = MoveDetector(threshold_pct, window_s, cooldown_s)
    found = [detector.take(around(mid, n * step_s, sequence=n)) for n, mid in enumerate(mids)]
    return [move for move in found if move is not None]


def ends(found: list[Signal]) -> list[float]:
    return [move.evidence["to_price"] for move in found]


def test_a_rise_by_the_threshold_is_a_move_up() -> None:
    (move,) = moves([1000.0, 1002.0, 1005.0])
    assert (move.direction, move.value) == ("up", 0.5)
    assert (move.evidence["from_price"], move.evidence["to_price"]) == (1000.0, 1005.0)


def test_a_fall_counts_from_the_highest_point() -> None:
    (move,) = moves([1000.0, 1002.0, 996.0])
    assert (move.direction, move.evidence["from_price"], move.evidence["to_price"]) == ("down", 1002.0, 996.0)


def test_less_than_the_threshold_is_no_move() -> None:
    assert moves([1000.0, 1004.9]) == []


def test_a_rise_slower_than_the_window_is_no_move() -> None:
    assert moves([1000.0 + n for n in range(6)], step_s=15, window_s=60) == []


def test_without_a_cooldown_a_long_climb_is_one_move_a_threshold() -> None:
    assert ends(moves([1000.0 + n for n in range(21)])) == [1005.0, 1011.0, 1017.0]


def test_the_rest_of_a_move_is_not_found_again() -> None:
    assert ends(moves([1000.0 + n for n in range(21)], cooldown_s=30)) == [1005.0]


def test_the_way_back_is_a_move_of_its_own_at_once() -> None:
    climb_and_fall = [1000.0, 1006.0, 1012.0, 1008.0, 1006.0]
    assert ends(moves(climb_and_fall, cooldown_s=30)) == [1006.0, 1006.0]


def test_an_older_touch_of_another_collector_says_nothing() -> None:
    detector = MoveDetector(0.5, 60)
    found = [detector.take(around(mid, at_s)) for mid, at_s in [(1000.0, 0), (1001.0, 2), (1010.0, 1)]]
    assert found == [None, None, None]


def test_a_move_names_the_book_that_showed_it() -> None:
    (move,) = moves([1000.0, 1010.0])
    assert (move.id, move.venue_ns, move.sequence) == ("binance:BTC-USDT:price_move:1", ns(1), 1)


def test_symbols_do_not_mix() -> None:
    detector = MoveDetector(0.5, 60)
    assert detector.take(around(1000.0, symbol="BTC-USDT")) is None
    assert detector.take(around(2000.0, symbol="ETH-USDT")) is None


@given(st.integers(0, 2**32), st.floats(1, 30))
def test_a_move_is_found_exactly_when_the_window_holds_one(seed: int, window_s: float) -> None:
    """Against the definition: compare with every earlier mid of the window since the last move."""
    rng, mids = random.Random(seed), [1000.0]
    for _ in range(60):
        mids.append(mids[-1] + rng.choice((-2.0, -1.0, 0.0, 1.0, 2.0)))
    expected, since = [], 0
    for n, mid in enumerate(mids):
        seen = [mids[k] for k in range(since, n + 1) if n * 1000 - k * 1000 <= int(window_s * 1000)]
        if any(100 * abs(mid - old) / old >= 0.5 for old in seen):
            expected.append(n)
            since = n
    assert [move.sequence for move in moves(mids, window_s=window_s)] == expected
