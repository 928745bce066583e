"""The live side of Binance: what is sent, asked for and given up, and when."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.events import Book, DeadLetter, FeedStatus, Trade
from mdplatform.core.session import Fetch, Output, Progress, Reconnect, Request, Send, Session
from mdplatform.core.symbols import Instruments
from mdplatform.venues import venue

BINANCE = venue("binance")
SNAPSHOT = {"lastUpdateId": 105, "bids": [["10.0", "1"]], "asks": [["11.0", "1"]]}


def session(*symbols: str, channels: tuple[str, ...] = ()) -> Session:
    (line,) = BINANCE.plan_connections(BINANCE.known_instruments().select(symbols or ("BTC-USDT",)), channels)
    return line.session


def connected(*symbols: str) -> Session:
    opened = session(*symbols)
    opened.connected("c1", 0)
    return opened


def diff(first: int, last: int, at_ns: int, symbol: str = "BTCUSDT") -> tuple[bytes, int]:
    data = {"e": "depthUpdate", "E": 1790000000000, "s": symbol, "U": first, "u": last, "b": [], "a": [["12.0", "1"]]}
    return msgspec.json.encode({"stream": f"{symbol.lower()}@depth@100ms", "data": data}), at_ns


def answer(opened: Session, request: Request, at_ns: int, status: int = 200, body: Any = SNAPSHOT) -> list[Output]:
    return opened.answer(request, status, msgspec.json.encode(body), at_ns)


def requests(outputs: list[Output]) -> list[Request]:
    return [output.request for output in outputs if isinstance(output, Fetch)]


def books(outputs: list[Output]) -> list[int]:
    return [output.sequence for output in outputs if isinstance(output, Book)]


def test_connecting_subscribes_to_every_stream_and_opens_every_feed() -> None:
    outputs = session("BTC-USDT", "ETH-USDT").connected("c1", 0)
    (send,) = [output for output in outputs if isinstance(output, Send)]
    assert msgspec.json.decode(send.frame) == {
        "method": "SUBSCRIBE",
        "params": ["btcusdt@depth@100ms", "btcusdt@trade", "ethusdt@depth@100ms", "ethusdt@trade"],
        "id": 1,
    }
    opened = [(o.symbol, o.channel, o.state) for o in outputs if isinstance(o, FeedStatus)]
    assert len(opened) == 4
    assert {state for _, _, state in opened} == {"resync"}


def test_many_symbols_take_several_connections_and_few_messages_each() -> None:
    lines = BINANCE.plan_connections(BINANCE.known_instruments(), ())
    for line in lines:
        sends = [output for output in line.session.connected("c", 0) if isinstance(output, Send)]
        streams = [stream for send in sends for stream in msgspec.json.decode(send.frame)["params"]]
        assert len(streams) <= 1024
        assert len(sends) <= 5
    assert len(lines) > 1


def test_a_snapshot_is_asked_for_at_the_first_diff_and_only_once() -> None:
    opened = connected()
    (request,) = requests(opened.receive(*diff(100, 103, 1)))
    assert request.path == "/api/v3/depth?symbol=BTCUSDT&limit=1000"
    assert request.weight == 50
    assert requests(opened.receive(*diff(104, 107, 2)) + opened.tick(SECOND)) == []
    assert books(answer(opened, request, 3)) == [107]
    assert books(opened.receive(*diff(108, 109, 4))) == [109]


def test_a_snapshot_older_than_the_buffer_is_asked_for_again_after_a_while() -> None:
    opened = connected()
    (request,) = requests(opened.receive(*diff(110, 113, 1)))
    assert answer(opened, request, 2) == []
    assert requests(opened.tick(SECOND // 4)) == []
    assert requests(opened.tick(SECOND)) == [request]
    assert books(answer(opened, request, SECOND, body={**SNAPSHOT, "lastUpdateId": 111})) == [113]


def test_a_snapshot_newer_than_the_buffer_waits_for_its_diff() -> None:
    opened = connected()
    (request,) = requests(opened.receive(*diff(90, 95, 1)))
    assert books(answer(opened, request, 2)) == []
    assert books(opened.receive(*diff(96, 105, 3))) == []
    assert books(opened.receive(*diff(106, 106, 4))) == [106]


@pytest.mark.parametrize("status", [0, 418, 429, 500])
def test_a_failed_request_is_tried_again_ever_more_slowly(status: int) -> None:
    opened = connected()
    (request,) = requests(opened.receive(*diff(100, 107, 0)))
    now_ns, waits = 0, []
    for _ in range(4):
        assert answer(opened, request, now_ns, status, "busy") == []
        failed_ns = now_ns
        while not requests(opened.tick(now_ns)):
            now_ns += SECOND // 10
            opened.receive(b'{"result":null,"id":99}', now_ns)
        waits.append((now_ns - failed_ns) / SECOND)
    assert waits == [0.5, 1.0, 2.0, 4.0]


def test_a_snapshot_that_is_none_is_kept_as_a_dead_letter_and_tried_again() -> None:
    opened = connected()
    (request,) = requests(opened.receive(*diff(100, 107, 0)))
    (letter,) = answer(opened, request, 1, body={"bids": []})
    assert isinstance(letter, DeadLetter)
    assert requests(opened.tick(SECOND)) == [request]


def test_a_gap_concerns_one_symbol_only() -> None:
    opened = connected("BTC-USDT", "ETH-USDT")
    for symbol in ("BTCUSDT", "ETHUSDT"):
        (request,) = requests(opened.receive(*diff(100, 107, 1, symbol)))
        assert books(answer(opened, request, 2)) == [107]
    outputs = opened.receive(*diff(110, 111, 3))
    assert [(o.symbol, o.state) for o in outputs if isinstance(o, FeedStatus)] == [
        ("BTC-USDT", "valid"),
        ("BTC-USDT", "gap"),
    ]
    assert [request.symbol for request in requests(outputs)] == ["BTC-USDT"]
    assert not [output for output in outputs if isinstance(output, Reconnect)]
    assert books(opened.receive(*diff(108, 109, 4, "ETHUSDT"))) == [109]


def test_the_venues_farewell_asks_for_an_overlapping_connection() -> None:
    frame = b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1790000000000}}'
    assert connected().receive(frame, 1) == [Reconnect("server_shutdown", overlap=True)]


def test_a_subscription_that_is_not_acknowledged_reconnects() -> None:
    opened = connected()
    assert Reconnect("subscribe_timeout") in opened.tick(11 * SECOND)


def test_an_acknowledgement_makes_trades_valid() -> None:
    opened = connected()
    statuses = [o for o in opened.receive(b'{"result":null,"id":1}', 5) if isinstance(o, FeedStatus)]
    assert [(s.channel, s.state) for s in statuses] == [("trades", "resync"), ("trades", "valid")]
    assert not [output for output in opened.tick(11 * SECOND) if isinstance(output, Reconnect)]


def test_a_refused_subscription_is_a_dead_letter_naming_its_streams() -> None:
    letter, *_ = connected().receive(b'{"error":{"code":2,"msg":"Invalid request"},"id":1}', 5)
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "venue_error"
    assert "btcusdt@depth@100ms" in letter.error


def test_a_stream_that_is_refused_does_not_cost_the_others() -> None:
    opened = session("BTC-USDT", "ETH-USDT")
    pending, taken, refused = opened.connected("c1", 0), list[str](), list[list[str]]()
    for second in range(1, 5):
        sends, pending = [output for output in pending if isinstance(output, Send)], []
        for send in sends:
            asked = msgspec.json.decode(send.frame)
            is_bad = "btcusdt@trade" in asked["params"]
            (refused.append if is_bad else taken.extend)(asked["params"])
            reply = {"code": 2, "msg": "Invalid request"} if is_bad else {"result": None}
            pending += opened.receive(msgspec.json.encode(reply | {"id": asked["id"]}), second * SECOND)
        pending += opened.tick((second + 1) * SECOND)
    assert sorted(taken) == ["btcusdt@depth@100ms", "ethusdt@depth@100ms", "ethusdt@trade"]
    assert refused[-1] == ["btcusdt@trade"]
    assert opened.progress() == Progress(4, 3, {"btcusdt@trade": "code 2: Invalid request"})


def test_after_a_cut_the_feeds_are_down_and_the_book_starts_again() -> None:
    opened = connected()
    (request,) = requests(opened.receive(*diff(100, 107, 1)))
    answer(opened, request, 2)
    down = [o for o in opened.closed("1006", 3) if isinstance(o, FeedStatus)]
    assert {s.channel for s in down if s.state == "down"} == {"book", "trades"}
    opened.connected("c2", 4)
    assert requests(opened.receive(*diff(200, 207, 5))) == [request]
    (book,) = [o for o in answer(opened, request, 6, body={**SNAPSHOT, "lastUpdateId": 203}) if isinstance(o, Book)]
    assert (book.sequence, book.previous_sequence) == (207, None)


def test_a_book_that_falls_silent_is_stale_and_comes_back() -> None:
    opened = connected()
    (request,) = requests(opened.receive(*diff(100, 107, 1)))
    answer(opened, request, 2)
    for number in range(108, 160):
        opened.receive(*diff(number, number, (number - 107) * SECOND // 10))
    states = [o.state for o in opened.tick(12 * SECOND) if isinstance(o, FeedStatus) and o.channel == "book"]
    assert states == ["valid", "stale"]
    outputs = opened.receive(*diff(160, 160, 13 * SECOND))
    assert [o.state for o in outputs if isinstance(o, FeedStatus)] == ["stale", "valid"]
    assert books(outputs) == [160]


def test_a_socket_of_trades_only_may_be_silent() -> None:
    opened = session(channels=("trades", "bbo"))
    opened.connected("c1", 0)
    opened.receive(b'{"result":null,"id":1}', SECOND)
    assert not [output for output in opened.tick(3600 * SECOND) if isinstance(output, Reconnect)]


def test_kinds_and_names_choose_channels_and_others_are_refused() -> None:
    outputs = session(channels=("trades", "depth20@100ms")).connected("c", 0)
    (send,) = [output for output in outputs if isinstance(output, Send)]
    assert msgspec.json.decode(send.frame)["params"] == ["btcusdt@trade", "btcusdt@depth20@100ms"]
    with pytest.raises(ConfigError, match="unknown channel 'candles'"):
        session(channels=("candles",))
    with pytest.raises(ConfigError, match="choose one"):
        session(channels=("depth20@100ms", "depth@100ms"))


def trade(number: int) -> bytes:
    data = {"e": "trade", "s": "BTCUSDT", "t": number, "p": "10.5", "q": "1", "T": 1790000000000, "m": True}
    return msgspec.json.encode({"stream": "btcusdt@trade", "data": data})


def test_lost_trades_are_asked_for_by_rest() -> None:
    opened = connected()
    for number in (1, 2, 5):
        opened.receive(trade(number), SECOND)
    (request,) = requests(opened.tick(2 * SECOND) + opened.tick(4 * SECOND))
    assert (request.path, request.weight) == ("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=3&limit=2", 25)
    row = {"price": "10.5", "qty": "1", "quoteQty": "10.5", "time": 1790000000000, "isBestMatch": True}
    rows = [{**row, "id": 3, "isBuyerMaker": False}, {**row, "id": 4, "isBuyerMaker": True}]
    trades = [o for o in answer(opened, request, 5 * SECOND, body=rows) if isinstance(o, Trade)]
    assert [(t.id, t.side, t.provenance) for t in trades] == [("3", "buy", "rest"), ("4", "sell", "rest")]
    assert requests(opened.tick(60 * SECOND)) == []


def test_an_instrument_list_gives_canonical_symbols() -> None:
    filters = [{"filterType": "PRICE_FILTER", "tickSize": "0.01"}, {"filterType": "LOT_SIZE", "stepSize": "0.1"}]
    row = {"symbol": "币安USDT", "status": "TRADING", "baseAsset": "币安", "quoteAsset": "USDT", "filters": filters}
    (instrument,) = BINANCE.parse_instruments(msgspec.json.encode({"symbols": [row]})).instruments
    assert (instrument.symbol, instrument.tick, instrument.step) == ("币安-USDT", "0.01", "0.1")
    with pytest.raises(FrameError, match="not an exchangeInfo answer"):
        BINANCE.parse_instruments(b'{"code":-1003}')
    (line,) = BINANCE.plan_connections(Instruments("binance", [instrument]), ())
    assert "币安usdt@trade".encode() in b"".join(o.frame for o in line.session.connected("c", 0) if isinstance(o, Send))


def test_a_pause_of_a_quiet_book_does_not_break_its_chain_by_asking_again() -> None:
    opened = session("BTC-USDT", channels=("depth@100ms",))
    opened.connected("c1", 0)
    opened.receive(b'{"result":null,"id":1}', 1)
    (request,) = requests(opened.receive(*diff(100, 107, 1)))
    answer(opened, request, 2)
    for number in range(108, 160):
        opened.receive(*diff(number, number, (number - 107) * SECOND // 10))
    asked: dict[str, int] = {}
    for second in range(6, 160):
        opened.receive(b'{"stream":"btcusdt@kline_1m","data":{}}', second * SECOND)
        for output in opened.tick(second * SECOND):
            if isinstance(output, Send):
                asked.setdefault(msgspec.json.decode(output.frame)["method"], second)
            if isinstance(output, FeedStatus):
                assert (output.state == "down") <= bool(asked)
    assert asked.keys() == {"UNSUBSCRIBE", "SUBSCRIBE"}
    assert min(asked.values()) > 60


def test_a_book_that_waits_for_its_snapshot_is_not_silent() -> None:
    opened = session("BTC-USDT", channels=("depth@100ms",))
    opened.connected("c1", 0)
    opened.receive(b'{"result":null,"id":1}', 1)
    for second in range(1, 120):
        opened.receive(*diff(100 + second, 100 + second, second * SECOND))
        outputs = opened.tick(second * SECOND)
        assert not [output for output in outputs if isinstance(output, Send)]
        assert not [output for output in outputs if isinstance(output, FeedStatus) and output.state == "down"]


def test_diffs_that_the_snapshot_holds_already_and_repeated_ones_are_counted() -> None:
    opened = session("BTC-USDT", channels=("depth@100ms",))
    opened.connected("c1", 0)
    (request,) = requests(opened.receive(*diff(90, 95, 1)))
    for first, last in ((96, 99), (100, 107)):
        opened.receive(*diff(first, last, 2))
    answer(opened, request, 3)
    opened.receive(*diff(100, 107, 4))
    assert opened.ignored == {"stale_diff": 2, "repeated_diff": 1}


def test_a_name_that_is_acknowledged_and_never_sends_is_marked_and_costs_no_other() -> None:
    opened, start = session("BTC-USDT", "ETH-USDT", channels=("depth@100ms",)), 1000
    opened.connected("c1", start * SECOND)
    opened.receive(b'{"result":null,"id":1}', start * SECOND)
    (request,) = requests(opened.receive(*diff(100, 107, start * SECOND)))
    answer(opened, request, start * SECOND)
    said, asked = list[FeedStatus](), list[str]()
    for second in range(1, 60):
        opened.receive(*diff(107 + second, 107 + second, (start + second) * SECOND))
        outputs = opened.tick((start + second) * SECOND)
        said += [o for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]
        asked += [stream for o in outputs if isinstance(o, Send) for stream in msgspec.json.decode(o.frame)["params"]]
    assert [(o.symbol, o.state, o.cause) for o in said] == [("ETH-USDT", "down", "silent_channel")]
    assert set(asked) == {"ethusdt@depth@100ms"}
