"""Messages: the fields that are promised, numbers in the venue's own text, always valid JSON."""

import base64
import json

import pytest

from mdplatform.core.codec import decode_raw, encode
from mdplatform.core.errors import UNREADABLE
from mdplatform.core.events import (
    Book,
    DeadLetter,
    FeedStats,
    FeedStatus,
    Funding,
    Liquidation,
    RawFrame,
    Trade,
)
from mdplatform.core.messages import decode_book, decode_trade

NS = 1790000000123456789
BOOK = Book("binance", "BTC-USDT", ["2.50", "2"], ["1.000", "7"], ["2.60"], ["0.10"], NS, 12, None, NS + 5)
TRADE = Trade("coinbase", "BTC-USD", "995", "64000.10", "0.00150000", "sell", NS, NS + 5)


def test_a_book_is_written_in_the_venues_own_text() -> None:
    key, value = encode(BOOK)
    assert key == b"BTC-USDT"
    assert value == (
        b'{"exchange":"binance","symbol":"BTC-USDT","b":[2.50,2],"bv":[1.000,7],"a":[2.60],"av":[0.10]'
        b',"timestamp":1790000000123,"sequence":12,"previous_sequence":null'
        b',"venue_ns":1790000000123456789,"received_ns":1790000000123456794'
        b',"bid_depth_10bps":null,"ask_depth_10bps":null}'
    )


def test_an_emptied_book_is_written_with_empty_sides_and_read_back() -> None:
    value = encode(Book("kraken", "PEPE-USD", [], [], [], [], NS, 13, 12, NS + 5))[1]
    assert b'"b":[],"bv":[],"a":[],"av":[],' in value
    book = decode_book(value)
    assert (book.b, book.bv, book.a, book.av, book.bid_depth_10bps) == ([], [], [], [], None)


def test_a_trade_is_written_in_the_venues_own_text() -> None:
    assert encode(TRADE) == (
        b"BTC-USD",
        b'{"exchange":"coinbase","symbol":"BTC-USD","id":"995","price":64000.10,"qty":0.00150000,"side":"sell"'
        b',"ts":1790000000123,"venue_ns":1790000000123456789,"received_ns":1790000000123456794,"provenance":"live"}',
    )


def test_consumers_read_back_what_was_written() -> None:
    book = decode_book(encode(BOOK)[1])
    assert (book.b, book.av, book.sequence, book.previous_sequence) == ([2.5, 2.0], [0.1], 12, None)
    trade = decode_trade(encode(TRADE)[1])
    assert (trade.id, trade.price, trade.qty, trade.side, trade.ts) == ("995", 64000.1, 0.0015, "sell", NS // 10**6)


def test_a_liquidation_has_the_fields_of_a_trade_without_provenance() -> None:
    message = json.loads(encode(Liquidation("x", "A-B-PERP", "1", "2", "3", "sell", NS, NS))[1])
    assert list(message) == ["exchange", "symbol", "id", "price", "qty", "side", "ts", "venue_ns", "received_ns"]


@pytest.mark.parametrize("text", ["0.0001", "-0.00037501", None])
def test_funding_keeps_text_and_writes_null_for_what_is_missing(text: str | None) -> None:
    message = json.loads(encode(Funding("x", "A-B-PERP", text, "5.0", None, None, NS, NS))[1], parse_float=str)
    assert message["rate"] == text
    assert (message["mark_price"], message["index_price"], message["next_funding_ts"]) == ("5.0", None, None)


def test_a_status_has_the_promised_fields() -> None:
    message = json.loads(encode(FeedStatus("x", "A-B", "book", "gap", "sequence_gap", 1, 2, 3, 4, 2))[1])
    assert message == {
        "exchange": "x",
        "symbol": "A-B",
        "channel": "book",
        "state": "gap",
        "cause": "sequence_gap",
        "started_ns": 1,
        "ended_ns": 2,
        "first_sequence": 3,
        "last_sequence": 4,
        "missed": 2,
        "collector": "A",
    }


def test_stats_state_their_time_in_ms() -> None:
    counts = dict.fromkeys(
        ("symbols", "frames", "bytes", "events", "reconnects", "gaps", "dead_letters", "published", "failed", "queue"),
        1,
    )
    key, value = encode(FeedStats(exchange="x", conn="c", ts_ns=NS, paused_ms=0, **counts))
    message = json.loads(value)
    assert (key, message["ts"]) == (b"x", NS // 10**6)
    assert "ts_ns" not in message


def test_a_dead_letter_holds_its_frame_verbatim() -> None:
    frame = '{"a":"\\u0000 \x01 ü"'.encode()
    message = json.loads(encode(DeadLetter("x", "not_json", "cut", frame, NS, "c1"))[1])
    assert message["frame"].encode() == frame
    assert "encoding" not in message


def test_a_frame_that_is_no_text_is_base64_and_says_so() -> None:
    key, value = encode(RawFrame("x", "c1", 7, NS, b"\xff\x00"))
    message = json.loads(value)
    assert key == b"c1"
    assert (message["seq"], message["encoding"]) == (7, "base64")
    assert base64.b64decode(message["frame"]) == b"\xff\x00"


@pytest.mark.parametrize("frame", [b'{"e":"trade"}', b"\xff\x00", "prix \u20ac".encode(), b""])
def test_a_raw_frame_is_read_as_it_was(frame: bytes) -> None:
    for raw in (RawFrame("x", "a/0#1", 7, NS, frame), RawFrame("x", "a/rest", 1, NS, frame, "/trades?symbol=A", "/ws")):
        assert decode_raw(encode(raw)[1]) == raw


def test_a_raw_frame_that_is_no_base64_is_unreadable() -> None:
    value = encode(RawFrame("x", "a/0#1", 7, NS, b"\xff\x00"))[1]
    with pytest.raises(UNREADABLE):
        decode_raw(value.replace(b'"frame":"', b'"frame":"!'))


def test_names_are_escaped() -> None:
    message = json.loads(encode(Trade("x", '测试"\\-USDT', '"1', "1", "1", "buy", NS, NS))[1])
    assert (message["symbol"], message["id"]) == ('测试"\\-USDT', '"1')
