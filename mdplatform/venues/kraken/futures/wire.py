"""What Kraken's futures feed sends, as it names it. Prices and sizes are JSON numbers, whose text is kept."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.decimals import Levels, check_numbers, check_positive, plain, quoted
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.rows import RowDecoder
from mdplatform.venues.kraken.channels import obsolete
from mdplatform.venues.kraken.spot.wire import Level

_Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_ABSENT = msgspec.Raw(b"null")
_RATE_DECIMALS = 18  # more than any account is settled with, and no more than our numbers have
_OF_V1 = ("heartbeat", "systemStatus", "subscriptionStatus", "pong")  # of the spot feed that v2 replaced


class BookDelta(msgspec.Struct, tag_field="feed", tag="book", gc=False):
    """One level of one product."""

    product_id: str
    side: Literal["buy", "sell"]  # buy: bids
    seq: _Id
    price: msgspec.Raw
    qty: msgspec.Raw
    timestamp: int


class BookSnapshot(msgspec.Struct, tag_field="feed", tag="book_snapshot"):
    product_id: str
    seq: _Id
    timestamp: int
    bids: list[Level]  # may hold sizes of zero
    asks: list[Level]


class Trade(msgspec.Struct, tag_field="feed", tag="trade"):
    product_id: str
    side: Literal["buy", "sell"]  # taker side
    type: str  # fill, liquidation, termination, block
    seq: _Id
    time: int
    qty: msgspec.Raw
    price: msgspec.Raw


class TradeSnapshot(msgspec.Struct, tag_field="feed", tag="trade_snapshot"):
    product_id: str
    trades: list[Trade]  # the newest first


class Ticker(msgspec.Struct, tag_field="feed", tag="ticker"):
    product_id: str
    time: int
    tag: str  # perpetual, month, quarter, ...
    relative_funding_rate: msgspec.Raw = _ABSENT  # absent where it is zero
    relative_funding_rate_prediction: msgspec.Raw = _ABSENT
    last: msgspec.Raw = _ABSENT
    next_funding_rate_time: int | None = None  # 0 where none is due
    markPrice: msgspec.Raw = _ABSENT
    index: msgspec.Raw = _ABSENT
    openInterest: msgspec.Raw = _ABSENT  # in the units of other sizes
    bid: msgspec.Raw = _ABSENT
    bid_size: msgspec.Raw = _ABSENT
    ask: msgspec.Raw = _ABSENT
    ask_size: msgspec.Raw = _ABSENT


class Unused(msgspec.Struct):
    """Any message of a feed that gives no event."""

    feed: Literal["ticker_lite", "heartbeat"]


class Notice(msgspec.Struct):
    """An answer to a request, or the greeting."""

    event: Literal["info", "subscribed", "unsubscribed", "error", "alert"]
    feed: str | None = None
    product_ids: list[str] = []
    message: str | None = None


class Shape(msgspec.Struct):
    feed: str | None = None
    event: str | None = None


Message = BookDelta | BookSnapshot | Trade | TradeSnapshot | Ticker | Unused | Notice
_TYPED = ("book", "book_snapshot", "trade", "trade_snapshot", "ticker")
_read_typed = msgspec.json.Decoder(BookDelta | BookSnapshot | Trade | TradeSnapshot | Ticker).decode
_read_trades = RowDecoder(TradeSnapshot, Trade, "trades")
_read_shape = msgspec.json.Decoder(Shape).decode
_read_unused = msgspec.json.Decoder(Unused).decode
_read_notice = msgspec.json.Decoder(Notice).decode


def read_message(frame: bytes) -> Message:
    """Raises one of ``REFUSALS``."""
    try:
        typed: Message = _read_typed(frame)
        return typed
    except msgspec.ValidationError as error:
        shape = _read_shape(frame)
        if shape.feed == "trade_snapshot":
            return _read_trades.salvaged(frame, error)
        if shape.event is None and shape.feed in _TYPED:
            raise
    if shape.event in _OF_V1:
        raise obsolete()
    if shape.event is not None:
        return _read_notice(frame)
    if shape.feed is not None:
        return _read_unused(frame)
    raise FrameError("unknown_message", "neither of a feed nor an event")


def venue_ns(time: int) -> int:
    """Milliseconds since 1970."""
    if not is_time(time):
        raise FrameError("bad_time", f"not ms since 1970: {time}")
    return time * MS


def is_time(time: int) -> bool:
    return 10**11 <= time < 10**13


def levels(rows: list[Level]) -> Levels:
    return [(plain(row.price), plain(row.qty)) for row in rows]


def number(raw: msgspec.Raw) -> str | None:
    """Its text; None where it is absent."""
    text = plain(raw)
    return None if text == "null" else text


def level(price: msgspec.Raw, size: msgspec.Raw) -> tuple[str, str] | None:
    """One side of a ticker; None while it is empty. Raises FrameError for what is no number."""
    at, of = number(price), number(size)
    if at is None or of is None:
        return None
    check_numbers(at, of)
    return quoted(at, of)


def rate(ticker: Ticker) -> str | None:
    """The fraction paid an hour; None for what pays none."""
    if ticker.tag != "perpetual":
        return None
    return _shortened(number(ticker.relative_funding_rate) or "0")


def predicted_rate(ticker: Ticker) -> str | None:
    """That of the next hour, as the venue expects it; None where it states none."""
    text = number(ticker.relative_funding_rate_prediction)
    return None if text is None or ticker.tag != "perpetual" else _shortened(text)


def _shortened(text: str) -> str:
    whole, dot, fraction = text.partition(".")
    return whole + dot + fraction[:_RATE_DECIMALS]


def checked(trade: Trade) -> tuple[str, str, int]:
    """(price, size, time in ns); raises FrameError."""
    price, qty = plain(trade.price), plain(trade.qty)
    check_positive(price, qty)
    return price, qty, venue_ns(trade.time)
