"""The live side of OKX: what is sent, asked for and given up, and when."""

from zlib import crc32

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.events import Book, DeadLetter, Funding, Liquidation, Trade
from mdplatform.core.session import Fetch, Output, Reconnect, Send
from mdplatform.core.symbols import Instrument, Instruments, Kind
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venues.okx.book import summed
from mdplatform_tests.venues.okx_rig import (
    OKX,
    book,
    confirm,
    confirm_all,
    connected,
    names,
    refuse,
    requests,
    sequences,
    session,
    states,
    subscribed,
    tell,
)


def test_the_addresses_are_those_without_the_port_that_was_retired() -> None:
    assert {
        line.ws_url + line.url_path for line in OKX.plan_connections(OKX.known_instruments().select(("BTC-USDT",)), ())
    } <= {
        "wss://ws.okx.com/ws/v5/public",
        "wss://ws.okx.com/ws/v5/business",
    }
    assert OKX.rest_url == "https://openapi.okx.com"


@pytest.mark.parametrize("checksum", [{}, {"checksum": 0}, {"checksum": 12345}])
def test_a_numbered_book_is_sound_whatever_its_checksum(checksum: dict[str, int]) -> None:
    opened = connected()
    frames = [book(-1, 100), book(100, 101)]
    for frame in frames:
        del frame["data"][0]["checksum"]
        frame["data"][0] |= checksum
    assert [number for frame in frames for number in sequences(tell(opened, frame, 1))] == [100, 101]


def test_a_checksum_of_zero_proves_no_book_without_numbers() -> None:
    opened = connected()
    frame = book(-1, 100)
    del frame["data"][0]["seqId"]
    (letter,) = tell(opened, frame, 1)
    assert isinstance(letter, DeadLetter)


@pytest.mark.parametrize(
    ("bids", "asks", "text"),
    [
        (2, 2, "99:1:101:1:98:2:102:2"),
        (3, 1, "99:1:101:1:98:2:97:3"),
        (0, 2, "101:1:102:2"),
        (0, 0, ""),
        (30, 30, ":".join(f"{100 - n}:{n}:{100 + n}:{n}" for n in range(1, 26))),
        (30, 25, ":".join(f"{100 - n}:{n}:{100 + n}:{n}" for n in range(1, 26))),
    ],
)
def test_a_checksum_is_of_the_best_levels_bid_and_ask_in_turn(bids: int, asks: int, text: str) -> None:
    levels = OrderBook()
    sides = ([(str(100 + sign * n), str(n)) for n in range(1, count + 1)] for sign, count in ((-1, bids), (1, asks)))
    levels.replace(*sides)
    assert summed(levels) % 2**32 == crc32(text.encode())
    assert -(2**31) <= summed(levels) < 2**31


def test_connecting_asks_for_the_channels_that_each_instrument_has_in_one_request_a_socket() -> None:
    lines = OKX.plan_connections(OKX.known_instruments().select(("BTC-USDT", "BTC-USDT-PERP", "ETH-USDT-PERP")), ())
    (public,), (business,) = (requests(line.session.connected("c1", 0)) for line in lines)
    assert {public["op"], business["op"]} == {"subscribe"}
    assert names(business) == ["trades-all:BTC-USDT", "trades-all:BTC-USDT-SWAP", "trades-all:ETH-USDT-SWAP"]
    assert names(public) == [
        *("books:BTC-USDT", "books:BTC-USDT-SWAP", "books:ETH-USDT-SWAP"),
        "liquidation-orders:SWAP",
        *("funding-rate:BTC-USDT-SWAP", "funding-rate:ETH-USDT-SWAP"),
        *("mark-price:BTC-USDT-SWAP", "mark-price:ETH-USDT-SWAP"),
        *("index-tickers:BTC-USDT", "index-tickers:ETH-USDT"),
        *("open-interest:BTC-USDT-SWAP", "open-interest:ETH-USDT-SWAP"),
    ]


