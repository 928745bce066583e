"""A price move is found once, within its window, by exchange and symbol."""

import random

from hypothesis import given
from hypothesis import strategies as st

from mdplatform.consumers.moves import Move, MoveDetector
from mdplatform_tests.consumers.books import START_MS, book


def moves(mids: list[float], step_s: float = 1.0, threshold_pct: float = 0.5, window_s: float = 60) -> list[Move]:
    detector = MoveDetector(threshold_pct, window_s)
    found = [detector.take(book(mid, n * step_s, sequence=n)) for n, mid in enumerate(mids)]
    return [move for move in found if move is not None]


def test_a_rise_by_the_threshold_is_a_move_up() -> None:
    (move,) = moves([1000.0, 1002.0, 1005.0])
    assert (move.direction, move.change_pct, move.from_price, move.to_price) == ("up", 0.5, 1000.0, 1005.0)


def test_a_fall_counts_from_the_highest_point() -> None:
    (move,) = moves([1000.0, 1002.0, 996.0])
    assert (move.direction, move.from_price, move.to_price) == ("down", 1002.0, 996.0)


def test_less_than_the_threshold_is_no_move() -> None:
    assert moves([1000.0, 1004.9]) == []


def test_a_rise_slower_than_the_window_is_no_move() -> None:
    assert moves([1000.0 + n for n in range(6)], step_s=15, window_s=60) == []


def test_a_long_climb_is_one_move_a_threshold() -> None:
    assert [move.to_price for move in moves([1000.0 + n for n in range(21)])] == [1005.0, 1011.0, 1017.0]


def test_a_move_names_the_book_that_showed_it() -> None:
    (move,) = moves([1000.0, 1010.0])
    assert (move.id, move.ts, move.sequence) == ("binance:BTC-USDT:price_move:1", START_MS + 1000, 1)


def test_symbols_do_not_mix() -> None:
    detector = MoveDetector(0.5, 60)
    assert detector.take(book(1000.0, symbol="BTC-USDT")) is None
    assert detector.take(book(2000.0, symbol="ETH-USDT")) is None


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
