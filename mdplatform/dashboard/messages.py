"""What the page reads from the topics: only the fields that it shows; unknown ones are ignored."""

from __future__ import annotations

from decimal import Decimal

import msgspec

Levels = list[tuple[Decimal, Decimal]]  # (price, size), best first


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

    def bids(self) -> Levels:
        """Raises ValueError or msgspec.DecodeError when the two arrays are not equally many numbers."""
        return _levels(self.b, self.bv)

    def asks(self) -> Levels:
        """Raises as ``bids`` does."""
        return _levels(self.a, self.av)


class TradeMessage(msgspec.Struct, frozen=True, gc=False):
    """One print; ``price`` and ``qty`` with the venue's own digits."""

    exchange: str
    symbol: str
    id: str
    price: Decimal
    qty: Decimal
    side: str  # taker side
    ts: int
    provenance: str = "live"


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


class StatsMessage(msgspec.Struct, frozen=True):
    """Counters of one connection since its collector started."""

    exchange: str
    conn: str
    ts: int
    symbols: int = 0
    frames: int = 0
    events: int = 0
    reconnects: int = 0
    gaps: int = 0
    dead_letters: int = 0
    queue: int = 0
    latency_p99_ms: float | None = None
    venue_lag_ms: float | None = None


Message = BookMessage | TradeMessage | StatusMessage | StatsMessage

DECODERS: dict[str, msgspec.json.Decoder[Message]] = {
    "books": msgspec.json.Decoder(BookMessage),
    "trades": msgspec.json.Decoder(TradeMessage),
    "status": msgspec.json.Decoder(StatusMessage),
    "stats": msgspec.json.Decoder(StatsMessage),
}

_decimals = msgspec.json.Decoder(list[Decimal])


def _levels(prices: msgspec.Raw, sizes: msgspec.Raw) -> Levels:
    return list(zip(_decimals.decode(prices), _decimals.decode(sizes), strict=True))
