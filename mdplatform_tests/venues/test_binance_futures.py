"""The live side of Binance's futures: which socket asks for what, snapshots, resync, limits."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import Book, DeadLetter, FeedStatus, Funding, Trade
from mdplatform.core.session import ConnectionPlan, Fetch, MatchesReplies, Output, Reconnect, Request, Send, Session
from mdplatform.venues import venue

USDM, COINM = venue("binance-usdm"), venue("binance-coinm")
SNAPSHOT = {"lastUpdateId": 105, "E": 1790000000000, "bids": [["10.0", "1"]], "asks": [["11.0", "1"]]}


def lines(*symbols: str, channels: tuple[str, ...] = ()) -> list[ConnectionPlan]:
    return USDM.plan_connections(USDM.known_instruments().select(symbols or ("BTC-USDT-PERP",)), channels)


def public(*symbols: str) -> Session:
    session = lines(*symbols)[0].session
    session.connected("c1", 0)
    return session


def market() -> Session:
    session = lines()[1].session
    session.connected("c1", 0)
    return session


def diff(previous: int, last: int, at_ns: int, symbol: str = "BTCUSDT") -> tuple[bytes, int]:
    ids = {"U": previous + 1, "u": last, "pu": previous}
    data = {"e": "depthUpdate", "E": 1790000000000, "s": symbol, **ids, "b": [], "a": [["12.0", "1"]]}
    return msgspec.json.encode({"stream": f"{symbol.lower()}@depth@100ms", "data": data}), at_ns


def answer(session: Session, request: Request, at_ns: int, body: Any = SNAPSHOT) -> list[Output]:
    return session.answer(request, 200, msgspec.json.encode(body), at_ns)


def requests(outputs: list[Output]) -> list[Request]:
    return [output.request for output in outputs if isinstance(output, Fetch)]


def books(outputs: list[Output]) -> list[int]:
    return [output.sequence for output in outputs if isinstance(output, Book)]


def asked(session: Session) -> list[str]:
    sends = [output for output in session.connected("c", 0) if isinstance(output, Send)]
    return [stream for send in sends for stream in msgspec.json.decode(send.frame)["params"]]


def test_books_and_trades_take_a_socket_each() -> None:
    opened = lines("BTC-USDT-PERP", "ETH-USDT-PERP")
    assert [(line.ws_url, line.url_path) for line in opened] == [
        ("wss://fstream.binance.com", "/public/stream"),
        ("wss://fstream.binance.com", "/market/stream"),
    ]
    assert asked(opened[0].session) == ["btcusdt@depth@100ms", "ethusdt@depth@100ms"]
    assert asked(opened[1].session)[:3] == ["btcusdt@aggTrade", "btcusdt@forceOrder", "btcusdt@markPrice@1s"]


def test_quotes_and_the_undocumented_trades_are_of_the_public_socket() -> None:
    (line,) = lines(channels=("bbo", "trade"))
    assert line.url_path == "/public/stream"
    assert asked(line.session) == ["btcusdt@bookTicker", "btcusdt@trade"]


def test_coin_margined_contracts_take_one_socket_for_all() -> None:
    (line,) = COINM.plan_connections(COINM.known_instruments().select(["BTC-USD-PERP"]), ())
    assert (line.ws_url, line.url_path) == ("wss://dstream.binance.com", "/stream")
    assert asked(line.session) == [
        f"btcusd_perp@{name}" for name in ("depth@100ms", "aggTrade", "forceOrder", "markPrice@1s")
    ]


@pytest.mark.parametrize("facts", [USDM, COINM], ids=lambda facts: facts.id)
def test_many_symbols_take_several_sockets_of_two_hundred_streams(facts: Any) -> None:
    known = facts.known_instruments()
    opened = facts.plan_connections(known, ())
    streams = [asked(line.session) for line in opened]
    assert max(map(len, streams)) <= 200
    assert len({stream for part in streams for stream in part}) == len(known) * len(facts.default_channels)


def test_two_kinds_of_trades_are_not_taken_at_once() -> None:
    with pytest.raises(ConfigError, match="aggTrade and trade are the same trades; choose one"):
        lines(channels=("aggTrade", "trade"))
    with pytest.raises(ConfigError, match="choose one"):
        lines(channels=("depth20@100ms", "depth@100ms"))


def test_a_snapshot_is_asked_for_at_the_first_diff_and_only_once() -> None:
    session = public()
    (request,) = requests(session.receive(*diff(100, 103, 1)))
    assert (request.path, request.weight) == ("/fapi/v1/depth?symbol=BTCUSDT&limit=1000", 20)
    assert requests(session.receive(*diff(103, 107, 2)) + session.tick(SECOND)) == []
    assert books(answer(session, request, 3)) == [107]
    assert books(session.receive(*diff(107, 190, 4))) == [190]


@pytest.mark.parametrize(("snapshot", "joined"), [(103, [103, 107]), (104, [107]), (107, [107]), (99, [])])
def test_the_first_diff_is_the_one_whose_ids_span_the_snapshots(snapshot: int, joined: list[int]) -> None:
    session = public()
    (request,) = requests(session.receive(*diff(100, 103, 1)))
    session.receive(*diff(103, 107, 2))
    assert books(answer(session, request, 3, {**SNAPSHOT, "lastUpdateId": snapshot})) == joined


def test_a_diff_that_follows_the_snapshot_itself_joins() -> None:
    session = public()
    (request,) = requests(session.receive(*diff(100, 103, 1)))
    assert books(answer(session, request, 2)) == []
    assert books(session.receive(*diff(105, 220, 3))) == [220]


def test_a_gap_concerns_one_symbol_only() -> None:
    session = public("BTC-USDT-PERP", "ETH-USDT-PERP")
    for symbol in ("BTCUSDT", "ETHUSDT"):
        (request,) = requests(session.receive(*diff(100, 107, 1, symbol)))
        assert books(answer(session, request, 2)) == [107]
    outputs = session.receive(*diff(110, 111, 3))
    assert [(o.symbol, o.state) for o in outputs if isinstance(o, FeedStatus)] == [
        ("BTC-USDT-PERP", "valid"),
        ("BTC-USDT-PERP", "gap"),
    ]
    assert [request.symbol for request in requests(outputs)] == ["BTC-USDT-PERP"]
    assert not [output for output in outputs if isinstance(output, Reconnect)]
    assert books(session.receive(*diff(107, 109, 4, "ETHUSDT"))) == [109]


def lost_trades(channel: str, **number: int) -> list[Request]:
    """What is asked for after a trade, and another one two later."""
    (line,) = lines(channels=(channel,))
    line.session.connected("c1", 0)
    for step in (0, 3):
        ids = {key: value + step for key, value in number.items()}
        data = {"s": "BTCUSDT", "p": "10.5", "q": "1", "T": 1790000000000, "m": True, **ids}
        line.session.receive(msgspec.json.encode({"stream": f"btcusdt@{channel}", "data": data}), SECOND)
    return requests(line.session.tick(2 * SECOND) + line.session.tick(4 * SECOND))


def test_lost_trades_are_asked_for_where_no_key_is_wanted() -> None:
    (request,) = lost_trades("aggTrade", a=7)
    assert (request.path, request.weight) == ("/fapi/v1/aggTrades?symbol=BTCUSDT&fromId=8&limit=2", 20)
    assert lost_trades("trade", t=7) == []


def test_listed_trades_fill_the_gap() -> None:
    session = market()
    data = {"s": "BTCUSDT", "p": "10.5", "q": "1", "T": 1790000000000, "m": True}
    for number in (7, 9):
        session.receive(msgspec.json.encode({"stream": "btcusdt@aggTrade", "data": {**data, "a": number}}), SECOND)
    (request,) = requests(session.tick(2 * SECOND) + session.tick(4 * SECOND))
    (trade,) = [o for o in answer(session, request, 5 * SECOND, [{**data, "a": 8}]) if isinstance(o, Trade)]
    assert (trade.id, trade.side, trade.provenance) == ("8", "sell", "rest")


def test_on_a_tape_a_snapshot_is_of_the_symbol_that_was_asked_for() -> None:
    session = USDM.reader(USDM.known_instruments())
    assert isinstance(session, MatchesReplies)
    for symbol in ("ETHUSDT", "BTCUSDT"):
        session.receive(*diff(100, 107, 1, symbol))
    outputs = session.recall("/fapi/v1/depth?symbol=BTCUSDT&limit=1000", msgspec.json.encode(SNAPSHOT), 2)
    assert outputs is not None
    assert [o.symbol for o in outputs if isinstance(o, Book)] == ["BTC-USDT-PERP"]


def test_what_a_socket_does_not_carry_is_not_down_with_it() -> None:
    opened, session = lines()[0].session, lines()[1].session
    for socket, channels in ((opened, {"book"}), (session, {"trades", "liquidations", "funding"})):
        socket.connected("c1", 0)
        assert {o.channel for o in socket.closed("cut", SECOND) if isinstance(o, FeedStatus)} == channels


def test_only_trades_are_valid_by_acknowledgement() -> None:
    statuses = [o for o in market().receive(b'{"result":null,"id":1}', 5) if isinstance(o, FeedStatus)]
    assert {o.channel for o in statuses if o.state == "valid"} == {"trades", "liquidations"}


def test_mark_prices_that_never_come_are_not_valid_and_those_that_stop_are_stale() -> None:
    session = market()
    data = {"e": "markPriceUpdate", "E": 1790000000000, "s": "BTCUSDT", "p": "1.5", "r": "0.0001", "T": 1790000000000}
    frame = msgspec.json.encode({"stream": "btcusdt@markPrice@1s", "data": data})
    for second in range(1, 40):
        session.receive(frame, second * SECOND)
    states = [o.state for o in session.tick(56 * SECOND) if isinstance(o, FeedStatus) and o.channel == "funding"]
    assert states == ["valid", "stale"]


def test_a_socket_of_liquidations_only_may_be_silent() -> None:
    (line,) = lines(channels=("liquidations",))
    line.session.connected("c1", 0)
    line.session.receive(b'{"result":null,"id":1}', SECOND)
    assert not [output for output in line.session.tick(6 * 3600 * SECOND) if isinstance(output, Reconnect)]


def test_a_silent_public_socket_is_given_up() -> None:
    session = public()
    session.receive(b'{"result":null,"id":1}', SECOND)
    assert Reconnect("silent") in session.tick(62 * SECOND)


def test_connections_are_renewed_before_their_day_is_over() -> None:
    assert USDM.lifetime_s == COINM.lifetime_s == 24 * 3600
    frame = b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1790000000000}}'
    assert market().receive(frame, 1) == [Reconnect("server_shutdown", overlap=True)]


def test_a_damaged_message_among_many_costs_only_itself() -> None:
    session = USDM.reader(USDM.known_instruments())
    good = {"e": "markPriceUpdate", "E": 1790000000000, "s": "BTCUSDT", "p": "1.5", "r": "", "T": 0}
    messages = [{**good, "p": "?"}, good, {**good, "s": "ETHUSDT"}, {**good, "s": "NOSUCHUSDT"}]
    frame = msgspec.json.encode({"stream": "!markPrice@arr", "data": messages})
    outputs = session.receive(frame, 1)
    assert [o.symbol for o in outputs if isinstance(o, Funding)] == ["BTC-USDT-PERP", "ETH-USDT-PERP"]
    (letter,) = [o for o in outputs if isinstance(o, DeadLetter)]
    assert letter.frame == frame
    assert session.ignored["unlisted"] == 1


JOINED = ("depth@0ms", "depth20@100ms")


def fast(previous: int, last: int, at_ns: int, **sides: Any) -> tuple[bytes, int]:
    data = {"e": "depthUpdate", "E": 1790000000000, "s": "BTCUSDT", "U": last, "u": last, "pu": previous}
    return msgspec.json.encode({"stream": "btcusdt@depth@0ms", "data": data | {"b": [], "a": []} | sides}), at_ns


def partial_book(last: int, at_ns: int, levels: int = 20) -> tuple[bytes, int]:
    bids, asks = ([[str(price), "1"] for price in range(first, first + 20)] for first in (81, 101))
    data = {"e": "depthUpdate", "E": 1790000000000, "s": "BTCUSDT", "U": last, "u": last, "pu": last - 5}
    sides = {"b": bids[::-1][:levels], "a": asks[:levels]}
    return msgspec.json.encode({"stream": "btcusdt@depth20@100ms", "data": data | sides}), at_ns


def joined() -> Session:
    (line,) = lines(channels=JOINED)
    line.session.connected("c1", 0)
    return line.session


def test_a_partial_book_is_the_snapshot_of_diffs_where_both_are_chosen() -> None:
    session = joined()
    outputs = session.receive(*fast(1, 5, 1)) + session.receive(*partial_book(5, 2)) + session.receive(*fast(5, 9, 3))
    assert books(outputs) == [5, 9]
    assert requests(outputs + session.tick(SECOND)) == []


def test_a_broken_chain_is_joined_to_the_next_partial_book() -> None:
    session = joined()
    for frame in (fast(1, 5, 1), partial_book(5, 2), fast(7, 9, 3)):
        outputs = session.receive(*frame)
    assert [(o.state, o.cause) for o in outputs if isinstance(o, FeedStatus)][-1] == ("gap", "sequence_gap")
    assert books(session.receive(*partial_book(9, 4)) + session.receive(*fast(9, 12, 5))) == [9, 12]


def test_levels_that_diffs_take_away_come_back_by_partial_books() -> None:
    session = joined()
    session.receive(*fast(1, 5, 1))
    session.receive(*partial_book(5, 2))
    last = 5
    for price in range(101, 107):
        session.receive(*fast(last, last + 1, last, a=[[str(price), "0"]]))
        last += 1
    session.receive(*partial_book(last, 20))
    (book,) = [o for o in session.receive(*fast(last, last + 1, 21)) if isinstance(o, Book)]
    assert (len(book.bid_prices), len(book.ask_prices)) == (20, 20)


def test_rest_is_asked_where_no_partial_book_comes() -> None:
    session = joined()
    assert requests(session.receive(*fast(1, 5, 1)) + session.tick(2 * SECOND)) == []
    (request,) = requests(session.tick(4 * SECOND))
    assert books(answer(session, request, 5 * SECOND, SNAPSHOT | {"lastUpdateId": 5})) == [5]


def test_partial_books_of_no_use_are_counted() -> None:
    session = joined()
    for frame in (fast(1, 5, 1), partial_book(5, 2), partial_book(5, 3)):
        session.receive(*frame)
    assert session.ignored["partial_book"] == 1
