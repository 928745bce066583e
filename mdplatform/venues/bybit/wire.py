"""What Bybit sends, as it names it: wire types, their decoders, and its instrument lists."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.rows import RowDecoder

EXCHANGE = "bybit"

Time = Annotated[int, msgspec.Meta(ge=10**11, lt=10**13)]  # ms
Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Kinds = Literal["snapshot", "delta"]


class BookData(msgspec.Struct, gc=False):
    s: str
    b: Levels
    a: Levels
    u: Id


class BookFrame(msgspec.Struct, gc=False):
    type: Kinds
    ts: Time  # when it was pushed
    data: BookData
    cts: Time | None = None  # when the engine matched it; recordings of before 2023-08 have none

    @property
    def time_ms(self) -> int:
        return self.ts if self.cts is None else self.cts


class TradeRow(msgspec.Struct, gc=False):
    T: Time
    s: str
    S: Literal["Buy", "Sell"]  # taker side
    v: str
    p: str
    i: Name
    execType: str | None = None


class TradeFrame(msgspec.Struct, gc=False):
    data: list[TradeRow]


class PastTrade(msgspec.Struct, gc=False):
    """By REST."""

    execId: Name  # what the socket calls i
    symbol: str
    price: str
    size: str
    side: Literal["Buy", "Sell"]
    time: str  # ms
    execType: str | None = None


class PastTrades(msgspec.Struct):
    rows: list[PastTrade] = msgspec.field(name="list")  # newest first


class LiquidationRow(msgspec.Struct, gc=False):
    T: Time
    s: str
    S: Literal["Buy", "Sell"]  # side of the position: Buy is a long, which the liquidation sold
    v: str
    p: str  # bankruptcy price, not that of the fill


class LiquidationFrame(msgspec.Struct, gc=False):
    data: list[LiquidationRow]


class TickerData(msgspec.Struct, gc=False):
    """None: not stated, in a delta unchanged. "": there is none, as the funding rate of a dated contract."""

    symbol: str
    fundingRate: str | None = None
    markPrice: str | None = None
    indexPrice: str | None = None
    nextFundingTime: str | None = None  # ms
    openInterest: str | None = None  # both sides of each contract (documented 2026-06, beside singleOpenInterest)
    openInterestValue: str | None = None  # in quote units; of inverse contracts in base units
    lastPrice: str | None = None


class TickerFrame(msgspec.Struct, gc=False):
    type: Kinds
    ts: Time
    data: TickerData


class OptionData(msgspec.Struct, gc=False):
    """A ticker of an option. None: unchanged; "0": there is none, of a price or a volatility of a side."""

    symbol: str
    markPrice: str | None = None
    markPriceIv: str | None = None  # volatilities are fractions a year
    bidIv: str | None = None
    askIv: str | None = None
    bidPrice: str | None = None
    askPrice: str | None = None
    lastPrice: str | None = None
    delta: str | None = None
    gamma: str | None = None
    vega: str | None = None  # a percentage point
    theta: str | None = None  # a day
    underlyingPrice: str | None = None
    openInterest: str | None = None


class OptionFrame(msgspec.Struct, gc=False):
    type: Kinds
    ts: Time
    data: OptionData


class Topics(msgspec.Struct):
    successTopics: list[str] = []
    failTopics: list[str] = []


class Envelope(msgspec.Struct):
    """Whatever distinguishes one kind of frame from another. The order of its members differs between products."""

    topic: str | None = None
    op: str | None = None
    success: bool | None = None
    ret_msg: str = ""
    req_id: str | None = None
    type: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    retCode: int | None = None  # only in REST answers
    retMsg: str = ""
    result: msgspec.Raw = msgspec.Raw()


class Answer(msgspec.Struct):
    retCode: int
    retMsg: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")


def read_past_trades(body: bytes) -> list[PastTrade]:
    """An answer of recent-trade, newest first; raises FrameError and DecodeError."""
    return _read_past_trades(result_of(body)).rows


def result_of(body: bytes) -> msgspec.Raw:
    answer = _read_answer(body)
    if answer.retCode != 0:
        raise FrameError("venue_error", f"code {answer.retCode}: {answer.retMsg}")
    return answer.result


def time_ms(text: str) -> int:
    """ms in text; raises FrameError."""
    if not (text.isascii() and text.isdecimal() and len(text) == 13):
        raise FrameError("bad_time", f"no time in ms: {text[:40]!r}")
    return int(text)


read_envelope = msgspec.json.Decoder(Envelope).decode
read_topics = msgspec.json.Decoder(Topics).decode
read_book = msgspec.json.Decoder(BookFrame).decode
read_trades = RowDecoder(TradeFrame, TradeRow, "data").decode
read_liquidations = RowDecoder(LiquidationFrame, LiquidationRow, "data").decode
read_ticker = msgspec.json.Decoder(TickerFrame).decode
read_option = msgspec.json.Decoder(OptionFrame).decode
_read_answer = msgspec.json.Decoder(Answer).decode
_read_past_trades = RowDecoder(PastTrades, PastTrade, "rows").decode
