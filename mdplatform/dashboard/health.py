"""Whether broker and warehouse answer, and when the broker last said something. Written by one thread each."""

from __future__ import annotations

import time
from typing import Any, Literal

Answering = Literal["connecting", "reachable", "unreachable", "stopped"]


class Reach:
    """Whether a service answers; times in ms since the epoch."""

    def __init__(self, now_ms: int) -> None:
        self.state: Answering = "connecting"
        self.since_ms = now_ms
        self.cause = ""

    def turn(self, state: Answering, now_ms: int, cause: str = "") -> bool:
        """Note the state; True when it is another than before. ``since_ms`` is when it became so."""
        self.cause = cause
        if state == self.state:
            return False
        self.state, self.since_ms = state, now_ms
        return True

    def shown(self) -> dict[str, Any]:
        return {"state": self.state, "since_ms": self.since_ms, "cause": self.cause}


class Health:
    """The reader's view of the broker."""

    def __init__(self, brokers: str, now_ms: int) -> None:
        self.brokers = brokers
        self.reach = Reach(now_ms)
        self.last_message_ms: int | None = None
        self.partitions = 0

    def shown(self) -> dict[str, Any]:
        return {
            "broker": self.reach.state,
            "since_ms": self.reach.since_ms,
            "cause": self.reach.cause,
            "brokers": self.brokers,
            "partitions": self.partitions,
            "last_message_ms": self.last_message_ms,
        }


def now_ms() -> int:
    return time.time_ns() // 1_000_000
