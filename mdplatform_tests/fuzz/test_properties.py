"""What holds for every value, not just for those that somebody thought of."""

from __future__ import annotations

import base64
import json
from dataclasses import fields
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mdplatform.core.codec import encode
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import Book, DeadLetter, RawFrame, Trade
from mdplatform.core.messages import decode_book, decode_trade
from mdplatform.core.settings import Settings, hide, load
from mdplatform.core.shards import parse

# A machine that is busy is no reason to fail.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
WHOLE = st.integers(0, 10**18 - 1).map(str)
NUMBER = st.one_of(WHOLE, st.builds("{}.{}".format, WHOLE, st.text("0123456789", min_size=1, max_size=18)))
PRICE = NUMBER.filter(lambda text: Decimal(text) > 0)
LEVELS = st.lists(st.tuples(NUMBER, NUMBER), max_size=5)
TIME_NS = st.integers(0, 2**63 - 1)


@patient
@given(TEXT, TEXT, LEVELS, LEVELS, TIME_NS, st.integers(0, 2**63 - 1))
def test_a_book_says_what_the_venue_said(
    exchange: str, symbol: str, bids: list[tuple[str, str]], asks: list[tuple[str, str]], at_ns: int, sequence: int
) -> None:
    sides = [[level[n] for level in side] for side in (bids, asks) for n in (0, 1)]
    key, value = encode(Book(exchange, symbol, *sides, at_ns, sequence, None, at_ns))
    said = json.loads(value, parse_float=Decimal, parse_int=Decimal)
    assert (said["exchange"], said["symbol"], key) == (exchange, symbol, symbol.encode())
    assert [[str(number) for number in said[name]] for name in ("b", "bv", "a", "av")] == [
        [str(Decimal(number)) for number in side] for side in sides
    ]
    assert decode_book(value).sequence == sequence


@patient
@given(TEXT, TEXT, TEXT, PRICE, NUMBER, st.sampled_from(["buy", "sell"]), TIME_NS)
def test_a_trade_is_read_back_the_same(
    exchange: str, symbol: str, number: str, price: str, size: str, side: str, at_ns: int
) -> None:
    event = Trade(exchange, symbol, number, price, size, side, at_ns, at_ns)  # type: ignore[arg-type]
    read = decode_trade(encode(event)[1])
    assert (read.exchange, read.symbol, read.id, read.side) == (exchange, symbol, number, side)
    assert (read.price, read.qty) == (float(price), float(size))


@patient
@given(st.binary(max_size=200), TEXT)
def test_a_refused_frame_is_kept_byte_by_byte(frame: bytes, error: str) -> None:
    for event in (DeadLetter("v", "r", error, frame, 1, "c"), RawFrame("v", "c", 1, 1, frame)):
        said = json.loads(encode(event)[1])
        kept = said["frame"].encode()
        assert (base64.b64decode(kept) if said.get("encoding") == "base64" else kept) == frame


@patient
@given(st.dictionaries(st.sampled_from([f.metadata["variable"] for f in fields(Settings)]), TEXT))
def test_settings_are_read_or_refused_in_one_line_and_never_shown_whole(environ: dict[str, str]) -> None:
    try:
        load(environ).shown()
    except ConfigError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right


@patient
@given(TEXT.filter(lambda text: len(text) > 2), st.sampled_from(["http", "https"]))
def test_a_password_never_stays_in_an_address(password: str, scheme: str) -> None:
    assert hide(f"{scheme}://user:{password}@host:1") == f"{scheme}://user:***@host:1"


@patient
@given(TEXT)
def test_wanted_collectors_are_understood_or_refused(text: str) -> None:
    try:
        shards = parse(text, ("binance", "okx"))
    except ConfigError:
        return
    assert parse(";".join(map(str, shards)), ("binance", "okx")) == shards
