"""What Kraken's spot feed sends, as it names it. Prices and sizes are JSON numbers, whose text is kept."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.core.clock import epoch_ns, rfc3339_ns
from mdplatform.core.decimals import Levels, check_positive, plain, quoted
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.rows import RowDecoder, joined
from mdplatform.venues.kraken.channels import obsolete

_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Kind = Literal["snapshot", "update"]


class Level(msgspec.Struct, gc=False):
    price: msgspec.Raw
    qty: msgspec.Raw


class BookData(msgspec.Struct):
    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    timestamp: str | None = None  # older snapshots have none


class Book(msgspec.Struct, tag_field="channel", tag="book"):
    type: _Kind
    data: list[BookData]


class TradeData(msgspec.Struct):
    symbol: str
    side: Literal["buy", "sell"]  # taker side
    price: msgspec.Raw
    qty: msgspec.Raw
    trade_id: _Id
    timestamp: str


class Trades(msgspec.Struct, tag_field="channel", tag="trade"):
    type: _Kind
    data: list[TradeData]


class TickerData(msgspec.Struct):
    symbol: str
    bid: msgspec.Raw = msgspec.Raw(b"null")
    bid_qty: msgspec.Raw = msgspec.Raw(b"null")
    ask: msgspec.Raw = msgspec.Raw(b"null")
    ask_qty: msgspec.Raw = msgspec.Raw(b"null")
    timestamp: str | None = None


class Ticker(msgspec.Struct, tag_field="channel", tag="ticker"):
    type: _Kind
    data: list[TickerData]


class PairRow(msgspec.Struct):
    symbol: str
    price_precision: int
    price_increment: msgspec.Raw
    qty_precision: int
    status: str | None = None


class PairRows(msgspec.Struct):
    pairs: list[msgspec.Raw] = []


class InstrumentList(msgspec.Struct, tag_field="channel", tag="instrument"):
    type: _Kind
    data: PairRows


PastTrade = tuple[str, str, msgspec.Raw, Literal["b", "s"], str, str, _Id]  # price, size, time in s, side, ..., id


class TradeList(msgspec.Struct):
    """Trades by REST, by a name that may be another than was asked for, and where the next page begins."""

    error: list[str]
    result: dict[str, msgspec.Raw] = {}  # lists of ``PastTrade``; text where a page begins


class Subscribed(msgspec.Struct):
    channel: str
    symbol: str | None = None
    depth: int | None = None


class Reply(msgspec.Struct):
    """The answer to a request: one for each symbol that it named."""

    method: Literal["subscribe", "unsubscribe", "ping", "pong"] | None = None  # absent where the request cannot be read
    success: bool = True
    result: Subscribed | None = None
    error: str | None = None
    symbol: str | None = None
    req_id: int | None = None


class Unused(msgspec.Struct):
    """Any message of a channel that gives no event."""

    channel: Literal["heartbeat", "status", "ohlc", "level3"]


class Shape(msgspec.Struct):
    channel: str | None = None
    method: str | None = None
    success: bool | None = None


Message = Book | Trades | Ticker | InstrumentList | Reply | Unused
_read_typed = msgspec.json.Decoder(Book | Trades | Ticker | InstrumentList).decode
_read_shape = msgspec.json.Decoder(Shape).decode
_read_reply = msgspec.json.Decoder(Reply).decode
_read_unused = msgspec.json.Decoder(Unused).decode
_read_past_trades = RowDecoder(list[PastTrade], PastTrade).decode
read_pair = msgspec.json.Decoder(PairRow).decode
_read_list = msgspec.json.Decoder(TradeList).decode
_ROWS: dict[str | None, RowDecoder[Trades] | RowDecoder[Ticker]] = {
    "trade": RowDecoder(Trades, TradeData, "data"),
    "ticker": RowDecoder(Ticker, TickerData, "data"),
}
_TYPED = ("book", "trade", "ticker", "instrument")


def read_message(frame: bytes) -> Message:
    """Raises one of ``REFUSALS``."""
    try:
        typed: Message = _read_typed(frame)
        return typed
    except msgspec.ValidationError as error:
        if frame[:1] == b"[":
            raise obsolete() from None
        shape = _read_shape(frame)
        if shape.channel in _ROWS:
            return _ROWS[shape.channel].salvaged(frame, error)
        if shape.channel in _TYPED:
            raise
    if shape.method is not None or shape.success is not None:
        return _read_reply(frame)
    if shape.channel is not None:
        return _read_unused(frame)
    raise FrameError("unknown_message", "neither of a channel nor the answer to a request")


def read_past_trades(body: bytes) -> list[PastTrade]:
    """Trades by REST; raises one of ``REFUSALS``."""
    answer = _read_list(body)
    if answer.error:
        raise FrameError("venue_error", "; ".join(answer.error))
    return joined([_read_past_trades(raw) for raw in answer.result.values() if bytes(raw)[:1] == b"["])


def past_ns(time: msgspec.Raw) -> int:
    """The time of one of them, in s; raises FrameError."""
    try:
        return epoch_ns(plain(time))
    except ValueError as error:
        raise FrameError("bad_time", str(error)) from None


def venue_ns(text: str | None, fallback_ns: int) -> int:
    """RFC 3339 text as ns; ``fallback_ns`` where there is none. Raises FrameError."""
    if text is None:
        return fallback_ns
    try:
        time_ns = rfc3339_ns(text)
    except ValueError as error:
        raise FrameError("bad_time", str(error)) from None
    if not 0 < time_ns < 2**63:
        raise FrameError("bad_time", f"not between 1970 and 2262: {text}")
    return time_ns


def levels(rows: list[Level]) -> Levels:
    return [(plain(row.price), plain(row.qty)) for row in rows]


def level(price: msgspec.Raw, qty: msgspec.Raw) -> tuple[str, str] | None:
    """One side of a ticker; None while it is empty: 0, or nothing at all."""
    texts = plain(price), plain(qty)
    return None if "null" in texts else quoted(*texts)


def ticker_ns(text: str | None, fallback_ns: int) -> int:
    """As ``venue_ns``; the first moment of 1970 stands for no time, as of a pair that nobody quotes yet."""
    return fallback_ns if text is not None and text.startswith("1970-01-01T") else venue_ns(text, fallback_ns)


def checked(trade: TradeData) -> tuple[str, str, int]:
    """(price, size, time in ns); raises FrameError."""
    price, qty = plain(trade.price), plain(trade.qty)
    check_positive(price, qty)
    return price, qty, venue_ns(trade.timestamp, 0)
