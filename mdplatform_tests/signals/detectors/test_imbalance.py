"""An imbalance is extreme when its average over the window is; once while it lasts."""

from msgspec.structs import replace

from mdplatform.signals.detectors.imbalance import ImbalanceDetector
from mdplatform.signals.message import Signal
from mdplatform_tests.signals.touches import book


def found(*spans: tuple[int, float, float]) -> list[Signal]:
    """Ten books a second: (seconds, bid size, ask size) one after the other."""
    detector, signals, at = ImbalanceDetector(threshold=0.8, window_s=5), [], 0
    for seconds, bid_size, ask_size in spans:
        for _ in range(seconds * 10):
            signals.append(detector.take(book([bid_size] * 20, [ask_size] * 20, at / 10)))
            at += 1
    return [signal for signal in signals if signal is not None]


def test_one_side_for_long_is_found_once() -> None:
    (signal,) = found((20, 5, 5), (60, 1, 19))
    assert (signal.direction, signal.evidence["ask_size"]) == ("ask", 190)
    assert -0.81 < signal.value <= -0.8


def test_one_side_for_a_moment_is_none() -> None:
    assert found((20, 5, 5), (2, 1, 19), (20, 5, 5)) == []


def test_it_is_found_again_once_it_was_over() -> None:
    assert len(found((20, 5, 5), (30, 19, 1), (20, 5, 5), (30, 19, 1))) == 2


def test_an_empty_side_is_not_pressure() -> None:
    assert found((20, 5, 5), (60, 5, 0)) == []


def test_one_book_after_an_outage_is_no_pressure_that_lasted() -> None:
    detector = ImbalanceDetector(threshold=0.8, window_s=5)
    books = [replace(book([5] * 20, [5] * 20, at / 10), previous_sequence=1) for at in range(300)]
    after = [book([19] * 20, [1] * 20, 60.0), replace(book([19] * 20, [1] * 20, 60.1), previous_sequence=1)]
    assert [detector.take(one) for one in (*books, *after)] == [None] * 302


def test_a_book_says_nothing_of_the_time_before_it() -> None:
    """A venue that sends whole books, ten seconds apart: what held meanwhile is the book before."""
    detector = ImbalanceDetector(threshold=0.8, window_s=5)
    assert detector.take(book([5] * 20, [5] * 20, 0)) is None
    assert detector.take(book([5] * 20, [5] * 20, 20)) is None
    assert detector.take(book([19] * 20, [1] * 20, 30)) is None