def test_many_books_take_several_connections() -> None:
    lines = OKX.plan_connections(OKX.known_instruments(), ())
    for line in lines:
        (request,) = requests(line.session.connected("c", 0))
        assert len([name for name in names(request) if name.startswith("books:")]) <= 30
    assert len(lines) > 10


def test_trades_come_one_a_match_from_the_business_socket_by_default() -> None:
    lines = OKX.plan_connections(OKX.known_instruments().select(("BTC-USDT",)), ())
    assert [line.url_path for line in lines] == ["/ws/v5/public", "/ws/v5/business"]
    assert names(requests(lines[1].session.connected("c", 0))[0]) == ["trades-all:BTC-USDT"]


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (("trades", "trades-all"), "the same trades; choose one"),
        (("books", "books5"), "the same book; choose one"),
        (("liquidations",), "okx has no liquidation-orders of BTC-USDT"),
        (("candles",), "unknown channel 'candles'"),
    ],
)
def test_channels_that_cannot_be_had_are_refused(channels: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        OKX.plan_connections(OKX.known_instruments().select(("BTC-USDT",)), channels)


def test_a_gap_resubscribes_that_one_book_and_costs_the_others_nothing() -> None:
    opened = subscribed("BTC-USDT", "ETH-USDT")
    for name in ("BTC-USDT", "ETH-USDT"):
        assert sequences(tell(opened, book(-1, 100, name), 1)) == [100]
    outputs = tell(opened, book(101, 102), 2)
    assert states(outputs) == [("BTC-USDT", "book", "gap")]
    assert [(r["op"], names(r)) for r in requests(outputs)] == [
        ("unsubscribe", ["books:BTC-USDT"]),
        ("subscribe", ["books:BTC-USDT"]),
    ]
    assert sequences(tell(opened, book(100, 105, "ETH-USDT"), 3)) == [105]


def test_updates_of_the_old_subscription_are_passed_over_until_the_snapshot() -> None:
    opened = subscribed()
    tell(opened, book(-1, 100), 1)
    _, subscribe = (o for o in tell(opened, book(101, 102), 2) if isinstance(o, Send))
    assert tell(opened, book(102, 103), 3) == []
    confirm(opened, subscribe, 4)
    assert sequences(tell(opened, book(-1, 200), 5)) == [200]
    assert sequences(tell(opened, book(200, 201), 6)) == [201]


def test_a_snapshot_that_does_not_come_is_asked_for_again_ever_more_slowly() -> None:
    opened = subscribed()
    tell(opened, book(-1, 100), 0)
    confirm_all(opened, tell(opened, book(101, 102), 0), 0)
    asked = []
    for now_s in range(1, 100):
        opened.receive(b"pong", now_s * SECOND)
        for output in opened.tick(now_s * SECOND):
            if isinstance(output, Send) and b'"op":"subscribe"' in output.frame:
                asked.append(now_s)
                confirm(opened, output, now_s * SECOND)
    assert asked == [10, 30, 70]


def test_without_a_snapshot_the_book_starts_from_rest() -> None:
    opened = connected()
    (fetch,) = (o for o in tell(opened, book(100, 103), 1) if isinstance(o, Fetch))
    assert fetch.request.path == "/api/v5/market/books?instId=BTC-USDT&sz=400&source=0"
    levels = {"asks": [["11", "2", "0", "1"]], "bids": [["10", "2", "0", "1"]], "ts": "1795255200000"}
    old = msgspec.json.encode({"code": "0", "msg": "", "data": [{**levels, "seqId": 99}]})
    assert sequences(opened.answer(fetch.request, 200, old, 2)) == []
    assert fetch in opened.tick(SECOND)
    fresh = msgspec.json.encode({"code": "0", "msg": "", "data": [{**levels, "seqId": 102}]})
    assert sequences(opened.answer(fetch.request, 200, fresh, SECOND)) == [103]
    assert sequences(tell(opened, book(103, 104), SECOND)) == [104]
    assert states(tell(opened, book(105, 106), SECOND)) == [("BTC-USDT", "book", "gap")]


@pytest.mark.parametrize("body", [b'{"code":"50011","msg":"Too Many Requests","data":[]}', b"busy", b'{"data":[]}'])
def test_a_rest_book_that_is_none_is_kept_and_asked_for_again(body: bytes) -> None:
    opened = connected()
    (fetch,) = (o for o in tell(opened, book(100, 103), 1) if isinstance(o, Fetch))
    (letter,) = opened.answer(fetch.request, 200, body, 2)
    assert isinstance(letter, DeadLetter)
    assert fetch in opened.tick(SECOND)


def test_a_ping_is_sent_before_the_venue_cuts_a_quiet_connection() -> None:
    opened = connected()
    sent = [now_s for now_s in range(1, 31) if Send(b"ping") in opened.tick(now_s * SECOND)]
    assert sent == [20]


def test_a_ping_without_pong_is_a_dead_connection() -> None:
    opened, alive = connected(), connected()
    opened.receive(b"pong", SECOND)
    for request in ("books", "trades"):
        for each in (opened, alive):
            arg = {"channel": request, "instId": "BTC-USDT"}
            tell(each, {"id": "1", "event": "subscribe", "arg": arg}, SECOND)
    alive.receive(b"pong", 30 * SECOND)
    assert Reconnect("silent") in opened.tick(37 * SECOND)
    assert not [output for output in alive.tick(37 * SECOND) if isinstance(output, Reconnect)]


def test_a_connection_on_which_nothing_is_acknowledged_is_given_up() -> None:
    assert Reconnect("subscribe_timeout") in connected().tick(11 * SECOND)


def test_what_alone_is_not_acknowledged_is_asked_for_again() -> None:
    opened = connected()
    tell(opened, {"id": "1", "event": "subscribe", "arg": {"channel": "books", "instId": "BTC-USDT"}}, 1)
    assert ["trades:BTC-USDT"] in [names(request) for request in requests(opened.tick(11 * SECOND))]


def test_a_refusal_for_asking_too_often_is_no_verdict_on_what_was_asked() -> None:
    opened = connected()
    frame = {"id": "1", "event": "error", "code": "60014", "msg": "Requests too frequent."}
    assert states(tell(opened, frame, 1)) == []


def test_an_acknowledgement_makes_trades_valid_and_a_book_takes_more() -> None:
    opened = session()
    (sent,) = (o for o in opened.connected("c", 0) if isinstance(o, Send))
    assert states(confirm(opened, sent, 5)) == [("BTC-USDT", "trades", "valid")]
    assert not [output for output in opened.tick(11 * SECOND) if isinstance(output, Reconnect)]


def test_a_refused_instrument_is_down_and_the_others_are_asked_for_again() -> None:
    opened = connected("BTC-USDT", "ETH-USDT", channels=("books",))
    outputs = refuse(opened, "1", "Wrong URL or channel:books,instId:ETH-USDT doesn't exist.", 1)
    assert states(outputs) == [("ETH-USDT", "book", "down")]
    (letter,) = (o for o in outputs if isinstance(o, DeadLetter))
    assert letter.reason == "venue_error"
    assert letter.error.endswith("asked for: books of ETH-USDT")
    assert [names(request) for request in requests(opened.tick(4 * SECOND))] == [["books:BTC-USDT"]]


def test_a_refusal_without_an_id_is_known_by_what_it_names() -> None:
    opened = connected("BTC-USDT", "ETH-USDT", channels=("books",))
    refusal = {"event": "error", "code": "60018", "msg": "channel:books,instId:ETH-USDT doesn't exist"}
    assert states(tell(opened, refusal, 1)) == [("ETH-USDT", "book", "down")]
    assert not [output for output in opened.tick(11 * SECOND) if isinstance(output, Reconnect)]


def test_after_a_refusal_nothing_is_asked_again_of_what_was_taken() -> None:
    opened = connected("BTC-USDT", "ETH-USDT", channels=("books",))
    refuse(opened, "1", "channel:books,instId:ETH-USDT doesn't exist", 1)
    tell(opened, {"id": "1", "event": "subscribe", "arg": {"channel": "books", "instId": "BTC-USDT"}}, 2)
    outputs = opened.tick(4 * SECOND) + opened.tick(9 * SECOND)
    assert requests(outputs) == []
    assert not [output for output in outputs if isinstance(output, Reconnect)]


def test_a_refusal_that_names_nothing_is_narrowed_down_by_halves() -> None:
    opened = connected("BTC-USDT", "ETH-USDT", "SOL-USDT", channels=("books",))
    refuse(opened, "1", "Invalid request", 1)
    first, second = requests(opened.tick(4 * SECOND))
    assert (names(first), names(second)) == (["books:BTC-USDT"], ["books:ETH-USDT", "books:SOL-USDT"])
    assert states(refuse(opened, first["id"], "Invalid request", 5 * SECOND)) == [("BTC-USDT", "book", "down")]


def test_an_hours_requests_spent_ask_for_a_fresh_connection() -> None:
    symbols = [f"{base}-{quote}" for base in ("ETH", "SOL", "XRP") for quote in ("USDT", "USDC", "USD", "EUR")]
    opened = subscribed(*symbols)
    outputs: list[Output] = []
    for number in range(3600):
        asked = [output for output in opened.tick(number * SECOND) if output != Send(b"ping")]
        symbol = symbols[number % 61 % len(symbols)]
        if number % 61 < len(symbols):  # each breaks when it has held for a minute
            asked += tell(opened, book(101, 102, symbol), number * SECOND)
        confirm_all(opened, asked, number * SECOND)
        tell(opened, book(-1, 100, symbol), number * SECOND)
        outputs += asked
    assert len(requests(outputs)) < 480
    assert Reconnect("requests_spent", overlap=True) in outputs


def test_the_venues_notice_asks_for_an_overlapping_connection() -> None:
    frame = {"event": "notice", "code": "64008", "msg": "closing soon", "connId": "a1"}
    assert tell(connected(), frame, 1) == [Reconnect("venue_notice", overlap=True)]


def test_liquidations_of_others_are_passed_over() -> None:
    opened = connected("BTC-USDT-PERP", channels=("liquidations",))
    details = [{"side": "sell", "sz": "100", "bkPx": "90000", "ts": "1795255200000", "posSide": "long"}]
    rows = [{"instId": name, "details": details} for name in ("XRP-USDT-SWAP", "BTC-USDT-SWAP")]
    outputs = tell(opened, {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": rows}, 1)
    (order,) = (o for o in outputs if isinstance(o, Liquidation))
    assert (order.symbol, order.size, order.raw_size) == ("BTC-USDT-PERP", "1", "100")
    assert opened.ignored["other_instrument"] == 1


def test_what_a_new_connection_repeats_is_dropped() -> None:
    opened = connected()
    row = {"instId": "BTC-USDT", "tradeId": "7", "px": "10", "sz": "1", "side": "buy", "ts": "1795255200000"}
    frame = {"arg": {"channel": "trades", "instId": "BTC-USDT"}, "data": [row]}
    assert [o.id for o in tell(opened, frame, 1) if isinstance(o, Trade)] == ["7"]
    opened.closed("1006", 2)
    opened.connected("c2", 3)
    assert tell(opened, frame, 4) == []


def test_after_a_cut_the_book_starts_again() -> None:
    opened = connected()
    tell(opened, book(-1, 100), 1)
    assert {state for _, _, state in states(opened.closed("1006", 2))} == {"down"}
    opened.connected("c2", 3)
    (event,) = (o for o in tell(opened, book(-1, 50), 4) if isinstance(o, Book))
    assert (event.sequence, event.previous_sequence) == (50, None)


def test_the_instrument_lists_are_asked_for_by_kind() -> None:
    paths = [request.path for request in OKX.instruments_requests()]
    options = ("OPTION&instFamily=BTC-USD", "OPTION&instFamily=ETH-USD")  # a family at a time
    assert paths == [f"/api/v5/public/instruments?instType={kind}" for kind in ("SPOT", "SWAP", "FUTURES", *options)]


@pytest.mark.parametrize("body", [b"[]", b'{"code":"50011","msg":"Too Many Requests","data":[]}', b'{"code":"0"}'])
def test_an_answer_that_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        OKX.parse_instruments(body)


def test_a_session_without_instruments_of_a_channel_is_not_opened() -> None:
    only_spot = Instruments("okx", OKX.known_instruments().select(("BTC-USDT",)))
    (line,) = OKX.plan_connections(only_spot, ("books", "liquidation-orders"))
    assert names(requests(line.session.connected("c", 0))[0]) == ["books:BTC-USDT"]


def test_prices_of_an_earlier_connection_are_not_stated_again() -> None:
    opened = connected("BTC-USDT-PERP", channels=("funding-rate", "mark-price"))
    row = {"instId": "BTC-USDT-SWAP", "fundingRate": "0.0001", "fundingTime": "1795276800000", "ts": "1795255200000"}
    tell(opened, {"arg": {"channel": "funding-rate", "instId": "BTC-USDT-SWAP"}, "data": [row]}, 1)
    row = {"instId": "BTC-USDT-SWAP", "markPx": "91000", "ts": "1795255200000"}
    mark = {"arg": {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}, "data": [row]}
    assert [(o.rate, o.mark_price) for o in tell(opened, mark, 2) if isinstance(o, Funding)] == [("0.0001", "91000")]
    opened.closed("1006", 3)
    opened.connected("c2", 4)
    assert [(o.rate, o.mark_price) for o in tell(opened, mark, 5) if isinstance(o, Funding)] == [(None, "91000")]


def test_messages_without_effect_are_counted_by_kind() -> None:
    opened = subscribed(channels=("books", "bbo-tbt"))
    for frame in (book(-1, 100), book(100, 101), book(100, 101), book(-1, 100), book(150, 160), book(160, 161)):
        tell(opened, frame, 1)
    best = {"asks": [["11", "1", "0", "1"]], "bids": [], "ts": "1795255200000", "seqId": 7}
    for _ in range(2):
        tell(opened, {"arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "data": [best]}, 2)
    counted = {kind: count for kind, count in opened.ignored.items() if kind != "acknowledgement"}
    assert counted == {"repeated_update": 1, "update_without_snapshot": 1, "older_quote": 1}


@pytest.mark.parametrize(("last_day", "asks"), [("20261225", True), ("20261224", False)])
def test_a_contract_that_falls_silent_on_its_last_day_is_not_asked_for_again(last_day: str, asks: bool) -> None:
    name, begin_ns = f"BTC-USD-{last_day[2:]}", 1_798_102_800 * SECOND  # 2026-12-24 09:00 UTC
    future = Instrument(
        exchange="okx", venue_symbol=name, base="BTC", quote="USD", kind=Kind.FUTURE, inverse=True, expiry=last_day
    )
    (line,) = OKX.plan_connections(Instruments("okx", [future]), ("books",))
    opened = line.session
    confirm_all(opened, opened.connected("c1", begin_ns), begin_ns)
    tell(opened, book(-1, 100, name), begin_ns)
    outputs: list[Output] = []
    for second in range(1, 120):
        opened.receive(b"pong", begin_ns + second * SECOND)
        outputs += opened.tick(begin_ns + second * SECOND)
    assert ("BTC-USD-" + last_day, "book", "stale") in states(outputs)
    assert bool(requests(outputs)) is asks
