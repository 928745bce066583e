"""Recordings of Binance's futures, against independent reconstructions and the venue's own best prices."""

import json
from bisect import bisect_right
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from mdplatform.core.symbols import Kind
from mdplatform.recordings.player import Summary
from mdplatform.recordings.tape import read_lines, tape_line
from mdplatform.venues import venue
from mdplatform_tests.venues.replaying import Message, intervals, of, replay

CAPTURES = {
    "usdm_btcusdt_20240808.first90s": "binance-usdm",
    "usdm_ethusdt_20240808.first45s": "binance-usdm",
    "cm_btcusd_perp_20240808.first40s": "binance-coinm",
}


class Capture(NamedTuple):
    lines: list[bytes]
    messages: list[Message]
    expected: Any
    sizes: tuple[str, str]  # where sizes as sent stand in a book: contracts are converted


@pytest.fixture(scope="module", params=CAPTURES)
def capture(request: pytest.FixtureRequest, shared_data: Path) -> Capture:
    folder, venue_id = shared_data / "binance", CAPTURES[request.param]
    lines = list(read_lines(folder / f"hft_{request.param}.txt.gz"))
    expected = json.loads((folder / "expected" / f"hft_{request.param}.book.json").read_text())
    sizes = ("raw_bv", "raw_av") if venue_id == "binance-coinm" else ("bv", "av")
    return Capture(lines, replay(venue_id, lines)[0], expected, sizes)


def levels(message: Message, prices: str, sizes: str, depth: int = 20) -> list[list[Decimal]]:
    return [[p, s] for p, s in zip(message[prices], message[sizes], strict=True)][:depth]


def decimals(rows: list[list[str]]) -> list[list[Decimal]]:
    return [[Decimal(price), Decimal(size)] for price, size in rows]


def test_every_diff_after_the_snapshot_gives_a_book(capture: Capture) -> None:
    expected = capture.expected
    assert len(of(capture.messages, "book")) == expected["diffs_applied"]
    assert expected["diffs"] - expected["diffs_applied"] == expected["diffs_stale_before_snapshot"]
    assert not of(capture.messages, "dead_letter")


def test_the_book_chain_never_breaks(capture: Capture) -> None:
    books = of(capture.messages, "book")
    assert [b["previous_sequence"] for b in books] == [None, *(b["sequence"] for b in books[:-1])]
    assert [state for state, _, _ in intervals(capture.messages, "book")] == ["resync", "valid"]


def test_best_prices_are_the_venues_own(capture: Capture) -> None:
    bid_sizes, ask_sizes = capture.sizes
    best = ("raw_bid_size", "raw_ask_size") if bid_sizes == "raw_bv" else ("bid_size", "ask_size")
    quotes = {q["sequence"]: q for q in of(capture.messages, "quote")}
    assert len(quotes) == capture.expected["events"]["bookTicker"]
    ids, agreeing = sorted(quotes), 0
    books = of(capture.messages, "book")
    for book in books:
        # A ticker is sent when the best price or size changes: the last one up to this update still holds.
        quote = quotes[ids[bisect_right(ids, book["sequence"]) - 1]]
        wanted = [quote["bid_price"], quote[best[0]], quote["ask_price"], quote[best[1]]]
        agreeing += [book["b"][0], book[bid_sizes][0], book["a"][0], book[ask_sizes][0]] == wanted
    assert [agreeing, len(books) - agreeing] == capture.expected["bookTicker_agreement"]


def test_the_last_book_and_those_on_the_way_are_the_expected_ones(capture: Capture) -> None:
    books, final = of(capture.messages, "book"), capture.expected["final"]
    points = [(books[-1], final, 20)]
    points += [(books[point["applied"] - 1], point, 5) for point in capture.expected["checkpoints"]]
    for book, point, depth in points:
        assert book["sequence"] == point["u"]
        assert levels(book, "b", capture.sizes[0], depth) == decimals(point["bids"])
        assert levels(book, "a", capture.sizes[1], depth) == decimals(point["asks"])


def test_trades_are_complete_and_in_order(capture: Capture) -> None:
    trades, (first, last) = of(capture.messages, "trade"), capture.expected["trade_id_range"]
    size = "qty" if capture.sizes[0] == "bv" else "raw_size"
    assert [int(t["id"]) for t in trades] == list(range(first, last + 1))
    assert sum(t[size] for t in trades) == Decimal(capture.expected["trade_qty_sum"])
    assert intervals(capture.messages, "trades") == [("valid", "in_sequence", None)]


def test_contracts_are_worth_their_dollars(capture: Capture) -> None:
    for trade in of(capture.messages, "trade"):
        if "raw_size" in trade:
            assert abs(trade["qty"] * trade["price"] - 100 * trade["raw_size"]) < Decimal("0.000001")


