"""What Crypto.com sends, as it names it: wire types and their decoders."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

import msgspec

from mdplatform.core.clock import MS
from mdplatform.core.decimals import Levels
from mdplatform.core.errors import FrameError
from mdplatform.core.events import Side
from mdplatform.venuekit.rows import RowDecoder

T = TypeVar("T")

EXCHANGE = "cryptocom"

# Numbers on the socket (probed 2026-09), text in the examples of REST answers (documented 2026-07).
Time = Annotated[int, msgspec.Meta(ge=10**12, lt=10**13)] | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{13}$")]
Code = int | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}$")]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Level = tuple[str, str, str]  # price, size, number of orders
TAKER: dict[str, Side] = {"BUY": "buy", "SELL": "sell", "buy": "buy", "sell": "sell"}


def ms_ns(time: int | str) -> int:
    """A ``Time`` in ns."""
    return int(time) * MS


def pairs(levels: list[Level]) -> Levels:
    """(price, size) of each level."""
    return [(price, size) for price, size, _ in levels]


class Result(msgspec.Struct, Generic[T], gc=False):
    instrument_name: str
    subscription: str  # as it was asked for: "book.BTCUSD-PERP.50"
    channel: str  # "book", "book.update", "trade", ...
    data: list[T]


class Push(msgspec.Struct, Generic[T], gc=False):
    id: int  # -1, or that of the request which this message answers
    result: Result[T]


class Whole(msgspec.Struct, gc=False):
    """A row of ``book``."""

    bids: list[Level]
    asks: list[Level]
    t: Time  # when it was published
    u: Sequence
    tt: Time | None = None  # when the book last changed


class Sides(msgspec.Struct, gc=False):
    bids: list[Level] = []
    asks: list[Level] = []


class Change(msgspec.Struct, gc=False):
    """A row of ``book.update``: sizes are absolute, "0" deletes."""

    update: Sides
    t: Time
    u: Sequence  # greater than pu by any amount; equal where nothing changed
    pu: Sequence  # u of the message before
    tt: Time | None = None


class Trade(msgspec.Struct, gc=False):
    """A row of ``trade``, and of public/get-trades."""

    d: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    t: Time
    p: str
    q: str
    s: Literal["BUY", "SELL", "buy", "sell"]  # taker side; answers of 2023 write it small
    i: str


class Ticker(msgspec.Struct, gc=False):
    """A side that is empty is null."""

    t: Time
    b: str | None = None
    bs: str | None = None
    k: str | None = None  # the ask
    ks: str | None = None


class Value(msgspec.Struct, gc=False):
    """A row of ``funding``, ``mark`` and ``index``."""

    v: str
    t: Time


class Envelope(msgspec.Struct):
    """Whatever distinguishes one kind of frame from another."""

    method: str
    id: int | str = -1
    code: Code = 0
    channel: str | None = None  # of an acknowledgement or a refusal
    message: str = ""
    result: msgspec.Raw = msgspec.Raw(b"null")


class Answer(msgspec.Struct, Generic[T]):
    """Of a REST call."""

    code: Code
    message: str = ""
    result: T | None = None


class Rows(msgspec.Struct, Generic[T]):
    data: list[T]


def rows_of(answer: Answer[Rows[T]]) -> list[T]:
    """The rows of an answer; raises FrameError where it holds an error, or none."""
    if int(answer.code) != 0:
        raise FrameError("venue_error", f"code {answer.code}: {answer.message}")
    if answer.result is None:
        raise FrameError("wrong_shape", "an answer without result")
    return answer.result.data


read_envelope = msgspec.json.Decoder(Envelope).decode
read_push = msgspec.json.Decoder(Push[msgspec.Raw]).decode
read_whole = msgspec.json.Decoder(Push[Whole]).decode
read_change = msgspec.json.Decoder(Push[Change]).decode
read_trades = RowDecoder(Push[Trade], Trade, "result", "data").decode
read_ticker = msgspec.json.Decoder(Push[Ticker]).decode
read_value = msgspec.json.Decoder(Push[Value]).decode
read_past_trades = RowDecoder(Answer[Rows[Trade]], Trade, "result", "data").decode
read_list = msgspec.json.Decoder(Answer[Rows[msgspec.Raw]]).decode
