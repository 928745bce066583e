"""What the page reads from the topics: only the fields that it shows; unknown ones are ignored."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from mdplatform.bounds import MOST_LEVELS, Cause, Count, Measured, Name, Price, Sequence, Size, Time
from mdplatform.errors import MessageError
from mdplatform.events import State
from mdplatform.messages import MOST_DIGITS, is_bounded

Levels = list[tuple[Decimal, Decimal]]  # (price, size), best first


class Top(msgspec.Struct, frozen=True, gc=False):
    """Best prices and sizes as floats; an empty side has no price and no size."""

    bid: float | None
    bid_size: float
    ask: float | None
    ask_size: float


class BookMessage(msgspec.Struct, frozen=True, gc=False):
    """A book after one update. Levels stay undecoded: most books are replaced before anybody looks at them."""

    exchange: Name
    symbol: Name
    b: msgspec.Raw
    bv: msgspec.Raw
    a: msgspec.Raw
    av: msgspec.Raw
    timestamp: Time  # venue time in ms
    sequence: Sequence
    received_ns: Time
    previous_sequence: Sequence | None = None

    def bids(self) -> Levels:
        """Raises one of ``REFUSALS`` when the two arrays are not equally many prices and sizes."""
        return _levels(self.b, self.bv)

    def asks(self) -> Levels:
        """Raises as ``bids`` does."""
        return _levels(self.a, self.av)

    def top(self) -> Top:
        """Raises as ``bids`` does."""
        (bid, bid_size), (ask, ask_size) = _best(self.b, self.bv), _best(self.a, self.av)
        return Top(bid, bid_size, ask, ask_size)


class QuoteMessage(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask, from a channel that sends just them."""

    exchange: Name
    symbol: Name
    sequence: Sequence
    received_ns: Time
    bid_price: Decimal | None = None
    bid_size: Decimal | None = None
    ask_price: Decimal | None = None
    ask_size: Decimal | None = None


class TradeMessage(msgspec.Struct, frozen=True, gc=False):
    """One print; ``price`` and ``qty`` with the venue's own digits."""

    exchange: Name
    symbol: Name
    id: Name
    price: Decimal
    qty: Decimal
    side: Literal["buy", "sell"]  # taker side
    ts: Time


class LiquidationMessage(msgspec.Struct, frozen=True, gc=False):
    """One forced order; ``price`` and ``qty`` with the venue's own digits."""

    exchange: Name
    symbol: Name
    id: Name
    price: Decimal
    qty: Decimal
    side: Literal["buy", "sell"]  # of the forced order: sell closed a long
    ts: Time


class FundingMessage(msgspec.Struct, frozen=True):
    """Funding and mark price; what the venue left out is None."""

    exchange: Name
    symbol: Name
    ts: Time
    rate: Decimal | None = None  # fraction paid per funding interval
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    next_funding_ts: Time | None = None


class StatusMessage(msgspec.Struct, frozen=True):
    """An interval of one feed; sent again, with a later ``ended_ns``, while it lasts."""

    exchange: Name
    symbol: Name
    channel: Name
    state: State
    cause: Cause
    started_ns: Time
    ended_ns: Time | None = None
    missed: Count | None = None
    collector: Name = "A"


class StatsMessage(msgspec.Struct, frozen=True):
    """Counters of one connection since its collector started."""

    exchange: Name
    conn: Name
    ts: Time
    symbols: Count = 0
    frames: Count = 0
    bytes: Count = 0
    events: Time = 0
    reconnects: Time = 0
    gaps: Count = 0
    dead_letters: Count = 0
    queue: Count = 0
    latency_p50_ms: Measured | None = None
    latency_p99_ms: Measured | None = None
    venue_lag_ms: Measured | None = None


FeedMessage = BookMessage | QuoteMessage | TradeMessage | LiquidationMessage | FundingMessage | StatusMessage
Message = FeedMessage | StatsMessage

DECODERS: dict[str, msgspec.json.Decoder[Message]] = {
    "books": msgspec.json.Decoder(BookMessage),
    "quotes": msgspec.json.Decoder(QuoteMessage),
    "trades": msgspec.json.Decoder(TradeMessage),
    "liquidations": msgspec.json.Decoder(LiquidationMessage),
    "funding": msgspec.json.Decoder(FundingMessage),
    "status": msgspec.json.Decoder(StatusMessage),
    "stats": msgspec.json.Decoder(StatsMessage),
}


def times_ns(message: Message) -> tuple[int, ...]:
    """Those by which a message is taken for later than another."""
    match message:
        case BookMessage() | QuoteMessage():
            return (message.received_ns,)
        case StatusMessage():
            return message.started_ns, message.ended_ns or 0
        case _:
            return (message.ts * 1_000_000,)


# In bytes: the longest cause and every name, written as escapes; as many levels as there may be.
MOST_BYTES = {dataset: 64 * 1024 for dataset in DECODERS} | {"books": 4 * MOST_LEVELS * (MOST_DIGITS + 1)}

_decimals = msgspec.json.Decoder(Annotated[list[Decimal], msgspec.Meta(max_length=MOST_LEVELS)])
_prices = msgspec.json.Decoder(Annotated[list[Price], msgspec.Meta(max_length=MOST_LEVELS)])
_sizes = msgspec.json.Decoder(Annotated[list[Size], msgspec.Meta(max_length=MOST_LEVELS)])


def plain(number: Decimal) -> str:
    """Digits and no exponent, as venues write numbers; of endless ones as many as anybody reads."""
    return format(number, "f")[:MOST_DIGITS] if is_bounded(number) else format(number, ".3e")


def check_prices(*prices: Decimal | None) -> None:
    """Raises MessageError for one that is not above zero, or of no size that a price could have."""
    for price in prices:
        if price is not None and not (is_bounded(price) and price > 0):
            raise MessageError("no_price", f"{price:.3e} is no price")


def check_sizes(*numbers: Decimal | None) -> None:
    """Raises MessageError for one below zero, or of no size that one could have."""
    for number in numbers:
        if number is not None and not (is_bounded(number) and number >= 0):
            raise MessageError("no_size", f"{number:.3e} is no size")


def _levels(prices: msgspec.Raw, sizes: msgspec.Raw) -> Levels:
    pairs = _decimals.decode(prices), _decimals.decode(sizes)
    if len(pairs[0]) != len(pairs[1]):
        raise MessageError("wrong_shape", f"{len(pairs[0])} prices and {len(pairs[1])} sizes")
    return list(zip(*pairs, strict=True))


def _best(prices: msgspec.Raw, sizes: msgspec.Raw) -> tuple[float | None, float]:
    price, size = _prices.decode(prices), _sizes.decode(sizes)
    if len(price) != len(size):
        raise MessageError("wrong_shape", f"{len(price)} prices and {len(size)} sizes")
    # One place more than a level has commas, for the brackets: endless digits are no number that anybody trades at.
    text = bytes(prices) + bytes(sizes)
    if b"e" in text or b"E" in text:
        _levels(prices, sizes)  # an exponent that a float rounds to nothing may be more than decimals can hold
    if len(text) > 2 * (len(price) + 1) * (MOST_DIGITS + 1):
        raise MessageError("too_long", f"{len(price)} levels in {len(text):,} bytes")
    return (price[0], size[0]) if price and size else (None, 0.0)
