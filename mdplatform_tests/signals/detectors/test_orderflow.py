"""An order flow is extreme by the standard of the market's own flow."""

import random

from mdplatform.signals.detectors.orderflow import OrderFlowDetector
from mdplatform.signals.message import Signal
from mdplatform.signals.touch import Touch
from mdplatform_tests.signals.touches import touch


def usual(seconds: int) -> list[Touch]:
    """Ten touches a second whose sizes come and go."""
    rng = random.Random(7)
    return [touch(100, 101, n / 10, sizes=(rng.uniform(1, 3), rng.uniform(1, 3))) for n in range(seconds * 10)]


def found(touches: list[Touch]) -> list[Signal]:
    detector = OrderFlowDetector(threshold=8)
    return [signal for one in touches if (signal := detector.take(one)) is not None]


def test_sizes_that_come_and_go_are_usual() -> None:
    assert found(usual(300)) == []


def test_a_bid_that_grows_by_many_times_is_buying() -> None:
    (signal,) = found([*usual(60), touch(100, 101, 60.1, sizes=(100, 2))])
    assert (signal.direction, signal.kind) == ("buy", "order_flow")
    assert signal.evidence["flow"] > 40


def test_an_ask_that_steps_down_with_size_is_selling() -> None:
    (signal,) = found([*usual(60), touch(99, 100, 60.1, sizes=(2, 100))])
    assert signal.direction == "sell"


def test_nothing_is_unusual_before_the_usual_is_known() -> None:
    assert found([*usual(20), touch(100, 101, 20.1, sizes=(100, 2))]) == []


def test_what_gathers_over_a_silence_is_not_the_flow_of_a_second() -> None:
    assert found([*usual(60), touch(100, 101, 65, sizes=(100, 2))]) == []


def test_what_a_broken_chain_hides_is_not_taken_for_flow() -> None:
    assert found([*usual(60), touch(100, 101, 60.1, sizes=(100, 2), continues=False)]) == []


def test_seconds_that_a_broken_chain_hides_are_no_part_of_what_is_usual() -> None:
    """A quiet time would make the deviation smaller, and the next usual second an extreme."""
    broken = OrderFlowDetector(threshold=8)
    for one in [*usual(60), touch(100, 101, 80, sizes=(2, 2), continues=False)]:
        broken.take(one)
    whole = OrderFlowDetector(threshold=8)
    for one in usual(60):
        whole.take(one)
    (after,), (before,) = broken._flows.values(), whole._flows.values()
    assert after.deviation == before.deviation
