"""What Hyperliquid sends, as it names it: wire types, their decoders, and its lists as instruments."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from mdplatform.clock import MS
from mdplatform.errors import UNREADABLE, FrameError
from mdplatform.symbols import Instrument, Kind
from mdplatform.venuekit.rows import RowDecoder

T = TypeVar("T")


def read_instruments(exchange: str, body: bytes) -> list[Instrument]:
    """The answer to meta or spotMeta; raises FrameError."""
    try:
        if b'"tokens"' in body:
            return _pairs(exchange, _read_spot_meta(body))
        return [_perpetual(exchange, coin) for coin in _read_meta(body).universe]
    except UNREADABLE as error:
        raise FrameError("wrong_shape", f"neither meta nor spotMeta: {error}") from None


def venue_ns(time: int) -> int:
    """ms."""
    if not 10**12 <= time < 10**13:
        raise FrameError("bad_time", f"not ms since 1970: {time}")
    return time * MS


def _perpetual(exchange: str, coin: Coin) -> Instrument:
    return Instrument(
        exchange=exchange,
        venue_symbol=coin.name,
        base=coin.name,
        quote="USD",
        kind=Kind.PERPETUAL,
        settle="USDC",
        step=_step(coin.szDecimals),
        status="isDelisted" if coin.isDelisted else None,
    )


def _pairs(exchange: str, meta: SpotMeta) -> list[Instrument]:
    """Names of tokens are not unique: the oldest one has it for itself, a later one with its index (``CAT.213``)."""
    tokens = sorted(meta.tokens, key=lambda token: token.index)
    steps = {token.index: _step(token.szDecimals) for token in tokens}
    oldest: dict[str, int] = {}
    names: dict[int, str] = {}
    for token in tokens:
        first = oldest.setdefault(token.name, token.index)
        names[token.index] = token.name if first == token.index else f"{token.name}.{token.index}"
    rows = []
    for pair in meta.universe:
        base, quote = pair.tokens
        if base not in names or quote not in names:
            raise FrameError("wrong_shape", f"{pair.name[:40]!r} is of tokens that are not in the list")
        bought, paid, step = names[base], names[quote], steps[base]
        rows.append(Instrument(exchange=exchange, venue_symbol=pair.name, base=bought, quote=paid, step=step))
    return rows


def _step(decimals: int) -> str:
    return "1" if decimals == 0 else f"0.{'1':0>{decimals}}"


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
    """What tells one kind of frame from another."""

    channel: str = ""
    universe: object = None
    levels: object = None


class Coin(msgspec.Struct):
    name: str
    szDecimals: Annotated[int, msgspec.Meta(ge=0, le=18)]
    isDelisted: bool = False


class Token(msgspec.Struct):
    name: str
    szDecimals: Annotated[int, msgspec.Meta(ge=0, le=18)]
    index: int


class Pair(msgspec.Struct):
    name: str
    tokens: tuple[int, int]  # indexes of base and quote


class Meta(msgspec.Struct):
    universe: list[Coin]


class SpotMeta(msgspec.Struct):
    universe: list[Pair]
    tokens: list[Token]


read_book = msgspec.json.Decoder(Message[BookData]).decode
read_trades = RowDecoder(Message[list[TradeData]], TradeData, "data").decode
read_bbo = msgspec.json.Decoder(Message[BboData]).decode
read_context = msgspec.json.Decoder(Message[ContextData]).decode
read_response = msgspec.json.Decoder(Message[ResponseData]).decode
read_error = msgspec.json.Decoder(Message[str]).decode
read_shape = msgspec.json.Decoder(Shape).decode
_read_meta = msgspec.json.Decoder(Meta).decode
_read_spot_meta = msgspec.json.Decoder(SpotMeta).decode
