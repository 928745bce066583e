"""Which markets the engine keeps state for; the state of all others is dropped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from mdplatform.core.errors import MessageError
from mdplatform.core.market_room import MOST_MARKETS, MarketRoom
from mdplatform.venues import venue_ids


class Forgetful(Protocol):
    """A detector, which keeps state by market or symbol."""

    def forget(self, exchange: str, symbol: str, is_last: bool) -> None:
        """Drop what is known of a market; ``is_last``: of its symbol too, which is on no other exchange."""


class Markets:
    """Lets the venues' markets in, see ``MarketRoom``; ``detectors`` forget the one that gave its place."""

    def __init__(self, detectors: Iterable[Forgetful], most: int = MOST_MARKETS) -> None:
        self._detectors = [*detectors]
        self._exchanges = frozenset(venue_ids())
        self._room = MarketRoom(most)

    def __len__(self) -> int:
        return len(self._room)

    def admit(self, exchange: str, symbol: str, now_ns: int) -> None:
        """Raises MessageError for an unknown exchange, and for one market more than there is room for."""
        if exchange not in self._exchanges:
            raise MessageError("unknown_exchange", f"{exchange[:64]!r} is no venue of ours")
        gone = self._room.admit((exchange, symbol), now_ns)
        if gone is not None:
            for detector in self._detectors:
                detector.forget(*gone, not self._room.has(gone[1]))
