"""The last prints of one feed: trades and liquidations."""

from __future__ import annotations

from typing import Any, Literal

from mdplatform.dashboard.messages import LiquidationMessage, TradeMessage, plain

PRINTS_KEPT = 60

PrintKind = Literal["trade", "liquidation"]


class Tape:
    """Each print once, however often a restarted or second collector repeats it: the venue's id tells."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: dict[tuple[PrintKind, str], dict[str, Any]] = {}

    def take(self, kind: PrintKind, message: TradeMessage | LiquidationMessage) -> bool:
        """False for one that is there already."""
        if (kind, message.id) in self._kept:
            return False
        self.count += 1
        self._kept[kind, message.id] = {
            "n": self.count,
            "kind": kind,
            "id": message.id,
            "price": plain(message.price),
            "qty": plain(message.qty),
            "side": message.side,
            "ts": message.ts,
        }
        if len(self._kept) > PRINTS_KEPT:
            del self._kept[next(iter(self._kept))]
        return True

    def since(self, count: int) -> list[dict[str, Any]]:
        """The prints taken after the first ``count``, in the order in which they came."""
        return [entry for entry in self._kept.values() if entry["n"] > count]
