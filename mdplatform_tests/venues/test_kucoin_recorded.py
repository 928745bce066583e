"""KuCoin's recording of 2021, whose topics are those of today; its diffs had no time yet."""

import heapq
import json
from pathlib import Path

import pytest

from mdplatform.recordings.player import Summary
from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform_tests.venues.replaying import Message, check_sound, intervals, of, replay

FOLDER = "kucoin/cryptofeed_KUCOIN"


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> list[bytes]:
    """The list, then frames and REST answers by their times."""
    parts = [list(read_lines(shared_data / f"{FOLDER}.{name}")) for name in ("0.gz", "http.0.0.part", "ws.1.0.part.gz")]
    timed = [[(next(iter(parse([line])), None), line) for line in part] for part in parts[1:]]
    kept = [[(entry.received_ns, line) for entry, line in part if isinstance(entry, Entry)] for part in timed]
    return parts[0] + [line for _, line in heapq.merge(*kept)]


@pytest.fixture(scope="module")
def replayed(lines: list[bytes]) -> tuple[list[Message], Summary]:
    return replay("kucoin", lines)


def test_every_snapshot_joins_and_no_sequence_breaks(replayed: tuple[list[Message], Summary]) -> None:
    messages, summary = replayed
    found = intervals(messages, "book")
    assert sorted(found) == [("resync", "no_snapshot", None)] * 6 + [("valid", "joined", None)] * 6
    assert not summary.dead_letters


def test_every_diff_after_its_snapshot_gives_a_book(
    lines: list[bytes], replayed: tuple[list[Message], Summary]
) -> None:
    snapshots: dict[str, int] = {}
    for line in lines:
        if line.startswith(b"https://api.kucoin.com/api/v3/market/orderbook/level2?symbol="):
            symbol = line.partition(b"=")[2].partition(b" ")[0].decode()
            snapshots[symbol] = int(json.loads(line.partition(b": ")[2])["data"]["sequence"])
    frames = [json.loads(line.partition(b": ")[2]) for line in lines if b"trade.l2update" in line]
    after = [f for f in frames if f["data"]["sequenceEnd"] > snapshots[f["data"]["symbol"]]]
    assert len(frames) == 2963
    assert [book["sequence"] for book in of(replayed[0], "book")] == [f["data"]["sequenceEnd"] for f in after]


def test_matches_and_tickers_are_counted(replayed: tuple[list[Message], Summary]) -> None:
    messages, summary = replayed
    assert len(of(messages, "trade")) == 17
    assert summary.ignored["/market/ticker"] == 523


def test_books_agree_with_the_venues_own_best_prices(
    lines: list[bytes], replayed: tuple[list[Message], Summary]
) -> None:
    frames = [json.loads(line.partition(b": ")[2]) for line in lines if b"trade.ticker" in line]
    tickers = {(f["topic"].partition(":")[2], int(f["data"]["sequence"])): f["data"] for f in frames}
    names = {"BSV-USDT": "BCHSV-USDT"}
    compared = agreed = 0
    for book in of(replayed[0], "book"):
        check_sound(book)
        ticker = tickers.get((names.get(book["symbol"], book["symbol"]), book["sequence"]))
        if ticker is not None:
            compared += 1
            agreed += (float(book["b"][0]), float(book["a"][0])) == (float(ticker["bestBid"]), float(ticker["bestAsk"]))
    assert compared > 100
    assert agreed == compared


def test_a_renamed_asset_bears_its_new_name(replayed: tuple[list[Message], Summary]) -> None:
    assert {m["symbol"] for m in of(replayed[0], "book")} >= {"BSV-USDT", "ANKR-BTC"}
    assert len(of(replayed[0], "listing")) == 634


def test_a_line_cut_out_is_one_gap_of_one_symbol(lines: list[bytes]) -> None:
    diffs = [i for i, line in enumerate(lines) if b"/market/level2:BCHSV-USDT" in line]
    messages, _ = replay("kucoin", lines[: diffs[1000]] + lines[diffs[1000] + 1 :])
    assert [i for i in intervals(messages, "book") if i[0] == "gap"] == [("gap", "sequence_gap", 1)]
    assert {m["symbol"] for m in of(messages, "status") if m["state"] == "gap"} == {"BSV-USDT"}
