"""What KuCoin sends, as it names it: an envelope with a topic and a subject, and the data of each subject."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.decimals import ZEROS, Levels, plain
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.books.diff import Snapshot
from mdplatform.venuekit.rows import RowDecoder

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Side = Literal["buy", "sell"]
_ABSENT = msgspec.Raw(b"null")
_Level = tuple[msgspec.Raw, msgspec.Raw]  # price, size; sizes of futures are numbers


class Envelope(msgspec.Struct):
    """Any frame, and the body of any REST answer (``code`` is text there)."""

    type: str | None = None
    topic: str | None = None
    subject: str | None = None
    data: msgspec.Raw = _ABSENT
    id: str | None = None
    code: str | int | None = None
    msg: str | None = None


class Changes(msgspec.Struct):
    asks: list[tuple[str, str, str]]  # price, size, sequence
    bids: list[tuple[str, str, str]]


class SpotDiff(msgspec.Struct):
    changes: Changes
    sequenceStart: Id
    sequenceEnd: Id
    symbol: str
    time: int | None = None  # ms; absent in 2021


class FuturesDiff(msgspec.Struct):
    sequence: Id
    change: str  # price,side,size
    timestamp: int  # ms


class Depth(msgspec.Struct):
    asks: list[_Level]
    bids: list[_Level]
    timestamp: int  # ms
    sequence: Id | None = None  # futures only


class SpotMatch(msgspec.Struct):
    symbol: str
    side: Side  # taker side
    size: str
    price: str
    tradeId: str
    time: str  # ns


class FuturesMatch(msgspec.Struct):
    symbol: str
    side: Side  # taker side
    size: msgspec.Raw
    price: str
    tradeId: str
    ts: int  # ns


_Best = Annotated[list[str], msgspec.Meta(max_length=2)]  # price, size; or empty


class Level1(msgspec.Struct):
    asks: _Best
    bids: _Best
    timestamp: int  # ms


class TickerV2(msgspec.Struct):
    symbol: str
    sequence: Id
    ts: int  # ns
    bestBidSize: msgspec.Raw = _ABSENT
    bestBidPrice: str | None = None
    bestAskPrice: str | None = None
    bestAskSize: msgspec.Raw = _ABSENT


class State(msgspec.Struct):
    """Mark and index price or the funding rate: each comes in a message of its own."""

    timestamp: int  # ms
    markPrice: msgspec.Raw = _ABSENT
    indexPrice: msgspec.Raw = _ABSENT
    fundingRate: msgspec.Raw = _ABSENT


class Contract(msgspec.Struct):
    """What is said of one contract; of it only what changes (documented 2025-11)."""

    symbol: str
    openInterest: str  # in lots, as other sizes
    markPrice: msgspec.Raw = _ABSENT


class BookAnswer(msgspec.Struct):
    sequence: msgspec.Raw  # text in spot
    bids: list[_Level]
    asks: list[_Level]
    symbol: str | None = None  # futures only


class RestTrade(msgspec.Struct):
    """A trade by REST: ``time`` in spot, ``ts`` in futures; a spot trade's id is its sequence."""

    sequence: msgspec.Raw
    price: str
    size: msgspec.Raw
    side: Side
    time: int | None = None  # ns
    ts: int | None = None  # ns
    tradeId: str | None = None


class Server(msgspec.Struct):
    endpoint: Annotated[str, msgspec.Meta(pattern="^wss?://")]
    pingInterval: Annotated[int, msgspec.Meta(gt=0)]  # ms
    pingTimeout: Annotated[int, msgspec.Meta(gt=0)]  # ms


class Ticket(msgspec.Struct):
    token: str
    instanceServers: Annotated[list[Server], msgspec.Meta(min_length=1)]


read_envelope = msgspec.json.Decoder(Envelope).decode
read_spot_diff = msgspec.json.Decoder(SpotDiff).decode
read_futures_diff = msgspec.json.Decoder(FuturesDiff).decode
read_depth = msgspec.json.Decoder(Depth).decode
read_spot_match = msgspec.json.Decoder(SpotMatch).decode
read_futures_match = msgspec.json.Decoder(FuturesMatch).decode
read_level1 = msgspec.json.Decoder(Level1).decode
read_ticker = msgspec.json.Decoder(TickerV2).decode
read_state = msgspec.json.Decoder(State).decode
_read_book = msgspec.json.Decoder(BookAnswer).decode
_read_rest_trades = RowDecoder(list[RestTrade], RestTrade).decode
_read_contract = msgspec.json.Decoder(Contract).decode
_read_ticket = msgspec.json.Decoder(Ticket).decode


def number_of(request: str) -> int:
    """The number of a request of ours, by the id that its answer states; -1 where it is none of ours."""
    return int(request) if request.isascii() and request.isdecimal() and len(request) < 10 else -1


def answered(body: bytes) -> msgspec.Raw:
    """The data of a REST answer; raises one of ``REFUSALS``."""
    answer = read_envelope(body)
    if answer.code != "200000":
        raise FrameError("venue_error", f"code {answer.code}: {answer.msg}")
    return answer.data


def read_ticket(body: bytes) -> Ticket:
    """Raises one of ``REFUSALS``."""
    return _read_ticket(answered(body))


def read_snapshot(data: msgspec.Raw) -> tuple[Snapshot, str | None]:
    """The book, and the symbol where it is named; raises one of ``REFUSALS``."""
    book = _read_book(data)
    text = plain(book.sequence)
    if not text.isdecimal():
        raise FrameError("wrong_shape", f"sequence is no number: {text[:40]!r}")
    return Snapshot(int(text), levels(book.bids), levels(book.asks)), book.symbol


def read_rest_trades(body: bytes) -> list[RestTrade]:
    """Trades by REST; raises one of ``REFUSALS``."""
    return _read_rest_trades(answered(body))


def read_contract(body: bytes) -> Contract:
    """The state of one contract by REST; raises one of ``REFUSALS``."""
    return _read_contract(answered(body))


def levels(rows: list[_Level]) -> Levels:
    return [(plain(price), plain(size)) for price, size in rows]


def number(raw: msgspec.Raw) -> str | None:
    """Its text; None where it is absent."""
    text = plain(raw)
    return None if text == "null" else text


def changed(rows: list[tuple[str, str, str]]) -> Levels:
    """Prices of zero only count the sequence up."""
    return [(price, size) for price, size, _ in rows if price not in ZEROS]


def ms(time: int | None, fallback_ns: int) -> int:
    """Milliseconds as ns; ``fallback_ns`` where there is none. Raises FrameError."""
    if time is None:
        return fallback_ns
    if not 10**11 <= time < 10**13:
        raise FrameError("bad_time", f"not ms since 1970: {time}")
    return time * MS


def ns(time: int | str) -> int:
    """Raises FrameError."""
    text = str(time)
    if not text.isdecimal() or not 10**17 <= int(text) < 2**63:
        raise FrameError("bad_time", f"not ns since 1970: {text[:40]!r}")
    return int(text)
