"""Binance's own recording, against an independent reconstruction and the venue's own best prices."""

import json
from bisect import bisect_right
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mdplatform.core.codec import encode
from mdplatform.core.session import Fetch, Reconnect, Request, Send
from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.venues import venue
from mdplatform_tests.venues.replaying import Message, intervals, of, replay

NAMES = ("hft_spot_btcusdt_20240808.txt.gz", "hft_spot_btcusdt_20240809.first20s.txt.gz")
EXPECTED = "expected/hft_spot_btcusdt_20240808+20240809.first20s.book.json"


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> list[bytes]:
    return [line for name in NAMES for line in read_lines(shared_data / "binance" / name)]


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> Any:
    return json.loads((shared_data / "binance" / EXPECTED).read_text())


@pytest.fixture(scope="module")
def unfollowed(lines: list[bytes]) -> list[Message]:
    """As recorded: of its only snapshot nothing is left after four minutes, and no other comes."""
    return replay("binance", lines)[0]


class Depth:
    """The book by REST as the venue would have had it: the recorded snapshot and every diff since."""

    def __init__(self) -> None:
        self.last = 0
        self._sides: dict[str, dict[str, str]] = {}
        self._diffs: list[Message] = []

    def take(self, value: Message) -> None:
        if "lastUpdateId" in value:
            self.last, self._sides = value["lastUpdateId"], {side: dict(value[side]) for side in ("bids", "asks")}
        elif value.get("data", {}).get("e") == "depthUpdate":
            self._diffs.append(value["data"])
        for diff in self._diffs if self.last else ():
            if diff["u"] > self.last:
                self.last = diff["u"]
                self._sides["bids"].update(diff["b"])
                self._sides["asks"].update(diff["a"])
        self._diffs = [] if self.last else self._diffs

    def body(self, limit: int = 1000) -> bytes:
        found: Message = {"lastUpdateId": self.last}
        for side, sign in (("bids", -1), ("asks", 1)):
            held = [level for level in self._sides[side].items() if float(level[1])]
            found[side] = sorted(held, key=lambda level: float(level[0]) * sign)[:limit]
        return msgspec.json.encode(found)


@pytest.fixture(scope="module")
def messages(lines: list[bytes]) -> list[Message]:
    """As the collector would have had it: each snapshot that it asks for comes 20 frames later."""
    session, depth = venue("binance").reader(venue("binance").known_instruments()), Depth()
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    found: list[Message] = []
    waiting: list[tuple[int, Request]] = []
    for number, entry in enumerate(entry for entry in parse(lines) if isinstance(entry, Entry)):
        outputs = session.receive(entry.frame, entry.received_ns)
        depth.take(msgspec.json.decode(entry.frame))
        if waiting and waiting[0][0] == number:
            outputs += session.answer(waiting.pop(0)[1], 200, depth.body(), entry.received_ns)
        waiting += [(number + 20, output.request) for output in outputs if isinstance(output, Fetch) and depth.last]
        for output in outputs:
            if not isinstance(output, Send | Fetch | Reconnect):
                kind = type(output).__name__.lower().replace("feedstatus", "status")
                found.append({"type": kind, **decode(encode(output)[1])})
    return found


def levels(message: Message, prices: str, sizes: str, depth: int = 20) -> list[list[Decimal]]:
    return [[p, s] for p, s in zip(message[prices], message[sizes], strict=True)][:depth]


def decimals(rows: list[list[str]]) -> list[list[Decimal]]:
    return [[Decimal(price), Decimal(size)] for price, size in rows]


def test_every_diff_after_the_snapshot_gives_a_book(messages: list[Message], expected: Any) -> None:
    assert len(of(messages, "book")) == expected["diffs_applied"]
    assert expected["diffs"] - expected["diffs_applied"] == expected["diffs_stale_before_snapshot"]


def test_the_book_chain_never_breaks(messages: list[Message]) -> None:
    books = of(messages, "book")
    assert [b["previous_sequence"] for b in books] == [None, *(b["sequence"] for b in books[:-1])]
    assert [state for state, _, _ in intervals(messages, "book")] == ["resync", "valid"]


def test_best_prices_are_the_venues_own(messages: list[Message], lines: list[bytes], expected: Any) -> None:
    frames = (msgspec.json.decode(line.partition(b" ")[2]) for line in lines if b"@bookTicker" in line)
    tickers = {frame["data"]["u"]: [Decimal(frame["data"][key]) for key in "bBaA"] for frame in frames}
    ids, books = sorted(tickers), of(messages, "book")
    assert sum(book["sequence"] in tickers for book in books) == 592
    agreeing = 0
    for book in books:
        # A ticker is sent when the best price or size changes: the last one up to this update still holds.
        ticker = tickers[ids[bisect_right(ids, book["sequence"]) - 1]]
        agreeing += [book["b"][0], book["bv"][0], book["a"][0], book["av"][0]] == ticker
    assert [agreeing, len(books) - agreeing] == expected["bookTicker_agreement"]