def test_a_diff_cut_out_is_noticed_at_the_next_one(capture: Capture) -> None:
    diffs = [index for index, line in enumerate(capture.lines) if b"@depth" in line]
    cut, following = diffs[500], diffs[501]
    venue_id = capture.messages[0]["exchange"]
    messages, _ = replay(venue_id, capture.lines[:cut] + capture.lines[cut + 1 : following + 50])
    data = msgspec.json.decode(capture.lines[cut].partition(b" ")[2])["data"]
    gap = ("gap", "sequence_gap", data["u"] - data["pu"])
    assert [state for state in intervals(messages, "book") if state[0] == "gap"] == [gap]
    received = int(capture.lines[following].partition(b" ")[0])
    assert all(book["received_ns"] < received for book in of(messages, "book"))


# What cryptofeed counted in the same frames: diffs applied and snapshots are one number there.
PLAYED = {
    "binance-usdm": ("FUTURES", ".gz", "", 756, {"quote": 613, "trade": 91}, {"kline": 67, "stale_diff": 12}, 4),
    "binance-coinm": (
        "DELIVERY",
        ".gz",
        ".gz",
        1798,
        {"quote": 2240, "trade": 51},
        {"kline": 33, "stale_diff": 259},
        10,
    ),
}


@pytest.fixture(scope="module", params=PLAYED)
def played(request: pytest.FixtureRequest, shared_data: Path) -> tuple[str, list[Message], Summary]:
    name, ws, http, *_ = PLAYED[request.param]
    stem = f"cryptofeed_BINANCE_{name}"
    names = (f"{stem}.0", f"{stem}.http.0.0{http}", f"{stem}.ws.1.0{ws}")
    return request.param, *replay(request.param, [x for n in names for x in read_lines(shared_data / "binance" / n)])


def test_a_capture_of_many_symbols_joins_them_all(played: tuple[str, list[Message], Summary]) -> None:
    venue_id, messages, summary = played
    *_, books, counts, ignored, symbols = PLAYED[venue_id]
    assert len({book["symbol"] for book in of(messages, "book")}) == symbols
    assert summary.events["book"] + symbols == books
    assert {kind: summary.events[kind] for kind in counts} == counts
    assert dict(summary.ignored) == ignored
    assert not summary.dead_letters
    for channel in ("book", "trades"):
        assert {state for state, _, _ in intervals(messages, channel)} <= {"resync", "valid"}
        assert Counter(state for state, _, _ in intervals(messages, channel))["resync"] <= symbols


def test_their_books_agree_with_their_quotes(played: tuple[str, list[Message], Summary]) -> None:
    quotes = {(q["symbol"], q["sequence"]): q for q in of(played[1], "quote")}
    books = [
        (b, quotes[b["symbol"], b["sequence"]]) for b in of(played[1], "book") if (b["symbol"], b["sequence"]) in quotes
    ]
    assert len(books) >= 50
    for book, quote in books:
        assert (book["b"][0], book["a"][0]) == (quote["bid_price"], quote["ask_price"])
        assert (book["bv"][0], book["av"][0]) == (quote["bid_size"], quote["ask_size"])


def test_recorded_lists_are_read(shared_data: Path) -> None:
    answers = [json.loads(line) for line in read_lines(shared_data / "binance" / "gct_rest_mock.jsonl.gz")]
    lists = {a["path"]: json.dumps(a["response"]).encode() for a in answers if a["path"].endswith("exchangeInfo")}
    linear = venue("binance-usdm").parse_instruments(lists["/fapi/v1/exchangeInfo"]).instruments
    inverse = venue("binance-coinm").parse_instruments(lists["/dapi/v1/exchangeInfo"]).instruments
    assert [len(linear), len(inverse)] == [25, 25]
    assert (linear[0].symbol, linear[0].tick, linear[0].contract_size) == ("BTC-USDT-PERP", "0.10", None)
    assert (inverse[0].symbol, inverse[0].contract_size, inverse[0].settle) == ("BTC-USD-PERP", "100", "BTC")
    assert {row.kind for row in linear + inverse} == {Kind.PERPETUAL}


def test_published_samples_are_understood_where_they_could_have_been_sent(shared_data: Path) -> None:
    samples = [json.loads(line) for line in read_lines(shared_data / "binance" / "nautilus_message_samples.jsonl")]
    texts = [(Path(s["file"]).stem, json.dumps(json.loads(s["text"])).encode()) for s in samples]
    # Three of them hold the documentation's time 123456789, which no venue has sent since 1973.
    sent = [text for _, text in texts if b": 123456789," not in text]
    assert len(texts) - len(sent) == 3
    messages, summary = replay(
        "binance-usdm", [tape_line(1_700_000_000_000_000_000 + n, x) for n, x in enumerate(sent)]
    )
    assert not summary.dead_letters
    (liquidation,), (funding,) = of(messages, "liquidation"), of(messages, "funding")
    assert (liquidation["side"], liquidation["price"]) == ("sell", Decimal("9910.12345678"))
    assert (funding["rate"], funding["index_price"]) == (Decimal("0.00038167"), Decimal("11784.62659091"))
    assert dict(summary.ignored) == {"kline": 2, "ticker": 1}
    assert len(of(messages, "quote")) == 1
