"""The live side of Kraken: what is sent, given up and asked for again, and how checksums are made."""

from typing import Any

import msgspec
import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError, FrameError
from mdplatform.core.events import Book, DeadLetter, FeedStatus, Quote
from mdplatform.core.session import ConnectionPlan, Output, Reconnect, Send, Session
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.venues import venue
from mdplatform.venues.kraken.spot.market import Pair

KRAKEN = venue("kraken")
BTC = Instrument(exchange="kraken", venue_symbol="BTC/USD", base="BTC", quote="USD", tick="0.1", step="0.00000001")
TIMES = '"time_in":"2026-09-21T14:13:20Z","time_out":"2026-09-21T14:13:20Z"'

# The venue's own example; its CRC32 was computed by hand from the text that its guide describes.
ASKS = """28013.0/0.00096506 28039.8/0.001 28066.5/0.001 28093.3/0.001 28120.0/0.001 28146.7/0.001 28173.5/0.001
28200.2/0.001 28227.0/0.001 28253.7/0.001"""
BIDS = """28003.0/0.001 27999.9/0.00096375 27969.9/0.73860423 27700.1/0.0035 27573.2/0.0032 27137.4/0.01 27091.3/0.004
26729.4/0.001 26702.6/0.001 26675.9/0.001"""
CHECKSUM = 3341325816


def lines(*symbols: str, channels: tuple[str, ...] = (), depth: int = 20) -> list[ConnectionPlan]:
    return KRAKEN.plan_connections(KRAKEN.known_instruments().select(symbols), channels, depth)


def session(*symbols: str, channels: tuple[str, ...] = ()) -> Session:
    (line,) = lines(*symbols, channels=channels)
    return line.session


def sent(outputs: list[Output]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(output.frame) for output in outputs if isinstance(output, Send)]


def levels(text: str) -> list[tuple[str, str]]:
    return [(price, size) for price, _, size in (row.partition("/") for row in text.split())]


def spot_book(kind: str, checksum: int, bids: str = "", asks: str = "", symbol: str = "BTC/USD") -> bytes:
    def rows(side: str) -> str:
        return ",".join(f'{{"price":{price},"qty":{size}}}' for price, size in levels(side))

    data = f'{{"symbol":"{symbol}","bids":[{rows(bids)}],"asks":[{rows(asks)}],"checksum":{checksum}}}'
    return f'{{"channel":"book","type":"{kind}","data":[{data}]}}'.encode()


def acknowledgement(channel: str, symbol: str, request: int) -> bytes:
    result = f'{{"channel":"{channel}","symbol":"{symbol}"}}'
    return f'{{"method":"subscribe","result":{result},"success":true,{TIMES},"req_id":{request}}}'.encode()


def futures_book(seq: int, bids: str = "", asks: str = "") -> bytes:
    head = f'"feed":"book_snapshot","product_id":"PF_XBTUSD","timestamp":1790000000000,"seq":{seq}'
    return f'{{{head},"bids":[{bids}],"asks":[{asks}]}}'.encode()


def futures_delta(seq: int, price: int, qty: int = 1) -> bytes:
    head = f'"feed":"book","product_id":"PF_XBTUSD","timestamp":1790000000001,"seq":{seq}'
    return f'{{{head},"side":"buy","price":{price},"qty":{qty}}}'.encode()


def subscribed(opened: Session, bad: str = "") -> list[dict[str, Any]]:
    """Every request of futures that leaves, each answered product by product: all are there but ``bad``."""
    asked, outputs = [], opened.connected("c", 0)
    while frames := sent(outputs):
        outputs = []
        for frame in frames:
            asked.append(frame)
            for product in frame.get("product_ids", [""]):
                names = [product] if product else []
                answer = {"event": "subscribed", "feed": frame["feed"], "product_ids": names}
                error = {"event": "error", "message": "Invalid product id"}
                outputs += opened.receive(msgspec.json.encode(error if product == bad != "" else answer), 0)
        outputs = outputs if sent(outputs) else opened.tick(3 * SECOND)
    return asked


def test_the_venues_own_example_of_a_checksum_is_right() -> None:
    book = Pair(BTC, KRAKEN.channels, 20, 10)
    outputs = book.snapshot(levels(BIDS), levels(ASKS), CHECKSUM, SECOND, SECOND)
    assert [output for output in outputs if isinstance(output, Book)]


def test_pairs_and_products_go_to_their_own_sockets() -> None:
    opened = lines("BTC-USD", "BTC-USD-PERP", "ETH-USD-20261225", "BTC-EUR")
    assert [(line.ws_url, line.url_path) for line in opened] == [
        ("wss://ws.kraken.com", "/v2"),
        ("wss://futures.kraken.com", "/ws/v1"),
    ]


def test_a_pair_subscribes_to_the_smallest_depth_that_is_enough() -> None:
    frames = sent(session("BTC-USD", "DOGE-USD").connected("c", 0))
    symbols = ["BTC/USD", "DOGE/USD"]
    book = {"channel": "book", "symbol": symbols, "depth": 25, "snapshot": True}
    trade = {"channel": "trade", "symbol": symbols, "snapshot": True}
    assert frames == [
        {"method": "subscribe", "params": book, "req_id": 1},
        {"method": "subscribe", "params": trade, "req_id": 2},
    ]


