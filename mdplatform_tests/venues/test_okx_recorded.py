"""The recording of 2022, whose books are proven by their checksums: no message had a number yet."""

from pathlib import Path
from zlib import crc32

import msgspec
import pytest

from mdplatform.recordings.tape import read_lines
from mdplatform_tests.venues.replaying import Message, intervals, of, replay

FILES = ("cryptofeed_OKX.0.first5.gz", "cryptofeed_OKX.ws.1.0.gz")
SYMBOLS = {"BTC-USDT", "BTC-USD-20220527", "UNI-USD-PERP"}


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> list[bytes]:
    return [line for name in FILES for line in read_lines(shared_data / "okx" / name)]


@pytest.fixture(scope="module")
def messages(lines: list[bytes]) -> list[Message]:
    return replay("okx", lines)[0]


def updates(lines: list[bytes], instrument: bytes) -> list[int]:
    return [i for i, line in enumerate(lines) if b'"instId":"' + instrument in line and b'"action":"update"' in line]


def test_every_book_is_what_its_checksum_states(lines: list[bytes]) -> None:
    messages, summary = replay("okx", lines)
    assert len(of(messages, "book")) == 290
    assert summary.ignored == {"tickers": 28, "acknowledgement": 18}
    assert not summary.dead_letters
    assert not summary.commands


def test_books_and_trades_of_three_kinds_are_in_sequence(messages: list[Message]) -> None:
    assert {book["symbol"] for book in of(messages, "book")} == SYMBOLS
    assert len(of(messages, "trade")) == 74
    assert intervals(messages, "book") == [("valid", "snapshot", None)] * 3
    assert intervals(messages, "trades") == [("valid", "in_sequence", None)] * 3


def test_inverse_contracts_become_base_units(messages: list[Message]) -> None:
    trade = next(m for m in of(messages, "trade") if m["symbol"] == "UNI-USD-PERP")
    assert trade["raw_size"] == 100  # contracts of 10 USD
    assert abs(trade["qty"] * trade["price"] - 1000) < 10**-8


def test_the_recorded_lists_give_every_instrument_a_symbol_of_its_own(messages: list[Message]) -> None:
    listings = of(messages, "listing")
    assert len(listings) == 513 + 166 + 104 + 346 + 350
    assert len({listing["symbol"] for listing in listings}) == len(listings)


def test_an_update_cut_out_fails_the_next_checksum_and_costs_the_others_nothing(lines: list[bytes]) -> None:
    whole = len(of(replay("okx", lines)[0], "book"))
    chosen = updates(lines, b"BTC-USDT")
    cut = chosen[50]
    messages, summary = replay("okx", lines[:cut] + lines[cut + 1 :])
    of_btc = [book for book in of(messages, "book") if book["symbol"] == "BTC-USDT"]
    assert [i for i in intervals(messages, "book") if i[0] == "gap"] == [("gap", "checksum", None)]
    assert len(of_btc) == 51  # the snapshot and the 50 updates before
    assert len(of(messages, "book")) - len(of_btc) == whole - 1 - len(chosen)
    assert summary.commands == {"send": 2}


def test_a_snapshot_brings_a_lost_book_back(lines: list[bytes]) -> None:
    chosen = updates(lines, b"BTC-USDT")
    snapshot = next(line for line in lines if b'"instId":"BTC-USDT"},"action":"snapshot"' in line)
    messages, _ = replay("okx", [*lines[: chosen[50]], *lines[chosen[51] : chosen[60]], snapshot])
    states = [state for state, _, _ in intervals([m for m in messages if m.get("symbol") == "BTC-USDT"], "book")]
    assert states == ["valid", "gap", "valid"]


def test_two_updates_swapped_are_noticed_at_the_first(lines: list[bytes]) -> None:
    chosen = updates(lines, b"BTC-USDT")
    swapped = list(lines)
    swapped[chosen[50]], swapped[chosen[51]] = swapped[chosen[51]], swapped[chosen[50]]
    messages, _ = replay("okx", swapped)
    assert len([book for book in of(messages, "book") if book["symbol"] == "BTC-USDT"]) == 51


def test_the_same_frames_with_numbers_need_no_checksum(lines: list[bytes], messages: list[Message]) -> None:
    """As the venue sends them since: seqId and prevSeqId, the checksum 0."""
    last: dict[str, int] = {}

    def sequential_ids(line: bytes) -> bytes:
        time, _, frame = line.partition(b": ")
        if b'"action"' not in frame:
            return line
        push = msgspec.json.decode(frame)
        data, name = push["data"][0], push["arg"]["instId"]
        data["prevSeqId"] = -1 if push["action"] == "snapshot" else last[name]
        last[name] = data["seqId"] = last.get(name, 1000) + 1 + crc32(frame) % 7
        data["checksum"] = 0
        return time + b": " + msgspec.json.encode(push)

    again, summary = replay("okx", map(sequential_ids, lines))
    assert not summary.dead_letters
    sides = [[book[key] for key in ("symbol", "b", "bv", "a", "av")] for book in of(again, "book")]
    assert sides == [[book[key] for key in ("symbol", "b", "bv", "a", "av")] for book in of(messages, "book")]
