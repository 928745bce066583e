"""What Bybit sends, as it names it: wire types, their decoders, and its instrument lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from mdplatform.core.decimals import Levels
from mdplatform.core.errors import UNREADABLE, FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, amount, kind_of, read_rows, stated
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venuekit.rows import RowDecoder

EXCHANGE = "bybit"
Category = Literal["linear", "spot", "inverse"]

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
    S: Literal["Buy", "Sell"]  # side of the position: Buy is a long, which a forced order sold
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


class TickerFrame(msgspec.Struct, gc=False):
    type: Kinds
    ts: Time
    data: TickerData


class Topics(msgspec.Struct):
    failTopics: list[str] = []


class Envelope(msgspec.Struct):
    """Whatever tells one kind of frame from another. The order of its members differs between products."""

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


class Filters(msgspec.Struct, frozen=True):
    """Of price or of lot size, as far as they are stated."""

    tickSize: msgspec.Raw = ABSENT
    qtyStep: msgspec.Raw = ABSENT
    basePrecision: msgspec.Raw = ABSENT  # spot


class InstrumentRow(msgspec.Struct):
    symbol: str
    baseCoin: str
    quoteCoin: str
    status: msgspec.Raw = ABSENT
    contractType: str | None = None  # spot has none
    optionsType: str | None = None
    settleCoin: msgspec.Raw = ABSENT
    deliveryTime: msgspec.Raw = ABSENT  # ms as text; "0" where nothing is ever delivered
    priceFilter: msgspec.Raw = ABSENT
    lotSizeFilter: msgspec.Raw = ABSENT


class InstrumentPage(msgspec.Struct):
    rows: list[msgspec.Raw] = msgspec.field(name="list")
    category: str | None = None
    nextPageCursor: str | None = None


class Answer(msgspec.Struct):
    retCode: int
    retMsg: str = ""
    result: msgspec.Raw = msgspec.Raw(b"{}")


def read_page(body: bytes) -> InstrumentPage:
    """An answer of instruments-info; raises FrameError."""
    try:
        return _read_instruments(_result(body))
    except UNREADABLE as error:
        raise FrameError("wrong_shape", f"not an instruments-info answer: {error}") from None


def read_past_trades(body: bytes) -> list[PastTrade]:
    """An answer of recent-trade, newest first; raises FrameError and DecodeError."""
    return _read_past_trades(_result(body)).rows


def _result(body: bytes) -> msgspec.Raw:
    answer = _read_answer(body)
    if answer.retCode != 0:
        raise FrameError("venue_error", f"code {answer.retCode}: {answer.retMsg}")
    return answer.result


def read_instruments(body: bytes) -> InstrumentList:
    """Options, and kinds of contract that the venue invents later, are left out. Raises FrameError."""
    page = read_page(body)
    if page.rows and b'"baseCoin"' not in body:
        raise FrameError("wrong_shape", "not an instruments-info answer: no row has a base")
    of_contracts = page.category in ("linear", "inverse")

    def read(raw: msgspec.Raw) -> Instrument | None:
        row = _read_row(raw)
        if of_contracts:
            kind_of(row.contractType, "type of contract")
        return _contract(row) if row.contractType else _spot(row)

    return read_rows(() if page.category == "option" else page.rows, read)


# contractType -> category and kind
CONTRACTS: dict[str, tuple[Category, Kind]] = {
    "LinearPerpetual": ("linear", Kind.PERPETUAL),
    "LinearFutures": ("linear", Kind.FUTURE),
    "InversePerpetual": ("inverse", Kind.PERPETUAL),
    "InverseFutures": ("inverse", Kind.FUTURE),
}


def _contract(row: InstrumentRow) -> Instrument | None:
    named = row.contractType or ""
    category, kind = CONTRACTS.get(named, (None, Kind.PERPETUAL))
    if category is None and not named.isalpha():
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is of no kind of contract: {named[:40]!r}")
    if category is None:
        return None
    inverse = category == "inverse"
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.baseCoin,
        quote=row.quoteCoin,
        kind=kind,
        tick=amount(_filters(row.priceFilter).tickSize),
        # An inverse contract is one unit of quote: its step is of no fixed size in base units.
        step=None if inverse else amount(_filters(row.lotSizeFilter).qtyStep),
        contract_size="1" if inverse else None,
        inverse=inverse,
        settle=stated(row.settleCoin),
        status=stated(row.status),
        expiry=_date(row) if kind is Kind.FUTURE else None,
        category=category,
    )


def _spot(row: InstrumentRow) -> Instrument | None:
    if row.optionsType:
        return None
    return Instrument(
        exchange=EXCHANGE,
        venue_symbol=row.symbol,
        base=row.baseCoin,
        quote=row.quoteCoin,
        tick=amount(_filters(row.priceFilter).tickSize),
        step=amount(_filters(row.lotSizeFilter).basePrecision),
        status=stated(row.status),
        category="spot",
    )


def _filters(raw: msgspec.Raw) -> Filters:
    try:
        return _read_filters(raw)
    except UNREADABLE:
        return Filters()


def _date(row: InstrumentRow) -> str:
    return f"{datetime.fromtimestamp(time_ms(stated(row.deliveryTime) or '') / 1000, UTC):%Y%m%d}"


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
_read_answer = msgspec.json.Decoder(Answer).decode
_read_past_trades = RowDecoder(PastTrades, PastTrade, "rows").decode
_read_row = msgspec.json.Decoder(InstrumentRow).decode
_read_filters = msgspec.json.Decoder(Filters).decode
_read_instruments = msgspec.json.Decoder(InstrumentPage).decode