def test_quotes_are_the_best_of_the_book(messages: list[Message]) -> None:
    quotes = {quote["sequence"]: quote for quote in of(messages, "quote")}
    assert len(quotes) == len(of(messages, "quote")) == 31902
    both = [(book, quotes[book["sequence"]]) for book in of(messages, "book") if book["sequence"] in quotes]
    assert len(both) == 592
    for book, quote in both:
        best = [book["b"][0], book["bv"][0], book["a"][0], book["av"][0]]
        assert best == [quote[key] for key in ("bid_price", "bid_size", "ask_price", "ask_size")]


def test_the_last_book_is_the_expected_one(messages: list[Message], expected: Any) -> None:
    last, final = of(messages, "book")[-1], expected["final"]
    assert last["sequence"] == final["u"]
    assert levels(last, "b", "bv") == decimals(final["bids"])
    assert levels(last, "a", "av") == decimals(final["asks"])


def test_checkpoints_on_the_way_are_the_expected_ones(messages: list[Message], expected: Any) -> None:
    books = of(messages, "book")
    for point in expected["checkpoints"]:
        book = books[point["applied"] - 1]
        assert book["sequence"] == point["u"]
        assert levels(book, "b", "bv", 5) == decimals(point["bids"])
        assert levels(book, "a", "av", 5) == decimals(point["asks"])


def test_a_market_that_leaves_its_snapshot_is_followed_without_an_interruption(
    messages: list[Message], unfollowed: list[Message]
) -> None:
    assert [cause for _, cause, _ in intervals(messages, "book")] == ["no_snapshot", "joined"]
    assert [cause for _, cause, _ in intervals(unfollowed, "book")] == ["no_snapshot", "joined", "beyond_snapshot"]


def test_where_no_other_snapshot_comes_what_is_known_is_published_and_no_more(
    messages: list[Message], unfollowed: list[Message]
) -> None:
    followed = {book["sequence"]: book for book in of(messages, "book")}
    books = of(unfollowed, "book")
    assert len(books) == 2593
    for book in books:
        whole = followed[book["sequence"]]
        for side in ("b", "a"):
            assert whole[side][: len(book[side])] == book[side]


def test_trades_are_complete_and_in_order(messages: list[Message], expected: Any) -> None:
    trades = of(messages, "trade")
    first, last = expected["trade_id_range"]
    assert [int(t["id"]) for t in trades] == list(range(first, last + 1))
    assert sum(t["qty"] for t in trades) == Decimal(expected["trade_qty_sum"])
    assert intervals(messages, "trades") == [("valid", "in_sequence", None)]


def positions(lines: list[bytes], stream: bytes) -> list[int]:
    return [index for index, line in enumerate(lines) if stream in line]


def test_a_diff_cut_out_is_noticed_at_the_next_one(lines: list[bytes]) -> None:
    diffs = positions(lines, b"@depth@100ms")
    cut, following = diffs[1000], diffs[1001]
    messages, _ = replay("binance", lines[:cut] + lines[cut + 1 : following + 50])
    data = msgspec.json.decode(lines[cut].partition(b" ")[2])["data"]
    gap = ("gap", "sequence_gap", data["u"] - data["U"] + 1)
    assert [state for state in intervals(messages, "book") if state[0] == "gap"] == [gap]
    received = int(lines[following].partition(b" ")[0])
    assert all(book["received_ns"] < received for book in of(messages, "book"))


def test_a_diff_doubled_changes_nothing(lines: list[bytes], unfollowed: list[Message]) -> None:
    index = positions(lines, b"@depth@100ms")[1000]
    doubled, _ = replay("binance", [*lines[: index + 1], *lines[index:]])
    assert of(doubled, "book") == of(unfollowed, "book")
    assert intervals(doubled, "book") == intervals(unfollowed, "book")


def test_two_diffs_swapped_are_noticed_at_the_first(lines: list[bytes]) -> None:
    diffs = positions(lines, b"@depth@100ms")
    first, second = diffs[1000], diffs[1001]
    swapped = lines[: second + 100]
    swapped[first], swapped[second] = swapped[second], swapped[first]
    messages, _ = replay("binance", swapped)
    assert len([state for state in intervals(messages, "book") if state[0] != "valid"]) == 2  # the start, and this
    assert len(of(messages, "book")) == 1000 - 2  # two diffs are older than the snapshot


def test_a_trade_cut_out_is_one_closed_gap(lines: list[bytes]) -> None:
    trades = positions(lines, b"@trade")
    messages, _ = replay("binance", lines[: trades[500]] + lines[trades[502] : trades[600]])
    assert [state for state in intervals(messages, "trades") if state[0] == "gap"] == [("gap", "trade_id_gap", 2)]
    gap = next(m for m in of(messages, "status") if m["state"] == "gap")
    assert gap["ended_ns"] == int(lines[trades[502]].partition(b" ")[0])


def test_a_capture_of_four_symbols_joins_them_all(shared_data: Path) -> None:
    folder = shared_data / "binance"
    frames = list(read_lines(folder / "cryptofeed_BINANCE.ws.1.0"))
    answers = list(read_lines(folder / "cryptofeed_BINANCE.http.0.0"))
    messages, summary = replay("binance", answers + frames)
    assert {book["symbol"] for book in of(messages, "book")} == {"NKN-USDT", "BLZ-ETH", "LRC-BTC", "RUNE-EUR"}
    assert not [state for state, _, _ in intervals(messages, "book") if state == "gap"]
    assert not summary.dead_letters
