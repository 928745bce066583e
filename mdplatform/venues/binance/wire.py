"""What Binance's spot sockets send, as it names it: wire types and their decoders. Futures share some of them."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.decimals import ZEROS, Levels
from mdplatform.core.errors import UNREADABLE, FrameError
from mdplatform.core.events import Side
from mdplatform.core.instrument_list import ABSENT, amount, decoded
from mdplatform.venuekit.books.diff import Snapshot
from mdplatform.venuekit.rows import RowDecoder

T = TypeVar("T")


def venue_ns(time: int) -> int:
    """E or T: ms, or us where the connection asked for ``timeUnit=MICROSECOND``."""
    if 10**11 <= time < 10**13:
        return time * MS
    if 10**14 <= time < 10**16:
        return time * 1000
    raise FrameError("bad_time", f"neither ms nor us since 1970: {time}")


def level(price: str, size: str) -> tuple[str, str] | None:
    """A best price and its size; None where the venue sends zeros for an empty side."""
    # The first digit is enough for most of them: to look a text up it has to be hashed.
    return None if price[:1] == "0" and price in ZEROS and size in ZEROS else (price, size)


def taker(maker_bought: bool) -> Side:
    return "sell" if maker_bought else "buy"


def read_snapshot(body: bytes) -> Snapshot:
    data = _read_depth(body)
    return Snapshot(data.lastUpdateId, data.bids, data.asks)


Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class DepthData(msgspec.Struct, gc=False):
    """Partial book and REST depth."""

    lastUpdateId: Id
    bids: Levels
    asks: Levels


class Symboled(msgspec.Struct, gc=False):
    """Any message that says whose it is."""

    s: str


class DiffData(Symboled, gc=False):
    E: int
    U: Id
    u: Id
    b: Levels
    a: Levels


class TradeData(Symboled, gc=False):
    t: Id
    p: str
    q: str
    T: int
    m: bool


class TradeRow(msgspec.Struct, gc=False):
    """One of the trades listed by REST."""

    id: Id
    price: str
    qty: str
    time: int
    isBuyerMaker: bool


class TickerData(Symboled, gc=False):
    u: Id
    b: str
    B: str
    a: str
    A: str


class Combined(msgspec.Struct, Generic[T], gc=False):
    data: T


class Problem(msgspec.Struct):
    code: int | None = None
    msg: str | None = None


class Envelope(msgspec.Struct):
    """Whatever distinguishes one kind of frame from another."""

    stream: str | None = None
    e: str | None = None
    s: str | None = None
    A: str | None = None
    o: msgspec.Raw = msgspec.Raw()
    lastUpdateId: int | None = None
    symbols: object = None
    id: int | str | None = None
    code: int | None = None
    msg: str | None = None
    error: Problem | None = None


def symbol_of(message: Envelope) -> str:
    """The symbol stands in the message or, of a liquidation, in its order. Raises FrameError."""
    symbol = message.s
    if symbol is None and bytes(message.o):
        symbol = msgspec.json.decode(message.o, type=Symboled).s
    if symbol is None:
        raise FrameError("wrong_shape", f"no symbol in a message of the kind {message.e}")
    return symbol


def read_messages(frame: bytes) -> list[bytes]:
    """The message of a stream of all symbols, or the several that it holds."""
    data = bytes(read_ignored(frame).data)
    return [bytes(message) for message in _read_list(data)] if data[:1] == b"[" else [data]


class Filter(msgspec.Struct):
    filterType: str
    tickSize: msgspec.Raw = ABSENT
    stepSize: msgspec.Raw = ABSENT


def filters_of(raw: msgspec.Raw) -> tuple[str | None, str | None]:
    """Tick and step, where they are stated: a pair that does not trade may have neither."""
    try:
        filters = _read_filters(raw)
    except UNREADABLE:
        return None, None
    tick = next((amount(f.tickSize) for f in filters if f.filterType == "PRICE_FILTER"), None)
    return tick, next((amount(f.stepSize) for f in filters if f.filterType == "LOT_SIZE"), None)


class ExchangeInfo(msgspec.Struct):
    symbols: list[msgspec.Raw]


def exchange_info(body: bytes) -> list[msgspec.Raw]:
    """The rows of exchangeInfo's answer; raises FrameError."""
    return decoded(_read_info, body, "not an exchangeInfo answer").symbols


read_envelope = msgspec.json.Decoder(Envelope).decode
read_ignored = msgspec.json.Decoder(Combined[msgspec.Raw]).decode
read_diff = msgspec.json.Decoder(Combined[DiffData]).decode
read_partial = msgspec.json.Decoder(Combined[DepthData]).decode
read_trade = msgspec.json.Decoder(Combined[TradeData]).decode
read_trade_rows = RowDecoder(list[TradeRow], TradeRow).decode
read_ticker = msgspec.json.Decoder(Combined[TickerData]).decode
_read_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_read_info = msgspec.json.Decoder(ExchangeInfo).decode
_read_filters = msgspec.json.Decoder(list[Filter]).decode
_read_depth = msgspec.json.Decoder(DepthData).decode
