"""Best prices and order flow by the second."""

import msgspec
import pytest

from mdplatform.dashboard.messages import BookMessage, Top, TradeMessage
from mdplatform.dashboard.samples import SECONDS_KEPT, Bars, Samples, flow_between
from mdplatform_tests.dashboard.wire import TRADE, book


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


def bars_of(*trades: tuple[int, str, str, str]) -> Bars:
    """Of (second, price, size, taker's side) each."""
    bars = Bars()
    for second, price, size, side in trades:
        text = TRADE.replace("60000.20", price).replace("0.10", size).replace('"buy"', f'"{side}"')
        bars.take(msgspec.json.decode(text.replace("1700000000000", str(second * 1000)), type=TradeMessage))
    return bars


def test_trades_of_a_second_are_one_bar() -> None:
    bars = bars_of((100, "5", "1", "buy"), (100, "9", "2", "sell"), (100, "4", "3", "buy"), (101, "6", "1", "sell"))
    assert bars.since(0) == [[100, 5, 9, 4, 4, 6, 4], [101, 6, 6, 6, 6, 1, 0]]


def test_a_late_trade_counts_in_its_second_and_is_sent_again() -> None:
    bars = bars_of((100, "5", "1", "buy"), (102, "6", "1", "buy"), (100, "3", "1", "sell"))
    assert [bar[:6] for bar in bars.since(102)] == [[100, 5, 5, 3, 3, 2], [102, 6, 6, 6, 6, 1]]
    assert bars.since(103 + SECONDS_KEPT) == []


def test_only_the_last_seconds_of_trades_are_kept() -> None:
    bars = bars_of(*((second, "5", "1", "buy") for second in range(1000, 1000 + SECONDS_KEPT + 5)))
    assert (len(bars.since(0)), bars.first()) == (SECONDS_KEPT, 1006)


def test_another_run_of_a_tape_begins_its_own_bars() -> None:
    bars = bars_of((1000, "5", "1", "buy"), (100, "6", "1", "buy"))
    assert [bar[0] for bar in bars.since(0)] == [100]
