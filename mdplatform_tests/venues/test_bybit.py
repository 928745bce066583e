"""The live side of Bybit: what is sent on which socket, renewed, retried alone and given up."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.events import Book, DeadLetter, FeedStatus, Trade
from mdplatform.core.session import ConnectionPlan, Fetch, Output, PagedInstruments, Reconnect, Request, Send, Session
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venues import venue

BYBIT = venue("bybit")
TIME = 1790000000000


def lines(*symbols: str, channels: tuple[str, ...] = ()) -> list[ConnectionPlan]:
    return BYBIT.plan_connections(BYBIT.known_instruments().select(symbols or ("BTC-USDT-PERP",)), channels)


def connected(*symbols: str, channels: tuple[str, ...] = ("book",)) -> Session:
    """A session whose requests were acknowledged."""
    (line,) = lines(*symbols, channels=channels)
    for asked in sent(line.session.connected("c1", 0)):
        reply(line.session, asked, 1)
    return line.session


def sent(outputs: Iterable[Output], op: str = "subscribe") -> list[dict[str, Any]]:
    frames = [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]
    return [frame for frame in frames if frame["op"] == op]


def topics(outputs: Iterable[Output], op: str = "subscribe") -> list[str]:
    return [topic for frame in sent(outputs, op) for topic in frame["args"]]


def all_topics(session: Session) -> list[str]:
    """The topics that a session asks for where every request is answered."""
    asked = sent(session.connected("c", 0))
    found = list(asked)
    for step in range(1, 1000):
        replies = [output for frame in asked for output in reply(session, frame, step * SECOND // 5)]
        asked = sent([*replies, *session.tick(step * SECOND // 5)])
        found += asked
    return list(dict.fromkeys(topic for frame in found for topic in frame["args"]))


def reply(session: Session, asked: dict[str, Any], at_ns: int, **fields: Any) -> list[Output]:
    answer = {"success": True, "ret_msg": "", "conn_id": "c", "req_id": asked["req_id"], "op": asked["op"]} | fields
    return session.receive(msgspec.json.encode({key: value for key, value in answer.items() if value != "none"}), at_ns)


def book(u: int, at_ns: int, kind: str = "delta", symbol: str = "BTCUSDT", size: str = "1") -> tuple[bytes, int]:
    data = {"s": symbol, "b": [["10.0", size]], "a": [["11.0", "1"]], "u": u, "seq": u}
    frame = {"topic": f"orderbook.50.{symbol}", "type": kind, "ts": TIME, "data": data, "cts": TIME}
    return msgspec.json.encode(frame), at_ns


def ticker(at_ns: int, kind: str = "delta", **fields: str) -> tuple[bytes, int]:
    data = {"symbol": "BTCUSDT"} | fields
    return msgspec.json.encode({"topic": "tickers.BTCUSDT", "type": kind, "ts": TIME, "data": data}), at_ns


def states(outputs: Iterable[Output]) -> list[tuple[str, str, str]]:
    """(channel, state, cause) of the intervals that are opened."""
    return [(o.channel, o.state, o.cause) for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]


def letters(outputs: Iterable[Output]) -> list[str]:
    return [output.error for output in outputs if isinstance(output, DeadLetter)]


def test_each_category_has_its_own_socket_and_the_same_symbol_on_it() -> None:
    opened = lines("BTC-USDT", "BTC-USDT-PERP", "BTC-USD-PERP", channels=("book",))
    asked = {line.url_path: topics(line.session.connected("c", 0)) for line in opened}
    assert asked == {
        "/v5/public/linear": ["orderbook.50.BTCUSDT"],
        "/v5/public/spot": ["orderbook.50.BTCUSDT"],
        "/v5/public/inverse": ["orderbook.50.BTCUSD"],
    }


def test_spot_is_not_asked_for_what_only_contracts_have() -> None:
    (line,) = lines("BTC-USDT")
    assert topics(line.session.connected("c", 0)) == ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT"]
    (line,) = lines("BTC-USDT-PERP")
    assert topics(line.session.connected("c", 0))[2:] == ["allLiquidation.BTCUSDT", "tickers.BTCUSDT"]


def test_a_channel_that_spot_does_not_have_is_refused_for_it() -> None:
    with pytest.raises(ConfigError, match="bybit spot has no allLiquidation; BTC-USDT is spot"):
        lines("BTC-USDT", channels=("liquidations",))


def test_requests_are_small_and_carry_their_category() -> None:
    symbols = [row.symbol for row in BYBIT.known_instruments().within("spot")][:12]
    (line,) = lines(*symbols)
    asked = sent(line.session.connected("c", 0))
    assert [len(frame["args"]) for frame in asked] == [10, 10, 4]
    assert [frame["req_id"] for frame in asked] == ["spot-1", "spot-2", "spot-3"]


def test_no_connection_has_more_topics_than_the_venue_takes() -> None:
    rows = [
        Instrument(exchange="bybit", venue_symbol=f"COIN{n:04}USDT", base=f"COIN{n}", quote="USDT", category="linear")
        for n in range(1000)
    ]
    asked = [all_topics(line.session) for line in BYBIT.plan_connections(Instruments("bybit", rows), (), 20)]
    assert sum(map(len, asked)) == 4 * 1000
    assert all(len("".join(names)) <= 21_000 for names in asked)


def test_trades_are_proven_from_the_acknowledgement_on() -> None:
    (line,) = lines(channels=("trades", "liquidations"))
    (asked,) = sent(line.session.connected("c", 0))
    opened = states(reply(line.session, asked, 5))
    assert opened == [("trades", "valid", "subscribed"), ("liquidations", "valid", "subscribed")]


def test_a_refused_request_is_repeated_topic_by_topic() -> None:
    (line,) = lines("BTC-USDT-PERP", "ETH-USDT-PERP", channels=("book",))
    (asked,) = sent(line.session.connected("c", 0))
    # The refusal names no request.
    outputs = reply(line.session, asked, 5, success=False, req_id="none", ret_msg="error:handler not found,topic:x")
    assert [frame["args"] for frame in sent(outputs)] == [["orderbook.50.BTCUSDT"], ["orderbook.50.ETHUSDT"]]
    assert not letters(outputs)


def test_one_bad_symbol_is_named_and_the_others_go_on() -> None:
    (line,) = lines("BTC-USDT-PERP", "ETH-USDT-PERP", channels=("book",))
    (asked,) = sent(line.session.connected("c", 0))
    one, other = sent(reply(line.session, asked, 5, success=False))
    refusal = "Invalid topic: orderbook.50.ETHUSDT"
    (problem,) = letters(reply(line.session, other, 6, success=False, req_id="none", ret_msg=refusal))
    assert problem == f"{refusal}; asked for: orderbook.50.ETHUSDT"
    assert not letters(reply(line.session, one, 7))
    assert not [output for output in line.session.tick(40 * SECOND) if isinstance(output, Reconnect)]


def test_what_is_subscribed_already_counts_as_acknowledged() -> None:
    (line,) = lines(channels=("trades",))
    (asked,) = sent(line.session.connected("c", 0))
    refusal = "error:already subscribed,topic:publicTrade.BTCUSDT"
    outputs = reply(line.session, asked, 5, success=False, ret_msg=refusal)
    assert states(outputs) == [("trades", "valid", "subscribed")]


def test_a_request_without_answer_gives_the_connection_up() -> None:
    (line,) = lines(channels=("book",))
    line.session.connected("c", 0)
    reconnects = [o for at in (9, 11) for o in line.session.tick(at * SECOND) if isinstance(o, Reconnect)]
    assert reconnects == [Reconnect("subscribe_timeout")]


def test_a_gap_renews_just_that_book() -> None:
    session = connected("BTC-USDT-PERP", "ETH-USDT-PERP")
    session.receive(*book(100, 1, "snapshot"))
    session.receive(*book(500, 1, "snapshot", "ETHUSDT"))
    outputs = session.receive(*book(103, 2))
    assert topics(outputs, "unsubscribe") == topics(outputs) == ["orderbook.50.BTCUSDT"]
    assert states(outputs) == [("book", "gap", "sequence_gap")]
    assert [o.missed for o in outputs if isinstance(o, FeedStatus)] == [None, 2]
    assert isinstance(session.receive(*book(501, 3, symbol="ETHUSDT"))[-1], Book)


def test_a_lost_book_is_asked_for_once_and_again_only_after_a_while() -> None:
    session = connected()
    session.receive(*book(100, 1, "snapshot"))
    session.receive(*book(103, 2))
    asked = [at for at in range(1, 31) for _ in topics(session.tick(at * SECOND))]
    assert asked == [11]
    assert isinstance(session.receive(*book(7, 31 * SECOND, "snapshot"))[-1], Book)


def test_a_refused_ticker_is_renewed_because_deltas_would_go_on_from_it() -> None:
    session = connected(channels=("funding",))
    session.receive(*ticker(2, "snapshot", markPrice="10", fundingRate="0.0001"))
    assert states(session.receive(*ticker(3, fundingRate="much"))) == [("funding", "gap", "refused_frame")]
    assert not session.receive(*ticker(4, markPrice="11"))
    assert topics(session.tick(5)) == ["tickers.BTCUSDT"]
    outputs = session.receive(*ticker(6, "snapshot", markPrice="12", fundingRate="0.0002"))
    assert states(outputs) == [("funding", "valid", "received")]


def test_a_ping_goes_out_every_20_seconds_while_connected() -> None:
    session = connected()
    pong = b'{"success":true,"ret_msg":"pong","conn_id":"c","op":"ping"}'
    pinged = []
    for at in range(1, 61):
        session.receive(pong, at * SECOND)
        pinged += [at for _ in sent(session.tick(at * SECOND), "ping")]
    assert pinged == [20, 40, 60]
    session.closed("test", 61 * SECOND)
    assert not sent(session.tick(100 * SECOND), "ping")


def test_a_socket_without_a_pong_is_given_up() -> None:
    session = connected(channels=("trades",))
    reconnects = [(at, o) for at in range(1, 60) for o in session.tick(at * SECOND) if isinstance(o, Reconnect)]
    assert reconnects == [(46, Reconnect("silent"))]


def test_a_new_connection_starts_from_a_new_snapshot() -> None:
    session = connected()
    session.receive(*book(100, 1, "snapshot"))
    session.closed("lost", 2)
    session.connected("c2", 3)
    assert not [output for output in session.receive(*book(101, 4)) if isinstance(output, Book)]
    (event,) = [output for output in session.receive(*book(200, 5, "snapshot")) if isinstance(output, Book)]
    assert event.previous_sequence is None


def test_lists_are_asked_for_by_category_and_page_by_page() -> None:
    asked = [request.path for request in BYBIT.instruments_requests()]
    assert asked == [
        "/v5/market/instruments-info?category=linear&limit=1000",
        "/v5/market/instruments-info?category=spot",
        "/v5/market/instruments-info?category=inverse&limit=1000",
        *(f"/v5/market/instruments-info?category=option&baseCoin={base}&limit=1000" for base in ("BTC", "ETH", "SOL")),
    ]
    assert isinstance(BYBIT, PagedInstruments)
    page = b'{"retCode":0,"result":{"category":"linear","list":[],"nextPageCursor":"%s"}}'
    following = BYBIT.more(page % b"a%3Db")
    assert following is not None
    assert following.path == f"{asked[0]}&cursor=a%3Db"
    assert BYBIT.more(page % b"") is None
    row = b'{"symbol":"ETH-25DEC26-4000-C-USDT","baseCoin":"ETH","quoteCoin":"USDT"}'
    of_options = BYBIT.more(b'{"retCode":0,"result":{"category":"option","list":[%s],"nextPageCursor":"a"}}' % row)
    assert of_options is not None
    assert of_options.path == f"{asked[4]}&cursor=a"
    with pytest.raises(FrameError, match="code 10006"):
        BYBIT.more(b'{"retCode":10006,"retMsg":"Too many visits!","result":{}}')


def trade(name: str, at_ns: int, size: str = "1") -> tuple[bytes, int]:
    row = {"T": TIME + int(name), "s": "BTCUSDT", "S": "Buy", "v": size, "p": "10", "i": name}
    return msgspec.json.encode({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": TIME, "data": [row]}), at_ns


def past(*names: str) -> bytes:
    rows = [
        {"execId": name, "symbol": "BTCUSDT", "price": "10", "size": "1", "side": "Buy", "time": str(TIME + int(name))}
        for name in reversed(names)
    ]
    return msgspec.json.encode({"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": rows}})


def after_a_refused_trade() -> tuple[Session, Request]:
    """Trade 1 came, 2 was refused, 4 came; and what is then asked for."""
    session = connected(channels=("trades",))
    session.receive(*trade("1", 2))
    assert states(session.receive(*trade("2", 3, "none"))) == [("trades", "gap", "refused_frame")]
    session.receive(*trade("4", 4))
    outputs = [output for at in (1, 2, 3) for output in session.tick(at * SECOND)]
    (request,) = [output.request for output in outputs if isinstance(output, Fetch)]
    assert request.path == "/v5/market/recent-trade?category=linear&symbol=BTCUSDT&limit=1000"
    return session, request


def test_trades_after_a_break_are_taken_from_rest_each_once() -> None:
    session, request = after_a_refused_trade()
    outputs = session.answer(request, 200, past("0", "1", "2", "3", "4"), 4 * SECOND)
    filled = [(output.id, output.provenance) for output in outputs if isinstance(output, Trade)]
    assert filled == [("2", "rest"), ("3", "rest")]


def test_rest_trades_that_share_no_id_with_the_socket_are_not_taken() -> None:
    session, request = after_a_refused_trade()
    assert not session.answer(request, 200, past("200", "201"), 4 * SECOND)
    assert session.ignored["unrelated_answer"] == 1


def quote(u: int, at_ns: int) -> tuple[bytes, int]:
    data = {"s": "BTCUSDT", "b": [["10.0", "1"]], "a": [["11.0", "1"]], "u": u, "seq": u}
    frame = {"topic": "orderbook.1.BTCUSDT", "type": "snapshot", "ts": TIME, "data": data, "cts": TIME}
    return msgspec.json.encode(frame), at_ns


def test_messages_without_effect_are_counted_by_kind() -> None:
    session = connected(channels=("book", "bbo"))
    for frame in (book(9, 1), book(10, 2), book(20, 3, "snapshot"), book(21, 4), book(21, 5), book(30, 6), book(31, 7)):
        session.receive(*frame)
    for frame in (quote(5, 1), quote(5, 2), quote(4, 3)):
        session.receive(*frame)
    counted = {kind: count for kind, count in session.ignored.items() if kind != "acknowledgement"}
    assert counted == {"update_without_snapshot": 3, "repeated_update": 1, "repeated_quote": 1, "older_quote": 1}


def test_a_kind_of_contract_that_is_none_is_an_odd_row_and_a_new_kind_is_left_out() -> None:
    row = {"symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT"}
    rows = [row | {"contractType": kind} for kind in ("LinearPerpetual", "LinearEternal", "0")]
    body = {"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": rows}}
    listed = BYBIT.parse_instruments(msgspec.json.encode(body))
    assert [row.symbol for row in listed.instruments] == ["BTC-USDT-PERP"]
    assert len(listed.refused) == 1
