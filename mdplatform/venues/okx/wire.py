"""What OKX sends, as it names it: wire types and their decoders. Numbers are texts, times are ms as text."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.decimals import SHORT, ZEROS, Levels, plain
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.rows import RowDecoder

T = TypeVar("T")

EXCHANGE = "okx"
# Texts of so many digits are in the order of their numbers. From the end on, 64 bits do not hold the nanoseconds.
_FIRST_MS, _END_MS = str(10**12), str(2**63 // MS)

Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Level = tuple[str, str, str, str]  # price, size, "0" (no meaning any more), number of orders
Side = Literal["buy", "sell"]


def venue_ns(ts: str) -> int:
    """13 digits of ms: 2001 to 2262. Raises FrameError."""
    if len(ts) == 13 and _FIRST_MS <= ts < _END_MS and ts.isascii() and ts.isdecimal():
        return int(ts) * MS
    raise FrameError("bad_time", f"not ms since 1970: {ts[:40]!r}")


def pairs(levels: list[Level]) -> Levels:
    """(price, size) of each level."""
    return [(price, size) for price, size, _, _ in levels]


def stated(text: str) -> str | None:
    """The venue writes "" where it states nothing."""
    return text or None


def above_zero(text: str) -> str | None:
    """As ``stated``; None for 0, too."""
    return None if text in ZEROS else stated(text)


def real(text: str) -> str | None:
    """As ``stated``, an exponent written out (seen in 2026: ``1.234e-5``)."""
    return plain(text) if "e" in text or len(text) > SHORT else stated(text)


class Arg(msgspec.Struct, frozen=True, omit_defaults=True):
    """A subscription. By ``instType`` (SWAP, FUTURES, OPTION) where a channel covers a whole kind of instruments, by
    ``instFamily`` (BTC-USD) where it covers all options of one."""

    channel: str
    instId: str | None = None
    instType: str | None = None
    instFamily: str | None = None

    def __str__(self) -> str:
        return f"{self.channel} of {self.instId or self.instFamily or self.instType or '?'}"


class Push(msgspec.Struct, Generic[T], gc=False):
    """Data of a channel; ``action`` only where it sends a book and then its changes."""

    arg: Arg
    data: Annotated[list[T], msgspec.Meta(min_length=1)]
    action: Literal["snapshot", "update"] | None = None


class BookData(msgspec.Struct, gc=False):
    """Levels of ``books``, ``books5``, ``bbo-tbt`` and of the REST book."""

    asks: list[Level]
    bids: list[Level]
    ts: str
    seqId: Id | None = None  # none in recordings of 2022, nor always by REST
    prevSeqId: Annotated[int, msgspec.Meta(ge=-1, le=2**63 - 1)] | None = None  # -1: a snapshot; only in ``books``
    checksum: int | None = None  # constant 0 since 2026-06-23


class TradeData(msgspec.Struct, gc=False):
    instId: str
    tradeId: str  # of the last match of the group
    px: str
    sz: str
    side: Side  # the taker's
    ts: str
    count: str = "1"  # matches in the group; the channel trades-all has none


class LiquidationOrder(msgspec.Struct, gc=False):
    side: Side  # of the order that closes the position
    sz: str
    bkPx: str  # the bankruptcy price
    ts: str


class LiquidationData(msgspec.Struct, gc=False):
    instId: str
    details: list[LiquidationOrder]


class FundingData(msgspec.Struct, gc=False):
    instId: str
    fundingRate: str | None = None  # to be paid at fundingTime; "", null or absent where none is stated
    fundingTime: str | None = None
    nextFundingRate: str | None = None  # the estimate for the interval after that; mostly ""
    ts: str | None = None  # older recordings have none


class MarkData(msgspec.Struct, gc=False):
    instId: str
    markPx: str
    ts: str


class IndexData(msgspec.Struct, gc=False):
    instId: str  # of the index: BTC-USDT
    idxPx: str
    ts: str


class InterestData(msgspec.Struct, gc=False):
    """Open contracts, in contracts, in the base currency and in USD."""

    instId: str
    oi: str
    oiCcy: str
    ts: str
    oiUsd: str | None = None  # older recordings have none


class SummaryData(msgspec.Struct, gc=False):
    """One option of ``opt-summary``; "" or 0 where there is none. Of the greeks that it states twice, those by
    Black-Scholes in dollars, as other venues define them, and not those in coin (``delta``, ...)."""

    instId: str
    ts: str
    uly: str = ""
    markVol: str = ""  # volatilities are fractions a year
    bidVol: str = ""
    askVol: str = ""
    deltaBS: str = ""
    gammaBS: str = ""
    thetaBS: str = ""  # a day
    vegaBS: str = ""  # a percentage point
    fwdPx: str = ""


class TickerData(msgspec.Struct, gc=False):
    """A ticker, of which only that of an option is read: others' state is in channels of their own. "" for nothing."""

    instId: str
    ts: str
    last: str = ""
    bidPx: str = ""
    askPx: str = ""


class Envelope(msgspec.Struct):
    """Whatever distinguishes one kind of message from another."""

    arg: Arg | None = None
    event: str | None = None
    id: str | None = None
    code: str | None = None
    msg: str | None = None
    data: msgspec.Raw = msgspec.Raw()  # empty where there is none


class Answer(msgspec.Struct, Generic[T]):
    """A REST answer."""

    code: str
    data: list[T]
    msg: str = ""


read_envelope = msgspec.json.Decoder(Envelope).decode
read_books = msgspec.json.Decoder(Push[BookData]).decode
read_trades = RowDecoder(Push[TradeData], TradeData, "data").decode
read_liquidations = RowDecoder(Push[LiquidationData], LiquidationOrder, "data", "details").decode
read_funding = msgspec.json.Decoder(Push[FundingData]).decode
read_mark = msgspec.json.Decoder(Push[MarkData]).decode
read_index = msgspec.json.Decoder(Push[IndexData]).decode
read_summaries = RowDecoder(Push[SummaryData], SummaryData, "data").decode
read_ticker = msgspec.json.Decoder(Push[TickerData]).decode
read_interest = msgspec.json.Decoder(Push[InterestData]).decode
read_book_answer = msgspec.json.Decoder(Answer[BookData]).decode
read_trade_answer = RowDecoder(Answer[TradeData], TradeData, "data").decode
