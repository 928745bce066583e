from mdplatform.collector.status_handover import StatusHandover
from mdplatform.core.events import FeedStatus, State


def status(state: State, started: int, ended: int | None = None, symbol: str = "BTC-USDT") -> FeedStatus:
    return FeedStatus("binance", symbol, "book", state, "test", started, ended)


def test_a_closed_gate_lets_nothing_out() -> None:
    assert StatusHandover(is_open=False).passed(status("resync", 1)) is None


def test_a_successor_proves_all_only_when_every_valid_feed_is_valid_there() -> None:
    old, new = StatusHandover(), StatusHandover(is_open=False)
    for symbol in ("BTC-USDT", "ETH-USDT"):
        old.passed(status("valid", 1, symbol=symbol))
    new.passed(status("valid", 5))
    assert not new.proves_all_of(old)
    new.passed(status("valid", 6, symbol="ETH-USDT"))
    assert new.proves_all_of(old)


def test_a_feed_that_is_not_valid_now_is_not_waited_for() -> None:
    old, new = StatusHandover(), StatusHandover(is_open=False)
    old.passed(status("valid", 1))
    old.passed(status("stale", 1, symbol="ETH-USDT"))
    new.passed(status("valid", 5))
    assert new.proves_all_of(old)


def test_a_successor_that_has_published_nothing_proves_nothing() -> None:
    assert not StatusHandover(is_open=False).proves_all_of(StatusHandover())


def test_intervals_go_on_where_those_before_ended() -> None:
    old, new = StatusHandover(), StatusHandover(is_open=False)
    old.passed(status("valid", 1))
    new.passed(status("valid", 5))
    old.passed(status("valid", 1, 9))
    assert new.take_over(old) == [status("valid", 9)]
    assert new.passed(status("valid", 5, 12)) == status("valid", 9, 12)


def test_an_interval_that_begins_after_the_take_over_keeps_its_start() -> None:
    old, new = StatusHandover(), StatusHandover(is_open=False)
    new.passed(status("valid", 5))
    old.passed(status("valid", 1, 9))
    new.take_over(old)
    assert new.passed(status("gap", 20)) == status("gap", 20)


def test_a_gap_is_counted_once() -> None:
    gate = StatusHandover()
    words = [status("gap", 7), status("gap", 7, 8), status("valid", 8), status("gap", 9, 10)]
    counted = []
    for word in words:
        counted.append(gate.opens_gap(word))
        gate.passed(word)
    assert counted == [True, False, False, True]


def test_a_gap_that_is_made_good_is_neither_counted_again_nor_what_holds_now() -> None:
    old, new = StatusHandover(), StatusHandover(is_open=False)
    for word in (status("gap", 7, 8), status("valid", 8)):
        old.passed(word)
        new.passed(word)
    filled = FeedStatus("binance", "BTC-USDT", "book", "gap", "test_filled", 7, 9, missed=0)
    assert not new.opens_gap(filled)
    assert new.passed(filled) is None
    assert old.passed(filled) == filled
    assert new.proves_all_of(old)
