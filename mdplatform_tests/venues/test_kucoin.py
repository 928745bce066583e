"""The live side of KuCoin: tickets, pings, requests and refusals, and books whose snapshots end after 100 levels."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.events import Book, DeadLetter, FeedStatus, Trade
from mdplatform.core.session import ConnectionPlan, Fetch, NeedsTicket, Output, Reconnect, Request, Send
from mdplatform.venues import venue
from mdplatform.venues.kucoin.session import KucoinSession
from mdplatform.venues.kucoin.uta.session import UtaSession

KUCOIN = venue("kucoin")
WELCOME = b'{"id":"x","type":"welcome"}'
SNAPSHOT = {"sequence": "105", "bids": [["10.0", "1"]], "asks": [["11.0", "1"]], "time": 1790000000000}


def lines(*symbols: str, channels: tuple[str, ...] = ()) -> list[ConnectionPlan]:
    return KUCOIN.plan_connections(KUCOIN.known_instruments().select(symbols or ("BTC-USDT",)), channels)


def session(*symbols: str, channels: tuple[str, ...] = ("level2", "match", "instrument")) -> KucoinSession:
    (line,) = lines(*symbols, channels=channels)
    assert isinstance(line.session, KucoinSession)
    return line.session


def welcomed(*symbols: str, channels: tuple[str, ...] = ("level2", "match", "instrument")) -> KucoinSession:
    opened = session(*symbols, channels=channels)
    opened.connected("c1", 0)
    opened.receive(WELCOME, 0)
    return opened


def sent(outputs: list[Output]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]


def requests(outputs: list[Output], purpose: str = "snapshot") -> list[Request]:
    fetched = [output.request for output in outputs if isinstance(output, Fetch)]
    return [request for request in fetched if request.purpose == purpose]


def books(outputs: list[Output]) -> list[Book]:
    return [output for output in outputs if isinstance(output, Book)]


def ticket(endpoint: str = "wss://new.kucoin.com/", interval: int = 9000) -> bytes:
    server = {"endpoint": endpoint, "encrypt": True, "protocol": "websocket", "pingInterval": interval}
    data = {"token": "t0ken", "instanceServers": [{**server, "pingTimeout": 10000}]}
    return msgspec.json.encode({"code": "200000", "data": data})


def diff(first: int, last: int, bids: Any = (), asks: Any = (), symbol: str = "BTC-USDT") -> bytes:
    changes = {side: [[price, size, "1"] for price, size in rows] for side, rows in (("bids", bids), ("asks", asks))}
    data = {"changes": changes, "sequenceStart": first, "sequenceEnd": last, "symbol": symbol, "time": 1790000000000}
    topic = f"/market/level2:{symbol}"
    return msgspec.json.encode({"topic": topic, "type": "message", "subject": "trade.l2update", "data": data})


def answer(
    opened: KucoinSession, request: Request, at_ns: int, data: Any = SNAPSHOT, status: int = 200
) -> list[Output]:
    return opened.answer(request, status, msgspec.json.encode({"code": "200000", "data": data}), at_ns)


def test_spot_and_futures_take_their_tickets_at_their_own_addresses() -> None:
    opened = [line.session for line in lines("BTC-USDT", "BTC-USDT-PERP", channels=("match",))]
    asked = [s.ticket_request() for s in opened if isinstance(s, KucoinSession)]
    assert [(r.base_url, r.path, r.body) for r in asked] == [
        (None, "/api/v1/bullet-public", b""),
        ("https://api-futures.kucoin.com", "/api/v1/bullet-public", b""),
    ]


def test_the_ticket_names_the_socket_unless_another_was_given() -> None:
    opened = session()
    named = opened.address("wss://ws-api-spot.kucoin.com", ticket())
    given = opened.address("ws://127.0.0.1:9/kucoin", ticket())
    assert named.startswith("wss://new.kucoin.com/?token=t0ken&connectId=")
    assert given.startswith("ws://127.0.0.1:9/kucoin/?token=t0ken&connectId=")


@pytest.mark.parametrize("body", [b"no", b'{"code":"200000","data":{}}', ticket("http://x"), ticket(interval=0)])
def test_what_is_no_ticket_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        session().address("wss://ws-api-spot.kucoin.com", body)


def test_nothing_is_asked_for_before_the_welcome() -> None:
    opened = session("BTC-USDT", "ETH-USDT")
    assert sent(opened.connected("c1", 0)) == []
    frames = sent(opened.receive(WELCOME, 1))
    assert [(f["id"], f["type"], f["topic"], f["response"]) for f in frames] == [
        ("1", "subscribe", "/market/level2:BTC-USDT,ETH-USDT", True),
        ("2", "subscribe", "/market/match:BTC-USDT,ETH-USDT", True),
    ]


def test_a_socket_without_a_welcome_is_given_up() -> None:
    opened = session()
    opened.connected("c1", 0)
    assert Reconnect("subscribe_timeout") in opened.tick(11 * SECOND)


def test_pings_go_out_as_often_as_the_ticket_says() -> None:
    opened = session(channels=("match",))
    opened.address("wss://ws-api-spot.kucoin.com", ticket(interval=5000))
    opened.connected("c1", 0)
    opened.receive(WELCOME, 0)
    opened.receive(b'{"id":"1","type":"ack"}', 1)
    pings = [n for n in range(1, 12) if sent(opened.tick(n * SECOND))]
    assert pings == [5, 10]


def test_a_ping_without_a_pong_gives_the_socket_up() -> None:
    opened = welcomed(channels=("match",))
    opened.receive(b'{"id":"1","type":"ack"}', 1)
    (ping,) = sent(opened.tick(18 * SECOND))
    answered = msgspec.json.encode({"id": ping["id"], "type": "pong", "timestamp": 1790000000000000})
    opened.receive(answered, 19 * SECOND)
    assert Reconnect("subscribe_timeout") not in opened.tick(30 * SECOND)
    opened.tick(37 * SECOND)
    assert Reconnect("subscribe_timeout") in opened.tick(48 * SECOND)


def test_futures_topics_are_of_contracts() -> None:
    opened = session("BTC-USDT-PERP")
    opened.connected("c1", 0)
    assert [frame["topic"] for frame in sent(opened.receive(WELCOME, 0))] == [
        "/contractMarket/level2:XBTUSDTM",
        "/contractMarket/execution:XBTUSDTM",
        "/contract/instrument:XBTUSDTM",
    ]


def test_many_symbols_take_several_connections_of_few_topics() -> None:
    spot = [row.symbol for row in KUCOIN.known_instruments() if row.quote == "USDT" and "PERP" not in row.symbol]
    for line in lines(*spot, channels=("level2", "match")):
        line.session.connected("c", 0)
        topics = [frame["topic"] for frame in sent(line.session.receive(WELCOME, 0))]
        assert sum(1 + topic.count(",") for topic in topics) <= 300
        assert all(topic.count(",") < 100 for topic in topics)


def test_spot_has_no_funding() -> None:
    with pytest.raises(ConfigError, match="kucoin has no instrument of spot symbols such as BTC-USDT"):
        lines("BTC-USDT", channels=("funding",))


def test_a_refused_request_is_narrowed_down_to_the_symbol_that_is_refused() -> None:
    opened = welcomed("BTC-USDT", "ETH-USDT", channels=("match",))
    *again, letter = opened.receive(b'{"id":"1","type":"error","code":404,"data":"topic is not found"}', 1)
    assert isinstance(letter, DeadLetter)
    assert letter.error == 'code 404: "topic is not found"; asked for: match of BTC-USDT, ETH-USDT'
    assert [frame["topic"] for frame in sent(again)] == ["/market/match:BTC-USDT", "/market/match:ETH-USDT"]
    outputs = opened.receive(b'{"id":"3","type":"error","code":404,"data":"topic is not found"}', 2)
    assert sent(outputs) == []
    statuses = [o for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]
    assert [(o.symbol, o.channel, o.state, o.cause) for o in statuses] == [("ETH-USDT", "trades", "down", "refused")]
    opened.receive(b'{"id":"2","type":"ack"}', 3)
    assert not [output for output in opened.tick(11 * SECOND) if isinstance(output, Reconnect)]


# --- the UTA push socket

UTA_WELCOME = b'{"sessionId":"s","message":"welcome","pingInterval":30000}'


def uta(*symbols: str) -> UtaSession:
    (line,) = lines(*symbols, channels=("book",))
    assert isinstance(line.session, UtaSession)
    line.session.connected("c1", 0)
    return line.session


def push(
    kind: str, first: int, last: int, bids: Any = (), asks: Any = (), at: int = 0, symbol: str = "BTC-USDT"
) -> bytes:
    matched_ns = 1790000000000000000 + at
    data = {"s": symbol, "O": first, "C": last, "M": matched_ns, "a": list(asks), "b": list(bids)}
    return msgspec.json.encode({"T": "obu.SPOT", "dp": "increment@10ms", "t": kind, "P": matched_ns, "d": data})


def test_books_come_by_sockets_without_a_ticket_and_the_rest_by_those_with_one() -> None:
    opened = lines("BTC-USDT", "BTC-USDT-PERP")
    assert [(line.ws_url, isinstance(line.session, NeedsTicket)) for line in opened] == [
        ("wss://x-push-spot.kucoin.com", False),
        ("wss://x-push-futures.kucoin.com", False),
        ("wss://ws-api-spot.kucoin.com", True),
        ("wss://ws-api-futures.kucoin.com", True),
    ]


def test_books_are_asked_for_one_by_one_after_the_welcome() -> None:
    opened = uta("BTC-USDT", "ETH-USDT")
    frames = sent(opened.receive(UTA_WELCOME, 1))
    assert [(f["id"], f["action"], f["channel"], f["tradeType"], f["symbol"], f["depth"]) for f in frames] == [
        ("1", "subscribe", "obu", "SPOT", "BTC-USDT", "increment@10ms"),
        ("2", "subscribe", "obu", "SPOT", "ETH-USDT", "increment@10ms"),
    ]


def test_a_book_goes_on_from_its_snapshot_and_asks_for_nothing_by_rest() -> None:
    opened = uta()
    opened.receive(UTA_WELCOME, 1)
    outputs = opened.receive(push("snapshot", 5, 5, [["10", "1"]], [["11", "1"]]), 2)
    outputs += opened.receive(push("delta", 6, 8, [["10", "2"]]), 3)
    outputs += opened.receive(push("delta", 6, 8, [["10", "2"]]), 4)
    assert [(book.sequence, book.bid_sizes) for book in books(outputs)] == [(5, ["1"]), (8, ["2"])]
    assert opened.ignored["repeated_update"] == 1
    assert not requests(outputs)


@pytest.mark.parametrize(
    ("first", "last", "at", "cause", "missed"),
    [(8, 9, 5, "sequence_gap", 2), (1, 1, 5, "sequence_reset", None), (5, 7, 5, "sequence_back", None)],
)
def test_a_book_that_does_not_go_on_is_subscribed_to_again(
    first: int, last: int, at: int, cause: str, missed: int | None
) -> None:
    opened = uta()
    opened.receive(UTA_WELCOME, 1)
    opened.receive(b'{"id":"1","result":true}', 1)
    opened.receive(push("snapshot", 5, 5, [["10", "1"]], [["11", "1"]]), 2)
    outputs = opened.receive(push("delta", first, last, [["10", "2"]], at=at), 3)
    assert [(o.cause, o.missed) for o in outputs if isinstance(o, FeedStatus)][-1] == (cause, missed)
    assert [frame["action"] for frame in sent(outputs)] == ["unsubscribe", "subscribe"]


def test_a_book_of_which_much_is_gone_is_renewed_while_it_stands() -> None:
    opened = uta()
    opened.receive(UTA_WELCOME, 1)
    opened.receive(b'{"id":"1","result":"true"}', 1)
    bids, asks = [[str(1000 - n), "1"] for n in range(500)], [[str(1001 + n), "1"] for n in range(500)]
    opened.receive(push("snapshot", 5, 5, bids, asks), 2)
    gone = [[price, "0"] for price, _ in bids[:300]]
    (book,) = books(opened.receive(push("delta", 6, 6, [*gone, ["400", "7"]]), 61 * SECOND))
    assert book.bid_prices[0] == "700"
    outputs = opened.tick(62 * SECOND)
    assert [frame["action"] for frame in sent(outputs) if "action" in frame] == ["unsubscribe", "subscribe"]
    assert not [o for o in outputs if isinstance(o, FeedStatus) and o.state != "valid"]
    outputs = opened.receive(push("delta", 7, 7, [[price, "0"] for price, _ in bids[300:]]), 63 * SECOND)
    assert [o.cause for o in outputs if isinstance(o, FeedStatus)][-1] == "beyond_snapshot"


def test_a_book_that_stays_silent_is_asked_for_again_and_then_marked() -> None:
    opened, now_ns, seen = uta("BTC-USDT", "ETH-USDT"), 0, []
    outputs = opened.receive(UTA_WELCOME, now_ns)
    while now_ns < 90 * SECOND:
        for frame in sent(outputs):
            answer = {"id": frame["id"], "result": True} if "action" in frame else {"id": frame["id"], "type": "pong"}
            seen += opened.receive(msgspec.json.encode(answer), now_ns)
        now_ns += SECOND
        number = now_ns // SECOND
        kind = "snapshot" if number == 1 else "delta"
        seen += opened.receive(push(kind, number, number, [["10", str(number)]], [["11", "1"]]), now_ns)
        outputs = opened.tick(now_ns)
        seen += outputs
    marked = [
        o.symbol for o in seen if isinstance(o, FeedStatus) and o.cause == "silent_channel" and o.ended_ns is None
    ]
    assert marked == ["ETH-USDT"]
    assert not [output for output in seen if isinstance(output, Reconnect)]


def test_an_acknowledgement_makes_trades_valid() -> None:
    outputs = welcomed(channels=("match",)).receive(b'{"id":"1","type":"ack"}', 5)
    assert [o.state for o in outputs if isinstance(o, FeedStatus)] == ["resync", "valid"]


def test_a_snapshot_is_asked_for_at_the_first_diff() -> None:
    opened = welcomed()
    (request,) = requests(opened.receive(diff(104, 106), 1))
    assert (request.path, request.weight) == ("/api/v1/market/orderbook/level2_100?symbol=BTC-USDT", 2)
    assert [book.sequence for book in books(answer(opened, request, 2))] == [106]
    assert requests(opened.receive(diff(108, 108), 3)) == [request]


def test_a_snapshot_that_is_none_is_kept_and_asked_for_again() -> None:
    opened = welcomed()
    (request,) = requests(opened.receive(diff(104, 106), 0))
    (letter,) = answer(opened, request, 1, data={"bids": []})
    assert isinstance(letter, DeadLetter)
    assert requests(opened.tick(SECOND)) == [request]


def test_a_reach_that_grows_short_is_renewed_without_an_interruption() -> None:
    opened = welcomed(channels=("level2",))
    (request,) = requests(opened.receive(diff(101, 101), 0))
    bids, asks = [[str(1000 - n), "1"] for n in range(100)], [[str(1001 + n), "1"] for n in range(100)]
    answer(opened, request, 0, {"sequence": "100", "bids": bids, "asks": asks})
    short = diff(102, 102, [(str(1000 - n), "0") for n in range(70)], [("1000", "1")])
    assert requests(opened.receive(short, SECOND)) == [request]
    opened.receive(diff(103, 103, [("930", "5")], [("999", "2")]), SECOND)
    newer = {"sequence": "102", "bids": [*bids[70:], ["900", "3"]], "asks": [["1000", "1"], *asks]}
    assert not [o for o in answer(opened, request, SECOND, newer) if isinstance(o, FeedStatus)]
    (book,) = books(opened.receive(diff(104, 104, [(str(n), "0") for n in range(901, 931)]), SECOND))
    assert (book.bid_prices, book.ask_prices[:2]) == (["900"], ["999", "1000"])
    assert book.previous_sequence == 103


def test_a_snapshot_that_is_ahead_waits_for_the_diffs_that_it_holds() -> None:
    opened = welcomed(channels=("level2",))
    (request,) = requests(opened.receive(diff(101, 101), 0))
    bids, asks = [[str(1000 - n), "1"] for n in range(100)], [["1001", "1"]]
    answer(opened, request, 0, {"sequence": "100", "bids": bids, "asks": asks})
    short = diff(102, 102, [(str(1000 - n), "0") for n in range(70)])
    assert requests(opened.receive(short, SECOND)) == [request]
    newer = {"sequence": "104", "bids": [["930", "9"], ["800", "1"]], "asks": asks}
    assert answer(opened, request, SECOND, newer) == []
    (before,) = books(opened.receive(diff(103, 103), SECOND))
    (after,) = books(opened.receive(diff(104, 105, [("930", "9"), ("700", "2")]), SECOND))
    assert (before.bid_prices[0], before.bid_sizes[0]) == ("930", "1")
    assert (after.bid_prices, after.bid_sizes, after.previous_sequence) == (["930", "800", "700"], ["9", "1", "2"], 103)


def test_a_snapshot_from_before_it_was_asked_for_renews_nothing() -> None:
    opened = welcomed(channels=("level2",))
    (request,) = requests(opened.receive(diff(101, 101), 0))
    bids, asks = [[str(1000 - n), "1"] for n in range(100)], [["1001", "1"]]
    answer(opened, request, 0, {"sequence": "100", "bids": bids, "asks": asks})
    short = diff(102, 102, [(str(1000 - n), "0") for n in range(70)])
    assert requests(opened.receive(short, SECOND)) == [request]
    answer(opened, request, SECOND, {"sequence": "101", "bids": bids, "asks": asks})
    (book,) = books(opened.receive(diff(103, 103), SECOND))
    assert book.bid_prices[0] == "930"
    assert requests(opened.receive(diff(104, 104), 2 * SECOND)) == [request]


def test_trades_of_an_interruption_are_asked_for_by_rest() -> None:
    opened = welcomed(channels=("match",))
    opened.receive(b'{"id":"1","type":"ack"}', 1)
    opened.receive(match("7", 1790000001), 2 * SECOND)
    opened.closed("cut", 3 * SECOND)
    opened.connected("c2", 4 * SECOND)
    opened.receive(WELCOME, 4 * SECOND)
    opened.receive(b'{"id":"2","type":"ack"}', 5 * SECOND)
    opened.receive(match("10", 1790000004), 5 * SECOND)
    (request,) = requests(opened.tick(6 * SECOND), "trades")
    rows = [
        {"sequence": number, "price": "10", "size": "1", "side": "sell", "time": (1790000000 + second) * SECOND}
        for number, second in (("10", 4), ("9", 3), ("8", 2), ("7", 1))
    ]
    out = answer(opened, request, 9 * SECOND, rows)
    assert [(o.id, o.provenance) for o in out if isinstance(o, Trade)] == [("8", "rest"), ("9", "rest")]
    assert [o.cause for o in out if isinstance(o, FeedStatus)] == ["cut_filled", "subscribing_filled"]


def match(trade_id: str, second: int) -> bytes:
    data = {"symbol": "BTC-USDT", "side": "buy", "size": "1", "price": "10", "tradeId": trade_id}
    data["time"] = str(second * SECOND)
    return msgspec.json.encode({"topic": "/market/match:BTC-USDT", "type": "message", "data": data})


@pytest.mark.parametrize("body", [b"[]", b'{"code":"429000","msg":"too many"}', b'{"code":"200000","data":{}}'])
def test_an_answer_that_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        KUCOIN.parse_instruments(body)
