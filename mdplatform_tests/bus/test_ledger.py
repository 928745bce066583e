"""The ledger accounts for every message and opens and closes the gate."""

from hypothesis import given
from hypothesis import strategies as st

from mdplatform.bus.ledger import Ledger, percentile_ms


def filled(bound: int, count: int, now_ns: int = 0) -> Ledger:
    ledger = Ledger(bound)
    for _ in range(count):
        ledger.accept(0, now_ns)
    return ledger


def test_the_gate_stays_closed_until_a_fifth_has_drained() -> None:
    ledger = filled(10, 10)
    ledger.settle(9, 0)
    assert not ledger.has_room
    ledger.settle(8, 0)
    assert ledger.has_room


def test_failures_make_room_too() -> None:
    ledger = filled(10, 10)
    for _ in range(10):
        ledger.fail("t", "REFUSED", 0)
    assert ledger.has_room


def test_a_pause_that_still_lasts_is_counted() -> None:
    ledger = filled(1, 1, now_ns=1_000_000_000)
    assert ledger.snapshot(1_250_000_000).paused_ms == 250


def test_pauses_add_up() -> None:
    ledger = Ledger(1)
    for start in (0, 1_000_000_000):
        ledger.accept(start, start)
        ledger.settle(0, start + 100_000_000)
    assert ledger.snapshot(9_000_000_000).paused_ms == 200


def test_failures_are_counted_by_reason() -> None:
    ledger = filled(10, 3)
    for reason in ("A", "B", "A"):
        ledger.fail("t", reason, 0)
    assert ledger.snapshot(0).failures == {"A": 2, "B": 1}


@given(st.lists(st.sampled_from("+ax"), max_size=200))
def test_accepted_is_acknowledged_plus_failed_plus_queue(steps: list[str]) -> None:
    ledger = Ledger(5)
    for step in steps:
        if step == "+":
            ledger.accept(0, 0)
        elif ledger.queue and step == "a":
            ledger.settle(ledger.queue - 1, 0)
        elif ledger.queue:
            ledger.fail("t", "X", 0)
    stats = ledger.snapshot(0)
    assert stats.accepted == stats.acknowledged + stats.failed + stats.queue


def test_what_is_held_by_more_than_the_queue_acknowledges_nothing() -> None:
    ledger = filled(10, 3)
    ledger.settle(4, 0)
    assert ledger.snapshot(0).acknowledged == 0


def test_latency_is_that_of_what_was_accepted_first() -> None:
    ledger = Ledger(10)
    for received_ms in (0, 10, 20):
        ledger.accept(received_ms * 1_000_000, received_ms * 1_000_000)
    ledger.settle(1, 40_000_000)
    assert ledger.snapshot(0).latency_p99_ms == 40.0
    ledger.settle(0, 40_000_000)
    assert ledger.snapshot(0).latency_p99_ms == 20.0


def test_percentiles_are_by_nearest_rank() -> None:
    ordered = [n * 1_000_000 for n in range(1, 101)]
    assert (percentile_ms(ordered, 0.5), percentile_ms(ordered, 0.99)) == (50.0, 99.0)


def test_there_is_no_percentile_of_nothing() -> None:
    assert percentile_ms([], 0.5) is None
