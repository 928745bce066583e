"""Flags of liquidation by REST.

They are documented as part of the trades that a socket brings, but in September 2026 none of 51,107 such trades bore
one while REST showed 91. So both are looked at: the first to bear the flag makes the event, the other repeats it.
"""

from __future__ import annotations

from urllib.parse import quote

from mdplatform.clock import SECOND
from mdplatform.session import Fetch, Request

EVERY_NS = 60 * SECOND
TRADES_A_REQUEST = 1000


class FlagPoll:
    """Asks for the trades of one instrument since the last time. It outlives connections."""

    def __init__(self, venue_symbol: str, symbol: str) -> None:
        self._path = f"/public/get_last_trades_by_instrument?instrument_name={quote(venue_symbol)}"
        self._symbol = symbol
        self._next_seq: int | None = None  # None: nothing was seen yet, the latest trades are asked for
        self._under_way: Request | None = None
        self._due_ns: int | None = None  # None: not connected, as in a recording

    def connected(self, now_ns: int) -> None:
        self._under_way, self._due_ns = None, now_ns

    def tick(self, now_ns: int) -> list[Fetch]:
        if self._under_way is not None or self._due_ns is None or now_ns < self._due_ns:
            return []
        since = "" if self._next_seq is None else f"&start_seq={self._next_seq}&sorting=asc"
        path = f"{self._path}{since}&count={TRADES_A_REQUEST}"
        self._under_way = Request(path, symbol=self._symbol, purpose="liquidations")
        return [Fetch(self._under_way)]

    def owns(self, request: Request) -> bool:
        return request == self._under_way

    def answered(self, now_ns: int) -> None:
        """Whatever the answer was: the next is due in a while."""
        self._under_way, self._due_ns = None, now_ns + EVERY_NS

    def reached(self, last_seq: int, has_more: bool, now_ns: int) -> None:
        """The answer held trades up to this number; ``has_more`` matters where it began at the last one seen."""
        if has_more and self._next_seq is not None:
            self._due_ns = now_ns
        self._next_seq = last_seq + 1
