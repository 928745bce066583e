"""Coinbase's recorded frames, and the published samples of Advanced Trade."""

import json
from collections import Counter
from pathlib import Path

import pytest

from mdplatform.recordings.player import Summary
from mdplatform.recordings.tape import Entry, parse, read_lines, tape_line
from mdplatform.venues import venue
from mdplatform_tests.venues.replaying import Message, check_sound, intervals, of, replay

NAME = "cryptofeed_COINBASE.ws.28.0.part.gz"


@pytest.fixture(scope="module")
def replayed(shared_data: Path) -> tuple[list[Message], Summary]:
    return replay("coinbase", read_lines(shared_data / "coinbase" / NAME))


def test_every_snapshot_and_update_gives_a_book(replayed: tuple[list[Message], Summary]) -> None:
    messages, summary = replayed
    assert len(of(messages, "book")) == 5 + 6674
    assert not summary.dead_letters


def test_every_match_gives_a_trade_and_none_is_missing(replayed: tuple[list[Message], Summary]) -> None:
    messages, _ = replayed
    assert len(of(messages, "trade")) == 83 + 5
    assert {state for state, _, _ in intervals(messages, "trades")} == {"valid"}


def test_books_stay_sound_to_the_end(replayed: tuple[list[Message], Summary]) -> None:
    messages, _ = replayed
    for message in messages:
        check_sound(message)
    assert {state for state, _, _ in intervals(messages, "book")} == {"valid"}


def test_the_last_book_is_what_plain_dictionaries_give(
    shared_data: Path, replayed: tuple[list[Message], Summary]
) -> None:
    books: dict[str, tuple[dict[float, str], dict[float, str]]] = {}
    for entry in parse(read_lines(shared_data / "coinbase" / NAME)):
        assert isinstance(entry, Entry)
        frame = json.loads(entry.frame)
        if frame["type"] == "snapshot":
            books[frame["product_id"]] = tuple({float(p): s for p, s in frame[key]} for key in ("bids", "asks"))
        for side, price, size in frame.get("changes", ()):
            levels = books[frame["product_id"]][side == "sell"]
            levels[float(price)] = size
    for symbol, (bids, asks) in books.items():
        last = [m for m in of(replayed[0], "book") if m["symbol"] == symbol][-1]
        assert [float(x) for x in last["b"]] == sorted((p for p, s in bids.items() if float(s)), reverse=True)[:20]
        assert [float(x) for x in last["a"]] == sorted(p for p, s in asks.items() if float(s))[:20]


def test_sequences_rise_by_symbol(replayed: tuple[list[Message], Summary]) -> None:
    last: Counter[str] = Counter()
    for book in of(replayed[0], "book"):
        assert book["sequence"] > last[book["symbol"]]
        last[book["symbol"]] = book["sequence"]


def test_a_match_cut_out_is_one_gap(shared_data: Path) -> None:
    lines = list(read_lines(shared_data / "coinbase" / NAME))
    matches = [i for i, line in enumerate(lines) if b'"type":"match"' in line and b"SKL-USD" in line]
    messages, _ = replay("coinbase", lines[: matches[10]] + lines[matches[10] + 1 :])
    assert [s for s in intervals(messages, "trades") if s[0] == "gap"] == [("gap", "trade_id_gap", 1)]


def test_advanced_trade_samples_are_understood(shared_data: Path) -> None:
    samples = [json.loads(line) for line in read_lines(shared_data / "coinbase" / "nautilus_message_samples.jsonl")]
    frames = [json.loads(s["text"]) for s in samples if Path(s["file"]).name.startswith("ws_")]
    lines = [tape_line(1775572200 * 10**9 + n * 10**9, json.dumps(frame).encode()) for n, frame in enumerate(frames)]
    messages, summary = replay("coinbase", lines)
    assert not summary.dead_letters
    assert len(of(messages, "book")) == 2
    assert [(t["id"], t["side"]) for t in of(messages, "trade")] == [("995098700", "sell"), ("995098701", "buy")]


def test_product_lists_of_both_feeds_are_read(shared_data: Path) -> None:
    facts = venue("coinbase")
    capture = parse(read_lines(shared_data / "coinbase" / "cryptofeed_COINBASE.0"))
    exchange = [e.frame for e in capture if isinstance(e, Entry) and e.kind == "answer"]
    assert len(facts.parse_instruments(exchange[0]).instruments) == 162
    samples = [json.loads(line) for line in read_lines(shared_data / "coinbase" / "nautilus_message_samples.jsonl")]
    advanced = next(s["text"] for s in samples if s["file"].endswith("http_products.json"))
    rows = facts.parse_instruments(advanced.encode()).instruments
    assert [(row.symbol, row.alias_of) for row in rows] == [("BTC-USD", None), ("BTC-USDC", "BTC-USD")]
