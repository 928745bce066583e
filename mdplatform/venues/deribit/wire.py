"""What Deribit sends, as it names it: wire types and their decoders.

Numbers are JSON numbers, times ms (documented).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.decimals import SHORT, ZEROS, Levels, check_numbers, plain
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Side
from mdplatform.venuekit.rows import RowDecoder

T = TypeVar("T")

_NULL = msgspec.Raw(b"null")
_NOTHING = msgspec.Raw(b"")

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Time = Annotated[int, msgspec.Meta(ge=0, le=(2**63 - 1) // MS)]
Action = Literal["new", "change", "delete"]


def number(raw: msgspec.Raw) -> str:
    """The digits of a JSON number as they were sent; an exponent is written out (probed: ``2.2e3``, autumn 2026)."""
    text = str(raw, "utf-8")
    return plain(text) if "e" in text or "E" in text or len(text) > SHORT else text


def stated(raw: msgspec.Raw) -> str | None:
    """As ``number``; None where the venue states none."""
    text = number(raw)
    return None if text == "null" else text


def above_zero(raw: msgspec.Raw) -> str | None:
    """As ``stated``; None for 0, too."""
    text = stated(raw)
    return None if text in ZEROS else text


def fraction(raw: msgspec.Raw) -> str | None:
    """Percent as a fraction, exact; None for 0. Raises FrameError."""
    text = above_zero(raw)
    if text is None:
        return None
    check_numbers(text)
    return f"{Decimal(text).scaleb(-2):f}"


def side_of(price: msgspec.Raw, amount: msgspec.Raw) -> tuple[str, str] | None:
    """The best level; an empty side has null or 0 in place of a price."""
    text = number(price)
    return None if text == "null" or text in ZEROS else (text, number(amount))


def levels(rows: list[tuple[Action, msgspec.Raw, msgspec.Raw]], action: Action | None = None) -> Levels:
    """(price, size) of each row; raises FrameError where the action is not the one there may be, or not the size's."""
    out = []
    for verb, price, amount in rows:
        size = number(amount)
        if (verb == "delete") != (size in ZEROS) or (action is not None and verb != action):
            raise FrameError("wrong_shape", f"a level of size {size[:40]} cannot be {verb!r} here")
        out.append((number(price), size))
    return out


def in_order(rows: list[TradeData]) -> list[TradeData]:
    """In the order of their numbers."""
    return sorted(rows, key=lambda row: row.trade_seq)


class Envelope(msgspec.Struct):
    """Any message: a notification (``method`` and ``params``) or a reply (``result`` or ``error``)."""

    method: str | None = None
    params: msgspec.Raw = _NOTHING
    id: int | str | None = None
    result: msgspec.Raw = _NOTHING
    error: Error | None = None


class Error(msgspec.Struct):
    code: int
    message: str


class Named(msgspec.Struct):
    channel: str


class Beat(msgspec.Struct):
    type: Literal["heartbeat", "test_request"]


class Result(msgspec.Struct):
    """What distinguishes one object from another among the results."""

    access_token: str | None = None
    refresh_token: str | None = None
    expires_in: Annotated[int, msgspec.Meta(gt=0, le=2**31 - 1)] | None = None
    version: str | None = None
    trades: list[TradeData] | None = None
    change_id: Id | None = None


class Params(msgspec.Struct, Generic[T], gc=False):
    data: T


class Notification(msgspec.Struct, Generic[T], gc=False):
    params: Params[T]


class BookData(msgspec.Struct, gc=False):
    type: Literal["snapshot", "change"]
    instrument_name: str
    timestamp: Time
    change_id: Id
    bids: list[tuple[Action, msgspec.Raw, msgspec.Raw]]
    asks: list[tuple[Action, msgspec.Raw, msgspec.Raw]]
    prev_change_id: Id | None = None


class TopData(msgspec.Struct, gc=False):
    instrument_name: str
    timestamp: Time
    change_id: Id
    bids: list[tuple[msgspec.Raw, msgspec.Raw]]
    asks: list[tuple[msgspec.Raw, msgspec.Raw]]


class TradeData(msgspec.Struct, gc=False):
    instrument_name: str
    timestamp: Time
    trade_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    trade_seq: Id
    price: msgspec.Raw
    amount: msgspec.Raw
    direction: Side  # the taker's
    liquidation: Literal["M", "T", "MT"] | None = None  # whose order was liquidated: M maker, T taker, MT both


class TradeList(msgspec.Struct):
    trades: list[TradeData]
    has_more: bool


class TickerData(msgspec.Struct, gc=False):
    instrument_name: str
    timestamp: Time
    mark_price: msgspec.Raw
    index_price: msgspec.Raw
    current_funding: msgspec.Raw = _NULL  # perpetuals only
    last_price: msgspec.Raw = _NULL  # null where nobody traded
    open_interest: msgspec.Raw = _NULL  # in USD for inverse futures, in base units for all else (documented)


class Greeks(msgspec.Struct, gc=False):
    delta: msgspec.Raw = _NULL
    gamma: msgspec.Raw = _NULL
    vega: msgspec.Raw = _NULL
    theta: msgspec.Raw = _NULL
    rho: msgspec.Raw = _NULL


class OptionData(TickerData, gc=False):
    """A ticker of an option. Volatilities are in percent, 0 where a side is empty, as its price is."""

    mark_iv: msgspec.Raw = _NULL
    bid_iv: msgspec.Raw = _NULL
    ask_iv: msgspec.Raw = _NULL
    best_bid_price: msgspec.Raw = _NULL
    best_ask_price: msgspec.Raw = _NULL
    greeks: Greeks | None = None
    underlying_index: str | None = None
    underlying_price: msgspec.Raw = _NULL


class PerpetualData(msgspec.Struct, gc=False):
    timestamp: Time
    interest: msgspec.Raw
    index_price: msgspec.Raw


class IndexData(msgspec.Struct, gc=False):
    index_name: str  # btc_usd
    timestamp: Time
    price: msgspec.Raw = _NULL
    volatility: msgspec.Raw = _NULL  # percent a year, of DVOL


class QuoteData(msgspec.Struct, gc=False):
    instrument_name: str
    timestamp: Time
    best_bid_price: msgspec.Raw
    best_bid_amount: msgspec.Raw
    best_ask_price: msgspec.Raw
    best_ask_amount: msgspec.Raw


class Answer(msgspec.Struct, Generic[T]):
    result: T


read_envelope = msgspec.json.Decoder(Envelope).decode
read_named = msgspec.json.Decoder(Named).decode
read_beat = msgspec.json.Decoder(Beat).decode
read_result = RowDecoder(Result, TradeData, "trades").decode
read_names = msgspec.json.Decoder(list[str]).decode
read_ignored = msgspec.json.Decoder(Notification[msgspec.Raw]).decode
read_book = msgspec.json.Decoder(Notification[BookData]).decode
read_top = msgspec.json.Decoder(Notification[TopData]).decode
read_trades = RowDecoder(Notification[list[TradeData]], TradeData, "params", "data").decode
read_ticker = msgspec.json.Decoder(Notification[TickerData]).decode
read_option = msgspec.json.Decoder(Notification[OptionData]).decode
read_perpetual = msgspec.json.Decoder(Notification[PerpetualData]).decode
read_index = msgspec.json.Decoder(Notification[IndexData]).decode
read_quote = msgspec.json.Decoder(Notification[QuoteData]).decode
read_trade_list = RowDecoder(Answer[TradeList], TradeData, "result", "trades").decode
