"""Best prices and order flow by the second."""

import msgspec
import pytest

from mdplatform.dashboard.messages import BookMessage, Top
from mdplatform.dashboard.samples import SECONDS_KEPT, Samples, flow_between
from mdplatform_tests.dashboard.wire import book


def samples_of(*books: str) -> Samples:
    samples = Samples()
    for text in books:
        samples.take(msgspec.json.decode(text, type=BookMessage))
    return samples


def test_a_second_holds_its_last_best_prices_and_imbalance() -> None:
    samples = samples_of(book(1, None), book(2, 1, bid="60000.20"))
    assert [sample[:4] for sample in samples.since(0)] == [[1700000000, 60000.2, 60000.3, 0.5]]


def test_order_flow_is_summed_over_the_second() -> None:
    samples = samples_of(book(1, None), book(2, 1, bid="60000.20"), book(3, 2, bid="60000.10"))
    assert [sample[4] for sample in samples.since(0)] == [1.5 - 1.5]


def test_order_flow_counts_only_between_updates_that_follow_each_other() -> None:
    samples = samples_of(book(1, None), book(4, 3, bid="60000.20"))
    assert [sample[4] for sample in samples.since(0)] == [0.0]


def test_a_second_asked_for_again_is_answered_again() -> None:
    samples = samples_of(book(1, None), book(2, 1, received_ms=1700000002000))
    assert [sample[0] for sample in samples.since(1700000002)] == [1700000002]
    assert [sample[0] for sample in samples.since(1700000003)] == []


def test_the_oldest_seconds_make_room() -> None:
    books = [book(n, n - 1, received_ms=1700000000000 + n * 1000) for n in range(1, SECONDS_KEPT + 3)]
    assert [sample[0] for sample in samples_of(*books).since(0)][:1] == [1700000003]


def test_an_older_run_starts_again() -> None:
    samples = samples_of(book(5, 4, received_ms=1700000900000), book(1, None))
    assert [sample[0] for sample in samples.since(0)] == [1700000000]


@pytest.mark.parametrize(
    ("before", "after", "flow"),
    [
        (Top(10, 3, 11, 4), Top(10, 5, 11, 4), 2),  # bids are added
        (Top(10, 3, 11, 4), Top(10.5, 1, 11, 4), 1),  # a better bid
        (Top(10, 3, 11, 4), Top(9.5, 7, 11, 4), -3),  # the best bid is gone
        (Top(10, 3, 11, 4), Top(10, 3, 11, 9), -5),  # asks are added
        (Top(10, 3, 11, 4), Top(10, 3, 11.5, 1), 4),  # the best ask is gone
        (Top(None, 0, 11, 4), Top(10, 3, 11, 4), 0),
    ],
)
def test_order_flow_of_one_update(before: Top, after: Top, flow: float) -> None:
    assert flow_between(before, after) == flow
