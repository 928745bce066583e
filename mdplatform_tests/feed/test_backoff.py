from mdplatform.feed.backoff import Backoff


def upper(low: float, high: float) -> float:
    return high


def test_the_bound_doubles_up_to_the_cap() -> None:
    backoff = Backoff(base_s=1, cap_s=5, draw=upper)
    assert [backoff.next_s() for _ in range(5)] == [1, 2, 4, 5, 5]


def test_the_draw_begins_at_zero() -> None:
    lows = []
    backoff = Backoff(draw=lambda low, high: lows.append(low) or low)
    backoff.next_s()
    assert lows == [0.0]


def test_a_healthy_time_forgets_the_failures() -> None:
    backoff = Backoff(base_s=1, healthy_s=60, draw=upper)
    backoff.next_s(), backoff.next_s()
    backoff.worked_for(59)
    assert backoff.failures == 2
    backoff.worked_for(60)
    assert backoff.next_s() == 1


def test_many_failures_do_not_overflow() -> None:
    backoff = Backoff(cap_s=30, draw=upper)
    assert [backoff.next_s() for _ in range(2000)][-1] == 30
