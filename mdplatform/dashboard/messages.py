"""What the page reads from the topics: only the fields that it shows; unknown ones are ignored."""

from __future__ import annotations

from decimal import Decimal

import msgspec

Levels = list[tuple[Decimal, Decimal]]  # (price, size), best first


class Top(msgspec.Struct, frozen=True, gc=False):
    """Best prices and sizes as floats; an empty side has no price and no size."""

    bid: float | None
    bid_size: float
    ask: float | None
    ask_size: float


class BookMessage(msgspec.Struct, frozen=True, gc=False):
    """A book after one update. Levels stay undecoded: most books are replaced before anybody looks at them."""

    exchange: str
    symbol: str
    b: msgspec.Raw
    bv: msgspec.Raw
    a: msgspec.Raw
    av: msgspec.Raw
    timestamp: int  # venue time in ms
    sequence: int
    received_ns: int
    previous_sequence: int | None = None

    def bids(self) -> Levels:
        """Raises ValueError or msgspec.DecodeError when the two arrays are not equally many numbers."""
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

    exchange: str
    symbol: str
    sequence: int
    received_ns: int
    bid_price: Decimal | None = None
    bid_size: Decimal | None = None
    ask_price: Decimal | None = None
    ask_size: Decimal | None = None


class TradeMessage(msgspec.Struct, frozen=True, gc=False):
    """One print; ``price`` and ``qty`` with the venue's own digits."""

    exchange: str
    symbol: str
    id: str
    price: Decimal
    qty: Decimal
    side: str  # taker side
    ts: int


class LiquidationMessage(msgspec.Struct, frozen=True, gc=False):
    """One forced order; ``price`` and ``qty`` with the venue's own digits."""

    exchange: str
    symbol: str
    id: str
    price: Decimal
    qty: Decimal
    side: str  # of the forced order: sell closed a long
    ts: int


class FundingMessage(msgspec.Struct, frozen=True):
    """Funding and mark price; what the venue left out is None."""

    exchange: str
    symbol: str
    ts: int
    rate: Decimal | None = None  # fraction paid per funding interval
    mark_price: Decimal | None = None
    index_price: Decimal | None = None
    next_funding_ts: int | None = None


class StatusMessage(msgspec.Struct, frozen=True):
    """An interval of one feed; sent again, with a later ``ended_ns``, while it lasts."""

    exchange: str
    symbol: str
    channel: str
    state: str
    cause: str
    started_ns: int
    ended_ns: int | None = None
    missed: int | None = None
    collector: str = "A"


class StatsMessage(msgspec.Struct, frozen=True):
    """Counters of one connection since its collector started."""

    exchange: str
    conn: str
    ts: int
    symbols: int = 0
    frames: int = 0
    bytes: int = 0
    events: int = 0
    reconnects: int = 0
    gaps: int = 0
    dead_letters: int = 0
    queue: int = 0
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    venue_lag_ms: float | None = None


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

_decimals = msgspec.json.Decoder(list[Decimal])
_floats = msgspec.json.Decoder(list[float])


def plain(number: Decimal) -> str:
    """All digits and no exponent, as venues write numbers."""
    return format(number, "f")


def _levels(prices: msgspec.Raw, sizes: msgspec.Raw) -> Levels:
    return list(zip(_decimals.decode(prices), _decimals.decode(sizes), strict=True))


def _best(prices: msgspec.Raw, sizes: msgspec.Raw) -> tuple[float | None, float]:
    price, size = _floats.decode(prices), _floats.decode(sizes)
    return (price[0], size[0]) if price and size else (None, 0.0)
