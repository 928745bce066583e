"""What Binance sends, as it names it: wire types and their decoders."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec

from mdplatform.clock import MS
from mdplatform.decimals import Levels
from mdplatform.diffbook import Snapshot
from mdplatform.errors import FrameError
from mdplatform.symbols import Instrument

T = TypeVar("T")


def venue_ns(time: int) -> int:
    """E or T: ms, or us where the connection asked for ``timeUnit=MICROSECOND``."""
    if 10**11 <= time < 10**13:
        return time * MS
    if 10**14 <= time < 10**16:
        return time * 1000
    raise FrameError("bad_time", f"neither ms nor us since 1970: {time}")


def read_snapshot(body: bytes) -> Snapshot:
    data = _read_depth(body)
    return Snapshot(data.lastUpdateId, data.bids, data.asks)


Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class DepthData(msgspec.Struct, gc=False):
    """Partial book and REST depth."""

    lastUpdateId: Id
    bids: Levels
    asks: Levels


class DiffData(msgspec.Struct, gc=False):
    E: int
    s: str
    U: Id
    u: Id
    b: Levels
    a: Levels


class TradeData(msgspec.Struct, gc=False):
    s: str
    t: Id
    p: str
    q: str
    T: int
    m: bool


class Combined(msgspec.Struct, Generic[T], gc=False):
    data: T


class Problem(msgspec.Struct):
    code: int | None = None
    msg: str | None = None


class Envelope(msgspec.Struct):
    """Whatever tells one kind of frame from another."""

    stream: str | None = None
    e: str | None = None
    s: str | None = None
    A: str | None = None
    lastUpdateId: int | None = None
    symbols: object = None
    id: int | str | None = None
    code: int | None = None
    msg: str | None = None
    error: Problem | None = None


class Filter(msgspec.Struct):
    filterType: str
    tickSize: str | None = None
    stepSize: str | None = None


class Symbol(msgspec.Struct):
    symbol: str
    status: str
    baseAsset: str
    quoteAsset: str
    filters: list[Filter] = []


class ExchangeInfo(msgspec.Struct):
    symbols: list[Symbol]


def read_instruments(exchange: str, body: bytes) -> list[Instrument]:
    """The answer of exchangeInfo; raises FrameError."""
    try:
        answer = msgspec.json.decode(body, type=ExchangeInfo)
    except msgspec.DecodeError as error:
        raise FrameError("wrong_shape", f"not an exchangeInfo answer: {error}") from None
    return [_instrument(exchange, row) for row in answer.symbols]


def _instrument(exchange: str, row: Symbol) -> Instrument:
    return Instrument(
        exchange=exchange,
        venue_symbol=row.symbol,
        base=row.baseAsset,
        quote=row.quoteAsset,
        tick=next((f.tickSize for f in row.filters if f.filterType == "PRICE_FILTER"), None),
        step=next((f.stepSize for f in row.filters if f.filterType == "LOT_SIZE"), None),
        status=row.status,
    )


read_envelope = msgspec.json.Decoder(Envelope).decode
read_ignored = msgspec.json.Decoder(Combined[msgspec.Raw]).decode
read_diff = msgspec.json.Decoder(Combined[DiffData]).decode
read_partial = msgspec.json.Decoder(Combined[DepthData]).decode
read_trade = msgspec.json.Decoder(Combined[TradeData]).decode
_read_depth = msgspec.json.Decoder(DepthData).decode
