"""Whether the broker answers and when it last said something. Written by the reader's thread only."""

from __future__ import annotations

from typing import Any, Literal

Broker = Literal["connecting", "reachable", "unreachable", "stopped"]


class Health:
    """The reader's view of the broker; times in ms since the epoch."""

    def __init__(self, brokers: str, now_ms: int) -> None:
        self.brokers = brokers
        self.broker: Broker = "connecting"
        self.since_ms = now_ms
        self.cause = ""
        self.last_message_ms: int | None = None
        self.partitions = 0

    def turn(self, broker: Broker, now_ms: int, cause: str = "") -> bool:
        """Note the broker's state; True when it is another than before. ``since_ms`` is when it became so."""
        self.cause = cause
        if broker == self.broker:
            return False
        self.broker, self.since_ms = broker, now_ms
        return True

    def shown(self) -> dict[str, Any]:
        return {
            "broker": self.broker,
            "since_ms": self.since_ms,
            "cause": self.cause,
            "brokers": self.brokers,
            "partitions": self.partitions,
            "last_message_ms": self.last_message_ms,
        }
