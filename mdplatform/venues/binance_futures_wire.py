"""What Binance's futures sockets send, as they name it: wire types and their decoders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from mdplatform.core.clock import SECOND
from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError
from mdplatform.core.instrument_list import ABSENT, InstrumentList, kind_of, read_rows, required, stated
from mdplatform.core.symbols import Instrument, Kind
from mdplatform.venuekit.rows import RowDecoder
from mdplatform.venues.binance_wire import Combined, Id, Symboled, TickerData, exchange_info, filters_of, venue_ns


class DepthUpdate(Symboled, gc=False):
    """A diff, or a whole partial book: the stream's name tells which."""

    E: int
    U: Id
    u: Id
    pu: Id  # u of the update before it
    b: Levels
    a: Levels


class FuturesTicker(TickerData, gc=False):
    E: int


class AggTradeRow(msgspec.Struct, gc=False):
    """Fills of one order at one price, without those of the insurance fund, as REST lists them."""

    a: Id
    p: str
    q: str
    T: int
    m: bool


class AggTrade(AggTradeRow, gc=False):
    s: str


class FuturesTrade(Symboled, gc=False):
    t: Id
    p: str
    q: str
    T: int
    m: bool
    X: Literal["MARKET", "RPI", "INSURANCE_FUND", "ADL", "NA"] = "MARKET"


class MarkPrice(Symboled, gc=False):
    E: int
    p: str
    r: str  # "" for dated contracts
    T: int  # 0 for dated contracts
    i: str | None = None


class Order(Symboled, gc=False):
    S: Literal["BUY", "SELL"]  # side of the liquidation order
    ap: str
    z: str  # filled so far
    T: int


class ForceOrder(msgspec.Struct, gc=False):
    o: Order


class Depth(msgspec.Struct, gc=False):
    """REST depth; only COIN-M says whose it is."""

    lastUpdateId: Id
    bids: Levels
    asks: Levels
    symbol: str | None = None


class Contract(msgspec.Struct):
    symbol: str
    contractType: str  # PERPETUAL, TRADIFI_PERPETUAL, CURRENT_QUARTER, ...; with " DELIVERING" at their end
    baseAsset: str
    quoteAsset: str
    marginAsset: str
    deliveryDate: msgspec.Raw = ABSENT  # ms; of a perpetual it means nothing
    status: msgspec.Raw = ABSENT  # USD-M
    contractStatus: msgspec.Raw = ABSENT  # COIN-M
    contractSize: int | None = None  # COIN-M: quote units
    filters: msgspec.Raw = ABSENT


def read_contracts(exchange: str, body: bytes) -> InstrumentList:
    """The answer of exchangeInfo; raises FrameError."""
    return read_rows(exchange_info(body), lambda raw: _instrument(exchange, _read_contract(raw)))


def _instrument(exchange: str, row: Contract) -> Instrument | None:
    if not row.contractType and stated(row.status) == "PENDING_TRADING":
        return None  # it will be of some type once it trades
    perpetual = "PERPETUAL" in kind_of(row.contractType, "type of contract")
    if required(row.marginAsset, "margin") == row.baseAsset and row.contractSize is None:
        raise FrameError("wrong_shape", f"{row.symbol[:40]!r} is paid in its base and states no size of a contract")
    tick, step = filters_of(row.filters)
    return Instrument(
        exchange=exchange,
        venue_symbol=row.symbol,
        base=row.baseAsset,
        quote=row.quoteAsset,
        kind=Kind.PERPETUAL if perpetual else Kind.FUTURE,
        tick=tick,
        step=step if row.contractSize is None else None,  # in contracts, of no fixed size in base
        contract_size=None if row.contractSize is None else str(row.contractSize),
        inverse=row.contractSize is not None,
        settle=row.marginAsset,
        status=stated(row.status) or stated(row.contractStatus),
        expiry=None if perpetual else _day(row.deliveryDate),
    )


def _day(time: msgspec.Raw) -> str:
    return f"{datetime.fromtimestamp(venue_ns(_read_time(time)) // SECOND, UTC):%Y%m%d}"


_read_contract = msgspec.json.Decoder(Contract).decode
_read_time = msgspec.json.Decoder(int).decode
read_diff = msgspec.json.Decoder(Combined[DepthUpdate]).decode
read_ticker = msgspec.json.Decoder(Combined[FuturesTicker]).decode
read_agg_trade = msgspec.json.Decoder(Combined[AggTrade]).decode
read_agg_trade_rows = RowDecoder(list[AggTradeRow], AggTradeRow).decode
read_trade = msgspec.json.Decoder(Combined[FuturesTrade]).decode
read_mark_price = msgspec.json.Decoder(Combined[MarkPrice]).decode
read_force_order = msgspec.json.Decoder(Combined[ForceOrder]).decode
read_depth = msgspec.json.Decoder(Depth).decode
