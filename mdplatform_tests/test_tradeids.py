"""Repeated, missing and late trades by their ids."""

from mdplatform.intervals import Feed
from mdplatform.tradeids import TradeIds


def seen(*ids: int) -> tuple[TradeIds, list[bool]]:
    trades = TradeIds(Feed("x", "A-B", "trades"))
    return trades, [trades.take(trade_id, 10 + n)[0] for n, trade_id in enumerate(ids)]


def test_a_repeated_id_is_dropped() -> None:
    trades, taken = seen(5, 6, 6, 5, 7)
    assert taken == [True, True, False, False, True]
    assert trades.duplicates == 2


def test_a_late_id_is_taken_once() -> None:
    assert seen(5, 9, 7, 7, 6, 8, 8, 10)[1] == [True, True, True, False, True, True, False, True]


def test_missing_ids_are_counted() -> None:
    trades, _ = seen(5)
    _, statuses = trades.take(9, 20)
    assert [(s.state, s.first_sequence, s.last_sequence, s.missed) for s in statuses if s.state == "gap"] == [
        ("gap", 6, 8, 3)
    ]


def test_ids_survive_a_reconnect() -> None:
    trades, _ = seen(5)
    trades.feed.closed("1006", 20)
    _, statuses = trades.take(8, 30)
    assert [(s.state, s.missed) for s in statuses] == [("down", None), ("gap", 2), ("valid", None)]


def test_what_the_venue_says_it_sent_and_was_not_seen_is_missing() -> None:
    trades, _ = seen(5)
    assert trades.reached(5, 20) == []
    assert [s.missed for s in trades.reached(7, 30) if s.state == "gap"] == [2]
    assert trades.take(6, 40)[0]


def test_what_was_missed_since_an_earlier_collector_is_counted() -> None:
    trades, _ = seen()
    trades.resume(5)
    taken, statuses = trades.take(9, 20)
    assert taken
    assert [(s.first_sequence, s.missed) for s in statuses if s.state == "gap"] == [(6, 3)]
    assert trades.missing == [(6, 8)]


def test_what_an_earlier_collector_saw_last_is_not_taken_again() -> None:
    trades, _ = seen()
    trades.resume(5)
    assert [trades.take(5, 20)[0], trades.take(6, 21)[0]] == [False, True]


def test_numbers_that_cannot_follow_those_of_before_begin_anew() -> None:
    for first in (4, 5_000_000):
        trades, _ = seen()
        trades.resume(5)
        assert trades.take(first, 20)[0]
        assert trades.missing == []
