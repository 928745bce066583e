"""The latest trades and liquidations of one feed."""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

from mdplatform.core.messages import MOST_DIGITS
from mdplatform.dashboard.messages import LiquidationMessage, TradeMessage

PRINTS_KEPT = 60  # of each kind: liquidations are rare, and trades would soon push them out
IDS_KEPT = 1_000  # of each kind: a second collector repeats a trade within a few seconds

PrintKind = Literal["trade", "liquidation"]


class Tape:
    """Each of them once, by the venue's id, however often a restarted or second collector repeats it."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: dict[PrintKind, deque[dict[str, Any]]] = {
            "trade": deque(maxlen=PRINTS_KEPT),
            "liquidation": deque(maxlen=PRINTS_KEPT),
        }
        self._ids: dict[PrintKind, dict[str, None]] = {"trade": {}, "liquidation": {}}

    def take(self, kind: PrintKind, message: TradeMessage | LiquidationMessage) -> bool:
        """False for one that is there already. Its numbers are bounded."""
        ids = self._ids[kind]
        if message.id in ids:
            return False
        ids[message.id] = None
        if len(ids) > IDS_KEPT:
            del ids[next(iter(ids))]
        self.count += 1
        entry = {
            "n": self.count,
            "kind": kind,
            "id": message.id,
            "price": format(message.price, "f")[:MOST_DIGITS],
            "qty": format(message.qty, "f")[:MOST_DIGITS],
            "side": message.side,
            "ts": message.ts,
        }
        self._kept[kind].append(entry)
        return True

    def since(self, count: int) -> list[dict[str, Any]]:
        """Those taken after the first ``count``, in the order of arrival."""
        entries = [entry for kept in self._kept.values() for entry in kept if entry["n"] > count]
        return sorted(entries, key=lambda entry: entry["n"])
