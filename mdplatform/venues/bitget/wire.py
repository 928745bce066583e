"""What Bitget sends, as it names it: wire types and their decoders, of API v3 and of v2."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.rows import RowDecoder

T = TypeVar("T")

_LAST = 2**63 - 1
# A number in every message seen, text by the venue's description.
Sequence = Annotated[int, msgspec.Meta(ge=0, le=_LAST)] | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,19}$")]
Side = Literal["buy", "sell"]


def ms_ns(time: int | str) -> int:
    """A time in ms, as a number or text; raises FrameError for what is none."""
    text = str(time)
    if len(text) != 13 or not text.isdecimal() or not text.isascii():
        raise FrameError("bad_time", f"not ms since 1970: {text[:40]!r}")
    return int(text) * MS


def number(sequence: Sequence) -> int:
    """Raises FrameError for one that 64 bits do not hold."""
    value = int(sequence)
    if value > _LAST:
        raise FrameError("bad_number", f"no sequence number: {value}")
    return value


class Arg(msgspec.Struct, frozen=True):
    """What was subscribed: ``topic`` and ``symbol`` in v3, ``channel`` and ``instId`` in v2."""

    instType: str
    topic: str | None = None
    symbol: str | None = None
    channel: str | None = None
    instId: str | None = None

    @property
    def category(self) -> str:
        return self.instType.lower()  # v2 writes it in capitals

    @property
    def name(self) -> str:
        return self.topic or self.channel or ""

    @property
    def venue_symbol(self) -> str:
        return self.symbol or self.instId or ""


class Push(msgspec.Struct, Generic[T], gc=False):
    action: Literal["snapshot", "update"]
    arg: Arg
    data: list[T]
    ts: int | str


class BookV3(msgspec.Struct, gc=False):
    a: Levels
    b: Levels
    seq: Sequence
    ts: str
    pseq: Sequence | None = None  # seq of the message before; 0: the count starts again
    checksum: int | None = None  # 0: none
    maxDepth: str | None = None  # levels a side that are kept up to date


class BookV2(msgspec.Struct, gc=False):
    asks: Levels
    bids: Levels
    seq: Sequence
    ts: str
    pseq: Sequence | None = None
    checksum: int | None = None


class BestV2(msgspec.Struct, gc=False):
    """books1, which had no seq in 2024."""

    asks: Levels
    bids: Levels
    ts: str
    seq: Sequence | None = None


class TradeV3(msgspec.Struct, gc=False):
    i: str
    p: str
    v: str
    S: Side  # taker side
    T: str


class TradeV2(msgspec.Struct, gc=False):
    tradeId: str
    price: str
    size: str
    side: Side
    ts: str


class Ticker(msgspec.Struct, gc=False):
    """Of contracts, v2 and v3."""

    markPrice: str
    indexPrice: str
    fundingRate: str = ""
    nextFundingTime: str = ""
    ts: str | None = None  # v2
    openInterest: str | None = None  # v3; of coin futures in units that are not documented
    holdingAmount: str | None = None  # v2: the same, in base units
    lastPr: str = ""  # v2
    lastPrice: str = ""  # v3


class LiquidationOrder(msgspec.Struct, gc=False):
    symbol: str
    side: Side  # of the position: "buy" was long, so the order sold
    price: str
    amount: str  # in quote units
    ts: str


class RestBook(msgspec.Struct):
    """An order book by REST: without a number it cannot be joined."""

    ts: str
    a: Levels = []
    b: Levels = []
    asks: Levels = []
    bids: Levels = []


class Envelope(msgspec.Struct):
    """Whatever distinguishes one kind of frame from another."""

    event: str | None = None
    arg: Arg | None = None
    code: int | str | None = None
    msg: str | None = None
    op: str | None = None  # of an error: what was asked for
    data: msgspec.Raw = msgspec.Raw(b"null")


read_envelope = msgspec.json.Decoder(Envelope).decode
read_push = msgspec.json.Decoder(Push[msgspec.Raw]).decode
read_rest_book = msgspec.json.Decoder(RestBook).decode
read_book_v3 = msgspec.json.Decoder(Push[BookV3]).decode
read_book_v2 = msgspec.json.Decoder(Push[BookV2]).decode
read_best_v2 = msgspec.json.Decoder(Push[BestV2]).decode
read_trades_v3 = RowDecoder(Push[TradeV3], TradeV3, "data").decode
read_trades_v2 = RowDecoder(Push[TradeV2], TradeV2, "data").decode
read_tickers = msgspec.json.Decoder(Push[Ticker]).decode
read_liquidations = RowDecoder(Push[LiquidationOrder], LiquidationOrder, "data").decode