def test_best_prices_are_asked_for_at_every_change() -> None:
    (frame,) = sent(session("BTC-USD", channels=("bbo",)).connected("c", 0))
    assert frame["params"] == {"channel": "ticker", "symbol": ["BTC/USD"], "event_trigger": "bbo", "snapshot": True}


def test_a_product_subscribes_to_books_trades_and_its_ticker() -> None:
    first, *frames = subscribed(session("BTC-USD-PERP"))
    assert first == {"event": "subscribe", "feed": "heartbeat"}
    assert [(frame["feed"], frame["product_ids"]) for frame in frames] == [
        (feed, ["PF_XBTUSD"]) for feed in ("book", "trade", "ticker")
    ]


def test_one_request_of_futures_is_under_way_at_a_time_for_an_error_names_none() -> None:
    opened = session("BTC-USD-PERP")
    assert [frame["feed"] for frame in sent(opened.connected("c", 0))] == ["heartbeat"]
    outputs = opened.receive(b'{"event":"subscribed","feed":"heartbeat"}', 1)
    assert [frame["feed"] for frame in sent(outputs)] == ["book"]


def test_quotes_of_futures_are_the_best_levels_of_the_book() -> None:
    opened = session("BTC-USD-PERP", channels=("bbo",))
    assert [frame["feed"] for frame in subscribed(opened)] == ["heartbeat", "book"]
    events = opened.receive(futures_book(7, '{"price":10,"qty":1}', '{"price":11,"qty":2}'), 1)
    assert [event.channel for event in events if isinstance(event, FeedStatus)] == ["bbo", "bbo"]
    events += opened.receive(futures_delta(8, 9), 2)  # behind the best: nothing to say
    events += opened.receive(futures_delta(9, 10, 3), 3)
    quotes = [(o.bid_price, o.bid_size, o.ask_price, o.sequence) for o in events if isinstance(o, Quote)]
    assert quotes == [("10", "1", "11", 7), ("10", "3", "11", 9)]
    assert not [event for event in events if isinstance(event, Book)]


def test_quotes_of_a_book_in_doubt_are_in_doubt() -> None:
    opened = session("BTC-USD-PERP", channels=("bbo",))
    subscribed(opened)
    opened.receive(futures_book(7, '{"price":10,"qty":1}', '{"price":11,"qty":2}'), 1)
    outputs = opened.receive(futures_delta(9, 10, 3), 2)
    assert [(o.channel, o.state) for o in outputs if isinstance(o, FeedStatus)][-1] == ("bbo", "gap")
    assert [frame["event"] for frame in sent(outputs)] == ["unsubscribe"]
    outputs = opened.receive(futures_book(12, '{"price":10,"qty":4}', '{"price":11,"qty":2}'), 3)
    assert [(o.channel, o.state) for o in outputs if isinstance(o, FeedStatus)][-1] == ("bbo", "valid")
    opened.tick(5 * SECOND)
    closing = opened.closed("cut", 6 * SECOND)
    assert {o.channel for o in closing if isinstance(o, FeedStatus)} == {"bbo"}


def test_the_quotes_of_the_ticker_may_be_chosen() -> None:
    assert [frame["feed"] for frame in subscribed(session("BTC-USD-PERP", channels=("ticker.bbo",)))][1:] == ["ticker"]
    (frame,) = sent(session("BTC-USD", channels=("book.bbo",)).connected("c", 0))
    assert frame["params"]["channel"] == "ticker"


def test_spot_has_no_funding() -> None:
    with pytest.raises(ConfigError, match="kraken has no ticker of spot symbols such as BTC-USD"):
        lines("BTC-USD", channels=("funding",))


def test_many_pairs_take_several_connections_and_few_messages_each() -> None:
    for line in KRAKEN.plan_connections(KRAKEN.known_instruments(), ()):
        frames = sent(line.session.connected("c", 0))
        assert len(frames) <= 7


def test_a_wrong_checksum_resubscribes_that_book_only_at_its_depth() -> None:
    opened = session("BTC-USD", "ETH-USD")
    opened.connected("c", 0)
    for symbol in ("BTC/USD", "ETH/USD"):
        opened.receive(acknowledgement("book", symbol, 1), 1)
    opened.receive(spot_book("snapshot", CHECKSUM, BIDS, ASKS), SECOND)
    assert [o for o in opened.receive(spot_book("update", CHECKSUM, "100.0/1"), SECOND) if isinstance(o, Book)]
    outputs = opened.receive(spot_book("update", CHECKSUM, "28003.0/2"), 2 * SECOND)
    assert [(o.symbol, o.state, o.cause) for o in outputs if isinstance(o, FeedStatus)][-1] == (
        "BTC-USD",
        "gap",
        "checksum",
    )
    assert [(frame["method"], frame["params"]["symbol"], frame["params"]["depth"]) for frame in sent(outputs)] == [
        ("unsubscribe", ["BTC/USD"], 25),
        ("subscribe", ["BTC/USD"], 25),
    ]
    assert not [output for output in outputs if isinstance(output, Reconnect)]


