"""What the page reads from the topics: only the fields that it shows; unknown ones are ignored."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from mdplatform.core.bounds import LEAST, MOST, Cause, Count, Measured, Name, Sequence, Time
from mdplatform.core.errors import MessageError
from mdplatform.core.events import State
from mdplatform.core.messages import MOST_DIGITS

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

    def latest_ns(self) -> int:
        """The latest of the times by which messages are ordered; so of every message."""
        return self.received_ns

    def bids(self) -> Levels:
        """Raises one of ``REFUSALS`` when the two arrays are not equally many prices and sizes."""
        return _levels(self.b, self.bv)

    def asks(self) -> Levels:
        """Raises as ``bids`` does."""
        return _levels(self.a, self.av)

    def top(self) -> Top:
        """Raises as ``bids`` does."""
        (bid, bid_size), (ask, ask_size) = _best(self.b, self.bv), _best(self.a, self.av)
        text = b"".join((self.b, self.bv, self.a, self.av))
        if len(text) > MOST_BYTES_OF_BOOK:  # endless digits: no number that anybody trades at
            raise MessageError("too_long", f"levels of {len(text):,} bytes")
        if b"e" in text or b"E" in text:
            # What a float rounds to nothing, or to its neighbour, decimals hold whole.
            for side in (self.bids(), self.asks()):
                for price, size in side:
                    check_prices(price)
                    check_sizes(size)
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

    def latest_ns(self) -> int:
        return self.received_ns


class TradeMessage(msgspec.Struct, frozen=True, gc=False):
    """One trade; ``price`` and ``qty`` with the venue's own digits."""

    exchange: Name
    symbol: Name
    id: Name
    price: Decimal
    qty: Decimal
    side: Literal["buy", "sell"]  # taker side
    ts: Time

    def latest_ns(self) -> int:
        return self.ts * 1_000_000


class LiquidationMessage(msgspec.Struct, frozen=True, gc=False):
    """One liquidation; ``price`` and ``qty`` with the venue's own digits."""

    exchange: Name
    symbol: Name
    id: Name
    price: Decimal
    qty: Decimal
    side: Literal["buy", "sell"]  # of the liquidation order: sell closed a long
    ts: Time

    def latest_ns(self) -> int:
        return self.ts * 1_000_000


class FundingMessage(msgspec.Struct, frozen=True):
    """Funding and mark price; what the venue left out is None."""

    exchange: Name
    symbol: Name
    ts: Time
    rate: Decimal | None = None  # fraction paid per funding interval
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    next_funding_ts: Time | None = None

    def latest_ns(self) -> int:
        return self.ts * 1_000_000


class OpenInterestMessage(msgspec.Struct, frozen=True):
    """Open contracts in base units."""

    exchange: Name
    symbol: Name
    open_interest: Decimal
    ts: Time

    def latest_ns(self) -> int:
        return self.ts * 1_000_000


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

    def latest_ns(self) -> int:
        return max(self.started_ns, self.ended_ns or 0)


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

    def latest_ns(self) -> int:
        return self.ts * 1_000_000


class SignalMessage(msgspec.Struct, frozen=True):
    """What the signal engine found, see ``mdplatform.signals.message``."""

    id: Name
    kind: Name
    exchange: Name
    exchanges: Annotated[tuple[Name, ...], msgspec.Meta(max_length=200)]
    symbol: Name
    direction: Name
    value: Measured
    threshold: Measured
    unit: Name
    ts: Time

    def latest_ns(self) -> int:
        return self.ts * 1_000_000


FeedMessage = (
    BookMessage
    | QuoteMessage
    | TradeMessage
    | LiquidationMessage
    | FundingMessage
    | OpenInterestMessage
    | StatusMessage
)
Message = FeedMessage | StatsMessage | SignalMessage

DECODERS: dict[str, msgspec.json.Decoder[Message]] = {
    "books": msgspec.json.Decoder(BookMessage),
    "quotes": msgspec.json.Decoder(QuoteMessage),
    "trades": msgspec.json.Decoder(TradeMessage),
    "liquidations": msgspec.json.Decoder(LiquidationMessage),
    "funding": msgspec.json.Decoder(FundingMessage),
    "open_interest": msgspec.json.Decoder(OpenInterestMessage),
    "status": msgspec.json.Decoder(StatusMessage),
    "stats": msgspec.json.Decoder(StatsMessage),
    "signals": msgspec.json.Decoder(SignalMessage),
}


# In bytes: the longest cause and every name, written as escapes; 1,000 levels a side of 64 digits each.
MOST_BYTES_OF_BOOK = 4 * 1_000 * (MOST_DIGITS + 1)
MOST_BYTES = {dataset: 64 * 1024 for dataset in DECODERS} | {"books": MOST_BYTES_OF_BOOK + 4096}

_decimals = msgspec.json.Decoder(list[Decimal])
_floats = msgspec.json.Decoder(list[float])
_LEAST, _MOST, _SMALLEST_ZERO = Decimal("1e-30"), Decimal("1e30"), -30


def plain(number: Decimal) -> str:
    """Digits and no exponent, as venues write numbers; of endless ones as many as anybody reads."""
    if not number.is_finite() or not _SMALLEST_ZERO <= number.adjusted() <= -_SMALLEST_ZERO:
        return format(number, ".3e")
    return format(number, "f")[:MOST_DIGITS]


def check_prices(*prices: Decimal | None) -> None:
    """Raises MessageError for one that is not above zero, or of no size that a price could have."""
    for price in prices:
        if price is not None and not _LEAST <= price <= _MOST:
            raise MessageError("no_price", f"{price:.3e} is no price")


def check_sizes(*numbers: Decimal | None) -> None:
    """Raises MessageError for one below zero, or of no size that one could have."""
    for number in numbers:
        if number is None or _LEAST <= number <= _MOST:
            continue
        if number or number.adjusted() < _SMALLEST_ZERO or number.adjusted() > 0:
            raise MessageError("no_size", f"{number:.3e} is no size")


def _levels(prices: msgspec.Raw, sizes: msgspec.Raw) -> Levels:
    pairs = _decimals.decode(prices), _decimals.decode(sizes)
    if len(pairs[0]) != len(pairs[1]):
        raise MessageError("wrong_shape", f"{len(pairs[0])} prices and {len(pairs[1])} sizes")
    return list(zip(*pairs, strict=True))


def _best(prices: msgspec.Raw, sizes: msgspec.Raw) -> tuple[float | None, float]:
    price, size = _floats.decode(prices), _floats.decode(sizes)
    if len(price) != len(size):
        raise MessageError("wrong_shape", f"{len(price)} prices and {len(size)} sizes")
    if not price:
        return None, 0.0
    if not (LEAST <= price[0] <= MOST and 0 <= size[0] <= MOST):
        raise MessageError("no_price", f"{size[0]:g} at {price[0]:g} is no level")
    return price[0], size[0]
