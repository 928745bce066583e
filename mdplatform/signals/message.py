"""A signal, and its message on the signals topic."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from mdplatform.core.clock import MS

Kind = Literal["price_move", "volume_spike", "liquidation_cascade", "imbalance", "order_flow", "dislocation"]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """An extreme market event. Times are those of the event that completed it."""

    kind: Kind
    exchange: str  # where it was seen; of several the one where it is strongest
    exchanges: tuple[str, ...]  # all that took part
    symbol: str
    scope: Literal["market", "symbol"]  # of one exchange's market, or of the symbol across exchanges
    direction: str  # up, down, buy, sell, bid, ask; empty where there is none
    value: float
    threshold: float  # what ``value`` had to reach
    unit: str  # of both: %, bps, x (times the usual), orders, sd (standard deviations), share
    window_s: float
    evidence: dict[str, Any]  # what it was computed from; names by kind, see the detector
    sequence: int | None  # of the book or quote that completed it
    venue_ns: int
    received_ns: int

    @property
    def id(self) -> str:
        """The same for the same finding, however often it is published."""
        where = self.exchange if self.scope == "market" else "+".join(self.exchanges)
        when = self.venue_ns if self.sequence is None else self.sequence
        return f"{where}:{self.symbol}:{self.kind}:{when}"


def encode_signal(signal: Signal, found_ns: int) -> bytes:
    """The message: the fields of Signal, ``id``, ``ts`` (venue time in ms), when it was found and how late, in ms."""
    return msgspec.json.encode(
        {
            "id": signal.id,
            **msgspec.structs.asdict(signal),
            "ts": signal.venue_ns // MS,
            "found_ns": found_ns,
            "latency_venue_ms": (found_ns - signal.venue_ns) / MS,
            "latency_received_ms": (found_ns - signal.received_ns) / MS,
        }
    )


decode_signal = msgspec.json.Decoder(Signal).decode
