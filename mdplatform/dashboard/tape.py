"""The latest trades and liquidations of one feed."""

from __future__ import annotations

from typing import Any, Literal

from mdplatform.core.messages import MOST_DIGITS
from mdplatform.dashboard.messages import LiquidationMessage, TradeMessage

PRINTS_KEPT = 60  # of each kind: liquidations are rare, and trades would soon push them out

PrintKind = Literal["trade", "liquidation"]


class Tape:
    """Each of them once, by the venue's id, however often a restarted or second collector repeats it."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: dict[PrintKind, dict[str, dict[str, Any]]] = {"trade": {}, "liquidation": {}}

    def take(self, kind: PrintKind, message: TradeMessage | LiquidationMessage) -> bool:
        """False for one that is there already. Its numbers are bounded."""
        kept = self._kept[kind]
        if message.id in kept:
            return False
        self.count += 1
        kept[message.id] = {
            "n": self.count,
            "kind": kind,
            "id": message.id,
            "price": format(message.price, "f")[:MOST_DIGITS],
            "qty": format(message.qty, "f")[:MOST_DIGITS],
            "side": message.side,
            "ts": message.ts,
        }
        if len(kept) > PRINTS_KEPT:
            del kept[next(iter(kept))]
        return True

    def since(self, count: int) -> list[dict[str, Any]]:
        """Those taken after the first ``count``, in the order of arrival."""
        entries = [entry for kept in self._kept.values() for entry in kept.values() if entry["n"] > count]
        return sorted(entries, key=lambda entry: entry["n"])
