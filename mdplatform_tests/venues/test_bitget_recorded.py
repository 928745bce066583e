"""Bitget's recorded capture is of API v1: refused with one reason. Its checksums still prove how ours is computed."""

from pathlib import Path

import msgspec
import pytest

from mdplatform.recordings.tape import Entry, parse, read_lines
from mdplatform.venuekit.books.order_book import OrderBook
from mdplatform.venues.bitget.market import checksum
from mdplatform_tests.venues.replaying import of, replay

REASON = "a message of API v1, which Bitget has switched off; v2 and v3 are read"


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> list[bytes]:
    names = ("cryptofeed_BITGET.0", "cryptofeed_BITGET.ws.2.0.gz")
    return [line for name in names for line in read_lines(shared_data / "bitget" / name)]


def test_every_frame_of_api_v1_is_refused_with_one_clear_reason(lines: list[bytes]) -> None:
    messages, summary = replay("bitget", lines)
    assert summary.frames > 400
    assert {message["type"] for message in messages} == {"dead_letter"}
    assert {(letter["reason"], letter["error"]) for letter in of(messages, "dead_letter")} == {
        ("obsolete_format", REASON)
    }


def test_the_checksum_is_the_venues_own(lines: list[bytes]) -> None:
    books: dict[str, OrderBook] = {}
    agreeing = []
    for entry in parse(lines):
        if not isinstance(entry, Entry) or b'"channel":"books"' not in entry.frame or b'"data"' not in entry.frame:
            continue
        frame = msgspec.json.decode(entry.frame)
        row, book = frame["data"][0], books.setdefault(frame["arg"]["instId"], OrderBook())
        change = book.replace if frame["action"] == "snapshot" else book.apply
        change([tuple(level) for level in row["bids"]], [tuple(level) for level in row["asks"]])
        agreeing.append(checksum(book) == row["checksum"])
    assert agreeing == [True] * 194
