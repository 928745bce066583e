"""Repeated, missing and late trades by their ids."""

from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus
from mdplatform.core.feed_status import FeedState
from mdplatform.venuekit.trade_ids import TradeIds


def seen(*ids: int) -> tuple[TradeIds, list[bool]]:
    trades = TradeIds(FeedState("x", "A-B", "trades"))
    return trades, [trades.take(trade_id, trade_id, 10 + n)[0] for n, trade_id in enumerate(ids)]


def test_a_repeated_id_is_dropped() -> None:
    trades, taken = seen(5, 6, 6, 5, 7)
    assert taken == [True, True, False, False, True]
    assert trades.duplicates == 2


def test_a_late_id_is_taken_once() -> None:
    assert seen(5, 9, 7, 7, 6, 8, 8, 10)[1] == [True, True, True, False, True, True, False, True]


def test_missing_ids_are_counted() -> None:
    trades, _ = seen(5)
    _, statuses = trades.take(9, 20, 20)
    assert [(s.state, s.first_sequence, s.last_sequence, s.missed) for s in statuses if s.state == "gap"] == [
        ("gap", 6, 8, 3)
    ]


def test_ids_survive_a_reconnect() -> None:
    trades, _ = seen(5)
    trades.feed.closed("1006", 20)
    _, statuses = trades.take(8, 30, 30)
    assert [(s.state, s.missed) for s in statuses] == [("down", None), ("gap", 2), ("valid", None)]


def test_what_the_venue_says_it_sent_and_was_not_seen_is_missing() -> None:
    trades, _ = seen(5)
    assert trades.reached(5, 20) == []
    assert [s.missed for s in trades.reached(7, 30) if s.state == "gap"] == [2]
    assert trades.take(6, 40, 40)[0]


def test_what_was_missed_since_an_earlier_collector_is_counted() -> None:
    trades, _ = seen()
    trades.resume(5)
    taken, statuses = trades.take(9, 20, 20)
    assert taken
    assert [(s.first_sequence, s.missed) for s in statuses if s.state == "gap"] == [(6, 3)]
    assert trades.missing == [(6, 8)]


def test_what_an_earlier_collector_saw_last_is_not_taken_again() -> None:
    trades, _ = seen()
    trades.resume(5)
    assert [trades.take(5, 20, 20)[0], trades.take(6, 21, 21)[0]] == [False, True]


def test_numbers_that_cannot_follow_those_of_before_start_a_new_sequence() -> None:
    for first in (4, 5_000_000):
        trades, _ = seen()
        trades.resume(5)
        assert trades.take(first, 20, 20)[0]
        assert trades.missing == []


def causes(statuses: list[FeedStatus]) -> list[tuple[str, str]]:
    return [(s.state, s.cause) for s in statuses]


def test_an_id_that_is_lower_and_later_begins_the_numbers_again() -> None:
    trades, _ = seen(5_000_000, 5_000_001)
    taken, said = trades.take(1, 5_000_100, 20)
    assert taken
    assert causes(said) == [
        ("valid", "in_sequence"),
        ("gap", "sequence_reset"),
        ("gap", "sequence_reset"),
        ("valid", "resumed"),
    ]
    assert [trades.take(2, 5_000_200, 21), trades.last] == [(True, []), 2]


def test_the_last_id_at_a_later_time_is_another_trade() -> None:
    trades, _ = seen(5)
    assert trades.take(5, 60 * SECOND, 61 * SECOND)[0]
    assert trades.resets == 1


def test_old_rows_that_come_late_are_no_reset() -> None:
    trades, _ = seen(5, 6, 9)
    assert [trades.take(trade_id, trade_id, 30)[0] for trade_id in (4, 6, 8, 9)] == [False, False, True, False]
    assert trades.resets == 0


def test_an_old_row_of_the_numbers_before_a_reset_opens_no_gap() -> None:
    trades, _ = seen(5_000_000)
    trades.take(1, 5_000_100, 20)
    assert trades.take(5_000_001, 5_000_001, 21) == (False, [])
    assert trades.take(2, 5_000_200, 22) == (True, [])


def test_a_late_trade_of_a_known_gap_is_no_reset_whatever_its_time() -> None:
    trades, _ = seen(5, 9)
    assert trades.take(7, 1000, 30)[0]
    assert trades.resets == 0


def test_a_lower_id_after_a_restart_is_a_reset_where_it_is_later_than_all_that_was_seen() -> None:
    trades, _ = seen()
    trades.resume(5_000_000, 100 * SECOND)
    taken, said = trades.take(3, 160 * SECOND, 160 * SECOND)
    assert taken
    assert ("gap", "sequence_reset") in causes(said)
    assert trades.take(4, 161 * SECOND, 161 * SECOND) == (True, [])


def test_a_lower_id_after_a_restart_is_repeated_where_it_is_of_the_time_before() -> None:
    trades, _ = seen()
    trades.resume(500, 100 * SECOND)
    assert [trades.take(n, 99 * SECOND, 160 * SECOND)[0] for n in (498, 499, 500)] == [False, False, False]
    assert trades.take(501, 159 * SECOND, 160 * SECOND)[0]
    assert trades.missing == []


def test_a_statement_of_a_number_of_another_numbering_opens_no_gap() -> None:
    trades, _ = seen(5_000_000)
    trades.take(1, 5_000_100, 20)
    assert trades.reached(5_000_002, 30) == []


def test_a_message_of_several_matches_is_followed_by_the_id_after_its_last() -> None:
    trades, _ = seen(5)
    assert trades.take(9, 10, 20, first=6)[0]
    assert [trades.take(10, 11, 21)[0], trades.missing] == [True, []]


def test_single_matches_within_a_known_range_repeat_it() -> None:
    trades, _ = seen(5)
    trades.take(9, 9, 20, first=6)
    assert [trades.take(n, n, 30)[0] for n in range(6, 10)] == [False] * 4


def test_a_message_is_late_only_where_all_its_matches_are_missing() -> None:
    trades, _ = seen(5, 12)
    assert trades.take(8, 8, 30)[0]
    assert not trades.take(9, 9, 31, first=7)[0]
    assert trades.take(11, 11, 32, first=9)[0]
    assert trades.missing == [(6, 7)]


def test_of_a_message_that_was_seen_in_part_the_rest_is_missing() -> None:
    trades, _ = seen()
    trades.resume(5)
    taken, said = trades.take(8, 8, 20, first=4)
    assert not taken
    assert trades.missing == [(6, 8)]
    assert [s.missed for s in said if s.state == "gap"] == [3]
