"""Kraken's recordings: futures are current, the spot frames are of a WebSocket that v2 has replaced."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mdplatform.recordings.player import Summary
from mdplatform.recordings.tape import read_lines, tape_line
from mdplatform_tests.venues.replaying import Message, check_sound, intervals, of, replay

FUTURES = "cryptofeed_KRAKEN_FUTURES.ws.1.0.gz"


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> list[bytes]:
    return list(read_lines(shared_data / "kraken" / FUTURES))


@pytest.fixture(scope="module")
def replayed(lines: list[bytes]) -> tuple[list[Message], Summary]:
    return replay("kraken", lines)


def test_every_message_of_a_book_gives_one(replayed: tuple[list[Message], Summary]) -> None:
    messages, summary = replayed
    assert len(of(messages, "book")) == 7024
    assert len({message["symbol"] for message in of(messages, "book")}) == 10
    assert summary.ignored["ticker_lite"] == 107
    assert not summary.dead_letters


def test_numbers_are_unbroken_in_every_product(replayed: tuple[list[Message], Summary]) -> None:
    messages, _ = replayed
    assert intervals(messages, "book") == [("valid", "snapshot", None)] * 10
    last: dict[str, int] = {}
    for book in of(messages, "book"):
        assert book["previous_sequence"] == last.get(book["symbol"])
        last[book["symbol"]] = book["sequence"]


def test_the_three_fills_follow_the_trades_before_them(replayed: tuple[list[Message], Summary]) -> None:
    messages, _ = replayed
    assert [(t["symbol"], t["id"]) for t in of(messages, "trade")] == [
        ("LTC-USD-PERP", "5956"),
        ("BCH-USD-20210730", "1488"),
        ("ETH-USD-PERP", "103832"),
    ]
    assert {state for state, _, _ in intervals(messages, "trades")} == {"valid"}


def test_the_last_books_are_what_plain_dictionaries_give(
    lines: list[bytes], replayed: tuple[list[Message], Summary]
) -> None:
    books: dict[str, tuple[dict[float, float], dict[float, float]]] = {}
    for line in lines:
        text = line.partition(b": ")[2]
        frame: dict[str, Any] = json.loads(text) if text.startswith(b'{"feed":"book') else {"feed": None}
        if frame["feed"] == "book_snapshot":
            bids, asks = ({row["price"]: row["qty"] for row in frame[key]} for key in ("bids", "asks"))
            books[frame["product_id"]] = bids, asks
        elif frame["feed"] == "book":
            books[frame["product_id"]][frame["side"] == "sell"][frame["price"]] = frame["qty"]
    last = {message["sequence"]: message for message in of(replayed[0], "book")}
    ends = {message["symbol"]: message for message in last.values()}
    tops = {(tuple(map(float, m["b"])), tuple(map(float, m["a"]))) for m in ends.values()}
    for bids, asks in books.values():
        best_bids = sorted((price for price, size in bids.items() if size), reverse=True)[:20]
        assert (tuple(best_bids), tuple(sorted(price for price, size in asks.items() if size)[:20])) in tops


def test_contracts_become_base_units(replayed: tuple[list[Message], Summary]) -> None:
    for book in of(replayed[0], "book")[::100]:
        check_sound(book)
        for price, size, raw in zip(book["b"], book["bv"], book["raw_bv"], strict=True):
            assert abs(size * price - raw) < raw / 1000


def test_a_line_cut_out_is_one_gap_of_one_product(lines: list[bytes]) -> None:
    deltas = [i for i, line in enumerate(lines) if b'"feed":"book","product_id":"PI_ETHUSD"' in line]
    messages, summary = replay("kraken", lines[: deltas[1000]] + lines[deltas[1000] + 1 :])
    assert [i for i in intervals(messages, "book") if i[0] != "valid"] == [("gap", "sequence_gap", 1)]
    assert summary.commands["send"]
    assert {m["symbol"] for m in of(messages, "status") if m["state"] == "gap"} == {"ETH-USD-PERP"}


def test_a_doubled_line_changes_nothing(lines: list[bytes], replayed: tuple[list[Message], Summary]) -> None:
    delta = next(i for i, line in enumerate(lines) if b'"feed":"book","product_id":"PI_ETHUSD"' in line)
    messages, _ = replay("kraken", lines[: delta + 1] + lines[delta:])
    assert messages == replayed[0]


def test_the_recorded_list_names_the_recorded_products(
    shared_data: Path, lines: list[bytes], replayed: tuple[list[Message], Summary]
) -> None:
    listed = read_lines(shared_data / "kraken" / "cryptofeed_KRAKEN_FUTURES.0")
    messages, _ = replay("kraken", [*listed, *lines])
    assert len(of(messages, "listing")) == 17
    assert of(messages, "book") == of(replayed[0], "book")


@pytest.mark.parametrize(
    "name", ["cryptofeed_KRAKEN.ws.48.0", "cryptofeed_KRAKEN.ws.49.0", "cryptofeed_KRAKEN.ws.50.0.gz"]
)
def test_frames_of_the_old_feed_are_refused_for_one_reason(shared_data: Path, name: str) -> None:
    messages, summary = replay("kraken", read_lines(shared_data / "kraken" / name))
    assert Counter(m["type"] for m in messages) == {"dead_letter": summary.frames}
    assert set(summary.dead_letters) == {"obsolete_format"}


def test_the_recorded_list_of_pairs_is_read(shared_data: Path) -> None:
    messages, _ = replay("kraken", read_lines(shared_data / "kraken" / "cryptofeed_KRAKEN.0.gz"))
    symbols = {m["venue_symbol"]: (m["symbol"], m["tick"], m["step"]) for m in of(messages, "listing")}
    assert len(symbols) == 293
    assert symbols["BTC/USD"] == ("BTC-USD", "0.1", "0.00000001")
    assert symbols["DOGE/USD"][0] == "DOGE-USD"


def test_published_samples_are_understood_though_their_checksums_are_of_longer_books(shared_data: Path) -> None:
    samples = [json.loads(line) for line in read_lines(shared_data / "kraken" / "nautilus_message_samples.jsonl")]
    named = {Path(sample["file"]).name: json.loads(sample["text"]) for sample in samples}
    frames = [frame for name, frame in named.items() if name.startswith("ws_")]
    written = [tape_line(1775572200 * 10**9 + n * 10**9, json.dumps(frame).encode()) for n, frame in enumerate(frames)]
    messages, summary = replay("kraken", written)
    assert not summary.dead_letters
    assert ("gap", "checksum", None) in intervals(messages, "book")
    assert [t["id"] for t in of(messages, "trade")] == ["653355", "655507", "655508", "10218208", "10218209"]
    assert len(of(messages, "quote")) == 3
    assert len(of(messages, "funding")) == 1
