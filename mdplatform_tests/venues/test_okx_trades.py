"""Trades that OKX lost or refuses, asked for by REST."""

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.events import DeadLetter, FeedStatus, Trade
from mdplatform.core.session import Fetch, Output, Send, Session
from mdplatform_tests.venues.okx_rig import Frame, confirm, connected, tell


def printed(opened: Session, number: int, at_ns: int, count: int = 1) -> list[Output]:
    row = trade_row(number) | {"count": str(count)}
    return tell(opened, {"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [row]}, at_ns)


def trade_row(number: int) -> Frame:
    row = {"instId": "BTC-USDT", "tradeId": str(number), "px": "10", "sz": "2", "side": "buy", "ts": "1795255200000"}
    return row | {"source": "0"}


def gap_of_trades() -> tuple[Session, Fetch]:
    """Trade 5, then a group of 3 matches up to 200; and what is asked for."""
    opened = connected(channels=("trades",))
    (sent,) = [o for o in opened.connected("c1", 0) if isinstance(o, Send)]
    confirm(opened, sent, 0)
    printed(opened, 5, SECOND)
    printed(opened, 200, SECOND, count=3)
    opened.tick(SECOND)
    (asked,) = [o for o in opened.tick(3 * SECOND) if isinstance(o, Fetch)]
    return opened, asked


def test_lost_trades_are_asked_for_in_pages_from_the_oldest_on() -> None:
    opened, asked = gap_of_trades()
    path = "/api/v5/market/history-trades?instId=BTC-USDT&type=1&limit=100&after="
    assert (asked.request.path, asked.request.purpose) == (path + "106", "trades")
    body = {"code": "0", "msg": "", "data": [trade_row(number) for number in range(105, 5, -1)]}
    out = opened.answer(asked.request, 200, msgspec.json.encode(body), 4 * SECOND)
    assert [(o.id, o.provenance) for o in out if isinstance(o, Trade)] == [(str(n), "rest") for n in range(6, 106)]
    (following,) = [o for o in opened.tick(5 * SECOND) if isinstance(o, Fetch)]
    assert following.request.path == path + "198"


def test_trades_that_the_venue_refuses_are_kept_as_refused_and_asked_for_again() -> None:
    opened, asked = gap_of_trades()
    (letter,) = opened.answer(asked.request, 200, b'{"code":"51001","msg":"no such","data":[]}', 4 * SECOND)
    assert isinstance(letter, DeadLetter)
    assert "51001: no such; trades of BTC-USDT" in letter.error
    again = [o for at in (5, 6, 7) for o in opened.tick(at * SECOND) if isinstance(o, Fetch)]
    assert again == [asked]


def test_trades_before_a_bad_row_are_kept_and_not_given_twice() -> None:
    opened, asked = gap_of_trades()
    rows = [trade_row(7) | {"px": "-1"}, trade_row(6)]
    bad = {"code": "0", "msg": "", "data": rows}
    out = opened.answer(asked.request, 200, msgspec.json.encode(bad), 4 * SECOND)
    assert [type(o) for o in out] == [Trade, DeadLetter, FeedStatus]
    (again,) = [o for o in opened.tick(8 * SECOND) if isinstance(o, Fetch)]
    good = {"code": "0", "msg": "", "data": [trade_row(7), trade_row(6)]}
    out = opened.answer(again.request, 200, msgspec.json.encode(good), 9 * SECOND)
    assert [o.id for o in out if isinstance(o, Trade)] == ["7"]
