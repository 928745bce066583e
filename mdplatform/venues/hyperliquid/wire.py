"""What Hyperliquid sends, as it names it: wire types, their decoders, and its lists as instruments."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.errors import FrameError
from mdplatform.venuekit.rows import RowDecoder

T = TypeVar("T")


def venue_ns(time: int) -> int:
    """ms."""
    if not 10**12 <= time < 10**13:
        raise FrameError("bad_time", f"not ms since 1970: {time}")
    return time * MS


class Level(msgspec.Struct, gc=False):
    px: str
    sz: str


class BookData(msgspec.Struct, gc=False):
    coin: str
    time: int
    levels: tuple[list[Level], list[Level]]  # bids, asks; best first
    fast: bool = False


class TradeData(msgspec.Struct, gc=False):
    coin: str
    side: Literal["A", "B"]  # the taker's: a buyer (B) took from the asks
    px: str
    sz: str
    time: int
    tid: Annotated[int, msgspec.Meta(ge=0)]


class BboData(msgspec.Struct, gc=False):
    coin: str
    time: int
    # Bid, ask; null where a side is empty (documented). One element alone was seen (2026): it stands where a bid does.
    bbo: Annotated[list[Level | None], msgspec.Meta(max_length=2)]


class Context(msgspec.Struct, gc=False):
    """None: not stated, as of a coin that is not traded any more. The venue has no other way to say so."""

    funding: str | None
    markPx: str | None = None
    oraclePx: str | None = None
    openInterest: str | None = None  # in base units; both sides of each contract (reported by clients, 2025-07)


class ContextData(msgspec.Struct, gc=False):
    coin: str
    ctx: Context


class Subscription(msgspec.Struct):
    type: str
    coin: str | None = None
    fast: bool | None = None


class ResponseData(msgspec.Struct):
    method: Literal["subscribe", "unsubscribe"]
    subscription: Subscription


class Message(msgspec.Struct, Generic[T], gc=False):
    data: T


class Shape(msgspec.Struct):
    """What distinguishes one kind of frame from another."""

    channel: str = ""
    universe: object = None
    levels: object = None


read_book = msgspec.json.Decoder(Message[BookData]).decode
read_trades = RowDecoder(Message[list[TradeData]], TradeData, "data").decode
read_bbo = msgspec.json.Decoder(Message[BboData]).decode
read_context = msgspec.json.Decoder(Message[ContextData]).decode
read_response = msgspec.json.Decoder(Message[ResponseData]).decode
read_error = msgspec.json.Decoder(Message[str]).decode
read_shape = msgspec.json.Decoder(Shape).decode
