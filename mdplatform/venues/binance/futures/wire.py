"""What Binance's futures sockets send, as they name it: wire types and their decoders."""

from __future__ import annotations

from typing import Literal

import msgspec

from mdplatform.core.decimals import Levels
from mdplatform.venuekit.rows import RowDecoder
from mdplatform.venues.binance.wire import Combined, Id, Symboled, TickerData


class DepthUpdate(Symboled, gc=False):
    """A diff, or a whole partial book: the stream's name states which."""

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


class OpenInterest(msgspec.Struct, gc=False):
    """By REST; COIN-M counts contracts of a fixed amount of dollars."""

    symbol: str
    openInterest: str
    time: int


class Depth(msgspec.Struct, gc=False):
    """REST depth; only COIN-M says whose it is."""

    lastUpdateId: Id
    bids: Levels
    asks: Levels
    symbol: str | None = None


read_diff = msgspec.json.Decoder(Combined[DepthUpdate]).decode
read_ticker = msgspec.json.Decoder(Combined[FuturesTicker]).decode
read_agg_trade = msgspec.json.Decoder(Combined[AggTrade]).decode
read_agg_trade_rows = RowDecoder(list[AggTradeRow], AggTradeRow).decode
read_trade = msgspec.json.Decoder(Combined[FuturesTrade]).decode
read_mark_price = msgspec.json.Decoder(Combined[MarkPrice]).decode
read_force_order = msgspec.json.Decoder(Combined[ForceOrder]).decode
read_open_interest = msgspec.json.Decoder(OpenInterest).decode
read_depth = msgspec.json.Decoder(Depth).decode
