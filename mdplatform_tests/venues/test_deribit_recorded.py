"""Deribit's recorded frames (options of 2021, raw channels) and the published samples of today's."""

import json
from collections import Counter
from pathlib import Path

import pytest

from mdplatform.recordings.player import Summary
from mdplatform.recordings.tape import Entry, parse, read_lines, tape_line
from mdplatform_tests.venues.replaying import Message, check_sound, intervals, of, replay

NAMES = ("cryptofeed_DERIBIT.0.gz", "cryptofeed_DERIBIT.ws.1.0")


def recorded(shared_data: Path) -> list[bytes]:
    """The instrument lists, then the frames."""
    return [line for name in NAMES for line in read_lines(shared_data / "deribit" / name)]


@pytest.fixture(scope="module")
def replayed(shared_data: Path) -> tuple[list[Message], Summary]:
    return replay("deribit", recorded(shared_data))


def test_every_snapshot_and_change_gives_a_book_and_every_ticker_of_an_option_a_summary(
    replayed: tuple[list[Message], Summary],
) -> None:
    messages, summary = replayed
    assert (len(of(messages, "book")), len(of(messages, "option"))) == (10 + 36, 89)
    assert all(row["mark_price"] is not None for row in of(messages, "option"))
    assert not summary.dead_letters
    assert len({book["symbol"] for book in of(messages, "book")}) == 10


def test_the_chain_of_changes_is_unbroken(replayed: tuple[list[Message], Summary]) -> None:
    messages, _ = replayed
    assert {state for state, _, _ in intervals(messages, "book")} == {"valid"}
    for message in messages:
        check_sound(message)


def test_lists_name_options_and_dated_futures(replayed: tuple[list[Message], Summary]) -> None:
    listed = {row["venue_symbol"]: row["symbol"] for row in of(replayed[0], "listing")}
    assert len(listed) == 398 + 426 + 177 + 16
    wanted = {
        "BTC-24SEP21-8000-P": "BTC-USD-20210924-8000-P",
        "ETH-30JUL21-2800-C": "ETH-USD-20210730-2800-C",
        "BTC-25MAR22": "BTC-USD-20220325",
        "BTC-PERPETUAL": "BTC-USD-PERP",
        "UNI_USDC-PERPETUAL": "UNI-USDC-PERP",
    }
    assert {name: listed[name] for name in wanted} == wanted


def test_the_last_books_are_what_plain_dictionaries_give(
    shared_data: Path, replayed: tuple[list[Message], Summary]
) -> None:
    books: dict[str, tuple[dict[float, float], dict[float, float]]] = {}
    for entry in parse(read_lines(shared_data / "deribit" / NAMES[1])):
        assert isinstance(entry, Entry)
        data = json.loads(entry.frame).get("params", {}).get("data", {})
        if "change_id" not in data:
            continue
        sides = books.setdefault(data["instrument_name"], ({}, {}))
        for side, levels in zip(sides, (data["bids"], data["asks"]), strict=True):
            for action, price, amount in levels:
                side[price] = 0.0 if action == "delete" else amount
    names = {row["venue_symbol"]: row["symbol"] for row in of(replayed[0], "listing")}
    for name, (bids, asks) in books.items():
        last = [book for book in of(replayed[0], "book") if book["symbol"] == names[name]][-1]
        assert [float(x) for x in last["b"]] == sorted((p for p, a in bids.items() if a), reverse=True)[:20]
        assert [float(x) for x in last["a"]] == sorted(p for p, a in asks.items() if a)[:20]
        assert [float(x) for x in last["av"]] == [asks[float(p)] for p in last["a"]]


def change_lines(lines: list[bytes]) -> list[int]:
    """Where the changes of one symbol are that has several."""
    symbols = Counter(
        line.partition(b'"channel":"book.')[2].partition(b'"')[0] for line in lines if b'"change"' in line
    )
    busiest = symbols.most_common(1)[0][0]
    return [n for n, line in enumerate(lines) if b'"type":"change"' in line and b"book." + busiest in line]


def test_a_change_cut_out_is_one_gap_at_the_next(shared_data: Path) -> None:
    lines = recorded(shared_data)
    cut = change_lines(lines)[1]
    messages, _ = replay("deribit", lines[:cut] + lines[cut + 1 :])
    gaps = [interval for interval in intervals(messages, "book") if interval[0] != "valid"]
    assert gaps == [("gap", "sequence_gap", None)]


def test_a_change_twice_does_no_harm(shared_data: Path) -> None:
    lines = recorded(shared_data)
    doubled = change_lines(lines)[1]
    messages, _ = replay("deribit", lines[: doubled + 1] + lines[doubled:])
    assert {state for state, _, _ in intervals(messages, "book")} == {"valid"}
    assert len(of(messages, "book")) == 46


def test_changes_swapped_are_one_gap(shared_data: Path) -> None:
    lines = recorded(shared_data)
    first, second = change_lines(lines)[1:3]
    lines[first], lines[second] = lines[second], lines[first]
    gaps = [interval for interval in intervals(replay("deribit", lines)[0], "book") if interval[0] != "valid"]
    assert gaps == [("gap", "sequence_gap", None)]


def test_a_recording_without_its_list_says_what_it_lacks(shared_data: Path) -> None:
    _, summary = replay("deribit", read_lines(shared_data / "deribit" / NAMES[1]))
    assert dict(summary.dead_letters) == {"unknown_instrument": 10 + 36 + 89}


def test_the_published_samples_are_understood(shared_data: Path) -> None:
    samples = [json.loads(line) for line in read_lines(shared_data / "deribit" / "nautilus_message_samples.jsonl")]
    frames = [json.dumps(json.loads(sample["text"])).encode() for sample in samples]
    messages, summary = replay("deribit", [tape_line((1779200000 + n) * 10**9, f) for n, f in enumerate(frames)])
    # Combinations are listed nowhere as instruments; the error is a sample of one.
    assert dict(summary.dead_letters) == {"unknown_instrument": 4, "venue_error": 1}
    assert [row["symbol"] for row in of(messages, "listing")] == [
        *("BTC-USD-PERP", "BTC-USD-20241227", "BTC-USD-20241227-100000-C"),
    ]
    assert [(t["id"], t["side"], float(t["raw_size"])) for t in of(messages, "trade") if t["provenance"] == "live"] == [
        *(("403691824", "sell", 10.0), ("403691825", "sell", 750.0)),
    ]
    assert [row["symbol"] for row in of(messages, "index")] == ["BTC-DVOL"]
    assert len(of(messages, "quote")) == len(of(messages, "funding")) == len(of(messages, "book")) == 1
    wanted = {"chart": 1, "grouped_book": 1, "heartbeat": 1, "order_book": 1}
    assert wanted.items() <= summary.ignored.items()