def test_a_listed_precision_pads_what_is_sent_short() -> None:
    opened = KRAKEN.plan_connections(Instruments("kraken", [BTC]), ())[0].session
    opened.connected("c", 0)
    short = spot_book("snapshot", CHECKSUM, BIDS.replace(".0/", "/"), ASKS.replace(".0/", "/"))
    assert [output for output in opened.receive(short, SECOND) if isinstance(output, Book)]


def test_a_refused_pair_is_named_and_costs_the_others_nothing() -> None:
    opened = session("BTC-USD", "ETH-USD", channels=("book",))
    opened.connected("c", 0)
    refusal = f'{{"method":"subscribe","error":"Currency pair not supported","success":false,"symbol":"ETH/USD",{TIMES}'
    *outputs, letter = opened.receive(f'{refusal},"req_id":1}}'.encode(), 1)
    assert isinstance(letter, DeadLetter)
    (status,) = [o for o in outputs if isinstance(o, FeedStatus) and o.ended_ns is None]
    assert (status.symbol, status.channel, status.state, status.cause) == ("ETH-USD", "book", "down", "refused")
    assert letter.error == "Currency pair not supported; asked for: subscribe book ETH/USD"
    opened.receive(acknowledgement("book", "BTC/USD", 1), 2)
    opened.receive(b'{"channel":"heartbeat"}', 11 * SECOND)
    assert not [output for output in opened.tick(12 * SECOND) if isinstance(output, Reconnect)]


def test_a_subscription_that_is_not_acknowledged_reconnects() -> None:
    opened = session("BTC-USD")
    opened.connected("c", 0)
    opened.receive(b'{"channel":"heartbeat"}', 10 * SECOND)
    assert Reconnect("subscribe_timeout") in opened.tick(11 * SECOND)


def test_a_socket_without_heartbeats_is_dead() -> None:
    opened = session("BTC-USD", channels=("trade",))
    opened.connected("c", 0)
    opened.receive(acknowledgement("trade", "BTC/USD", 1), SECOND)
    assert Reconnect("silent") in opened.tick(12 * SECOND)


def test_an_acknowledgement_makes_trades_valid() -> None:
    opened = session("BTC-USD")
    opened.connected("c", 0)
    outputs = opened.receive(acknowledgement("trade", "BTC/USD", 2), SECOND)
    assert [(o.channel, o.state) for o in outputs if isinstance(o, FeedStatus)][-1] == ("trades", "valid")


def test_an_unknown_product_costs_the_others_nothing_and_is_refused() -> None:
    opened = session("BTC-USD-PERP", "ETH-USD-PERP", "SOL-USD-PERP", channels=("book",))
    asked = subscribed(opened, bad="PF_ETHUSD")
    assert [frame.get("product_ids") for frame in asked] == [
        None,
        ["PF_XBTUSD", "PF_ETHUSD", "PF_SOLUSD"],
        ["PF_ETHUSD"],
    ]
    progress = opened.progress()
    assert (progress.held, progress.wanted, list(progress.refused)) == (3, 4, ["book PF_ETHUSD"])


def test_an_error_that_answers_nothing_is_kept() -> None:
    opened = session("BTC-USD-PERP", channels=("book",))
    subscribed(opened)
    (letter,) = opened.receive(b'{"event":"alert","message":"Bad request"}', 9 * SECOND)
    assert isinstance(letter, DeadLetter)
    assert letter.error == "Bad request; not acknowledged by then: nothing"


def test_a_missing_number_resubscribes_that_product_only() -> None:
    opened = session("BTC-USD-PERP", "ETH-USD-PERP")
    subscribed(opened)
    opened.receive(futures_book(7), 1)
    outputs = opened.receive(futures_delta(9, 1), 2)
    assert [(o.state, o.missed) for o in outputs if isinstance(o, FeedStatus)][-1] == ("gap", 1)
    outputs += opened.receive(b'{"event":"unsubscribed","feed":"book","product_ids":["PF_XBTUSD"]}', 3)
    assert [(frame["event"], frame["feed"], frame["product_ids"]) for frame in sent(outputs)] == [
        ("unsubscribe", "book", ["PF_XBTUSD"]),
        ("subscribe", "book", ["PF_XBTUSD"]),
    ]


def test_a_linear_contract_keeps_the_symbol_that_an_inverse_one_would_share() -> None:
    (selected,) = KRAKEN.known_instruments().select(["BTC-USD-PERP"])
    assert selected.venue_symbol == "PF_XBTUSD"


def test_both_lists_are_asked_for_where_they_are() -> None:
    assert [(request.base_url, request.path) for request in KRAKEN.instruments_requests()] == [
        (None, "/0/public/AssetPairs"),
        ("https://futures.kraken.com", "/derivatives/api/v3/instruments"),
    ]


@pytest.mark.parametrize("body", [b"[]", b'{"result":"success"}', b'{"error":["EGeneral:Too many requests"]}'])
def test_an_answer_that_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        KRAKEN.parse_instruments(body)
