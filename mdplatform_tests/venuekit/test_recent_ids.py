"""Trades that are known by their ids and times."""

from mdplatform.core.clock import MS, SECOND
from mdplatform.core.feed_status import FeedState
from mdplatform.venuekit.recent_ids import RecentIds


def ids() -> RecentIds:
    return RecentIds(FeedState("x", "A-B", "trades"))


def test_a_repeated_trade_is_dropped() -> None:
    seen = ids()
    assert [seen.add("a", SECOND), seen.add("b", SECOND), seen.add("a", SECOND)] == [True, True, False]


def test_the_same_id_at_another_time_is_another_trade() -> None:
    seen = ids()
    times = [SECOND, 2 * SECOND, 2 * SECOND, SECOND, 90_000 * SECOND]
    assert [seen.add("7", time) for time in times] == [True, True, False, False, True]


def test_a_time_that_rest_rounds_is_the_same_time() -> None:
    seen = ids()
    seen.add("7", SECOND + 999_999)
    assert not seen.add("7", SECOND + MS)


def test_each_trade_of_an_id_has_its_own_rank() -> None:
    seen = ids()
    for trade_id, time in (("7", 1), ("8", 2), ("7", 3)):
        seen.add(trade_id, time * SECOND)
    assert [seen.rank("7", SECOND), seen.rank("7", 3 * SECOND), seen.rank("7", 5 * SECOND)] == [0, 2, None]


def test_the_oldest_is_forgotten_first() -> None:
    seen = ids()
    seen.add("7", SECOND)
    seen.add("7", 2 * SECOND)
    for number in range(4999):
        seen.add(f"x{number}", SECOND)
    assert [seen.rank("7", SECOND), seen.rank("7", 2 * SECOND)] == [None, 1]
