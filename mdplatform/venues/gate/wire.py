"""What Gate sends, as it names it: wire types and their decoders."""

from __future__ import annotations

import re
from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from mdplatform.core.clock import MS, SECOND, epoch_ns
from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.books.diff import Snapshot
from mdplatform.venuekit.rows import RowDecoder

T = TypeVar("T")

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Count = int | str  # contracts: text where the connection asked for decimals, else a whole number, cut off
_MS_TEXT = re.compile(r"[0-9]{13}(?:\.[0-9]{1,6})?")


def ms_ns(time_ms: int) -> int:
    """A time in ms as ns; raises FrameError for what is none."""
    if 10**12 <= time_ms < 10**13:
        return time_ms * MS
    raise FrameError("bad_time", f"not ms since 1970: {time_ms}")


def ms_text_ns(text: str) -> int:
    """As ``ms_ns``, of text with digits below the ms."""
    if not _MS_TEXT.fullmatch(text):
        raise FrameError("bad_time", f"not ms since 1970: {text[:40]!r}")
    return epoch_ns(text)


def seconds_ns(time: int | None) -> int | None:
    """A time in s as ns; None where there is none. Raises FrameError for what is no time."""
    if not time:
        return None
    if 10**9 <= time < 10**10:
        return time * SECOND
    raise FrameError("bad_time", f"not s since 1970: {time}")


class Push(msgspec.Struct, Generic[T], gc=False):
    """A channel's message."""

    channel: str
    event: Literal["update", "all"]
    result: T
    time: int = 0  # s; messages of ``obu`` state only ``time_ms``
    time_ms: int = 0


class SpotBook(msgspec.Struct, gc=False):
    t: int
    s: str
    u: Id
    b: Levels
    a: Levels
    U: Id | None = None  # a full book may do without
    full: bool = False


class SpotTrade(msgspec.Struct, gc=False):
    id: Id
    create_time_ms: str
    side: Literal["buy", "sell"]  # taker side
    currency_pair: str
    amount: str
    price: str
    id_market: Id | None = None  # not yet sent in 2021


class RestTrade(msgspec.Struct, gc=False):
    """Of the list by REST; ``sequence_id`` counts the trades of the pair, as ``id_market`` does on the socket."""

    id: str
    create_time_ms: str
    side: Literal["buy", "sell"]
    amount: str
    price: str
    sequence_id: str


class SpotQuote(msgspec.Struct, gc=False):
    t: int
    u: Id
    s: str
    b: str
    B: str
    a: str
    A: str


class Level(msgspec.Struct, gc=False):
    p: str
    s: Count


class FuturesBook(msgspec.Struct, gc=False):
    t: int
    s: str
    u: Id
    b: list[Level]
    a: list[Level]
    U: Id | None = None
    full: bool = False


class Stream(msgspec.Struct, gc=False):
    """Of ``obu``, of either section: sizes are text, those of contracts with what lies behind the dot."""

    t: int
    s: str  # ob.<symbol>.<levels>
    u: Id
    U: Id | None = None  # a full book has none
    full: bool = False
    b: Levels = []  # either may be left out where it did not change
    a: Levels = []


class FuturesTrade(msgspec.Struct, gc=False):
    size: Count  # above zero: the taker bought
    id: Id
    create_time_ms: int
    price: str
    contract: str
    is_internal: bool = False


class FuturesQuote(msgspec.Struct, gc=False):
    t: int
    u: Id
    s: str
    b: str
    B: Count
    a: str
    A: Count


class Ticker(msgspec.Struct, gc=False):
    contract: str
    mark_price: str
    index_price: str
    funding_rate: str | None = None  # dated contracts have none
    funding_next_apply: int | None = None  # s; not yet sent in 2023
    t: int | None = None
    total_size: Count | None = None  # open contracts
    funding_rate_indicative: str | None = None  # of the next interval
    last: str | None = None


class LiquidationOrder(msgspec.Struct, gc=False):
    """One of a list, or alone: then its time in ms has the name that is in s elsewhere."""

    price: msgspec.Raw
    size: Count
    contract: str
    time_ms: int | None = None
    time: int = 0  # ms


class SpotDepth(msgspec.Struct, gc=False):
    """REST order book."""

    id: Id
    asks: Levels
    bids: Levels


class FuturesDepth(msgspec.Struct, gc=False):
    id: Id
    asks: list[Level]
    bids: list[Level]


class Problem(msgspec.Struct):
    code: int
    message: str


class Envelope(msgspec.Struct):
    """Whatever distinguishes one kind of frame from another."""

    channel: str | None = None
    event: str = ""
    id: int | None = None
    payload: list[str] = []  # of a reply: what it answers
    error: Problem | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    asks: object = None  # of a REST order book
    label: str | None = None  # of a REST error
    message: str | None = None


class Notice(msgspec.Struct):
    type: str


def stream(name: str) -> tuple[str, int]:
    """The symbol and the number of levels of a stream of ``obu``; raises FrameError."""
    symbol, _, levels = name.removeprefix("ob.").rpartition(".")
    if not name.startswith("ob.") or not symbol or levels not in ("50", "400"):
        raise FrameError("wrong_shape", f"no stream ob.<symbol>.<levels>: {name[:40]!r}")
    return symbol, int(levels)


def symbol_of(word: str) -> str:
    """What a word of a request's payload is about."""
    return word.removeprefix("ob.").rpartition(".")[0] if word.startswith("ob.") else word


def pairs(levels: list[Level]) -> Levels:
    return [(level.p, str(level.s)) for level in levels]


def read_spot_snapshot(body: bytes) -> Snapshot:
    data = _read_spot_depth(body)
    return Snapshot(data.id, data.bids, data.asks)


def read_futures_snapshot(body: bytes) -> Snapshot:
    data = _read_futures_depth(body)
    return Snapshot(data.id, pairs(data.bids), pairs(data.asks))


read_envelope = msgspec.json.Decoder(Envelope).decode
read_push = msgspec.json.Decoder(Push[msgspec.Raw]).decode
read_notice = msgspec.json.Decoder(Notice).decode
read_stream = msgspec.json.Decoder(Push[Stream]).decode
read_spot_book = msgspec.json.Decoder(Push[SpotBook]).decode
read_spot_trade = msgspec.json.Decoder(Push[SpotTrade]).decode
read_spot_quote = msgspec.json.Decoder(Push[SpotQuote]).decode
read_rest_trades = RowDecoder(list[RestTrade], RestTrade).decode
read_futures_book = msgspec.json.Decoder(Push[FuturesBook]).decode
read_futures_trades = RowDecoder(Push[list[FuturesTrade]], FuturesTrade, "result").decode
read_futures_quote = msgspec.json.Decoder(Push[FuturesQuote]).decode
read_tickers = RowDecoder(Push[list[Ticker]], Ticker, "result").decode
read_liquidations = RowDecoder(Push[list[LiquidationOrder] | LiquidationOrder], LiquidationOrder, "result").decode
_read_spot_depth = msgspec.json.Decoder(SpotDepth).decode
_read_futures_depth = msgspec.json.Decoder(FuturesDepth).decode
