"""Trades by REST: those that a socket lost, and the flags of liquidation.

The flags are documented as part of the trades that a socket brings, but in September 2026 none of 51,107 such trades
bore one while REST showed 91. So both are looked at: the first to bear the flag makes the event, the other repeats it.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

from mdplatform.core.clock import SECOND
from mdplatform.core.session import Fetch, Request

EVERY_NS = 60 * SECOND
TRADES_A_REQUEST = 1000
_LATEST = "/public/get_last_trades_by_instrument"


def trades_request(
    venue_symbol: str, symbol: str, purpose: str, first: int | None = None, last: int | None = None
) -> Request:
    """At most 1000 trades from number ``first`` on, oldest first; without it the latest ten."""
    path = f"{_LATEST}?instrument_name={quote(venue_symbol)}"
    if first is not None:
        path += f"&count={TRADES_A_REQUEST}&sorting=asc&start_seq={first}"
    if last is not None:
        path += f"&end_seq={last}"
    return Request(path, symbol=symbol, purpose=purpose)


def begins_poll(path: str) -> bool:
    """Whether this is the call that a poll begins with: what it lists only tells where the numbers stand."""
    url = urlsplit(path)
    return url.path.endswith(_LATEST) and "start_seq" not in parse_qs(url.query)


class FlagPoll:
    """Asks for the trades of one instrument since the last time. It outlives connections."""

    def __init__(self, venue_symbol: str, symbol: str) -> None:
        self._venue_symbol, self._symbol = venue_symbol, symbol
        self._next_seq: int | None = None  # None: where the numbers stand is still to be asked
        self._under_way: Request | None = None
        self._due_ns: int | None = None  # None: not connected, as in a recording

    def connected(self, now_ns: int) -> None:
        self._under_way, self._due_ns = None, now_ns

    def begin_again(self) -> None:
        """The venue numbers its trades from the start: where the numbers stand is asked again."""
        self._next_seq = None

    def tick(self, now_ns: int) -> list[Fetch]:
        if self._under_way is not None or self._due_ns is None or now_ns < self._due_ns:
            return []
        self._under_way = trades_request(self._venue_symbol, self._symbol, "liquidations", self._next_seq)
        return [Fetch(self._under_way)]

    def owns(self, request: Request) -> bool:
        return request == self._under_way

    def answered(self, now_ns: int) -> None:
        """Whatever the answer was: the next is due in a while."""
        self._under_way, self._due_ns = None, now_ns + EVERY_NS

    def reached(self, last_seq: int, has_more: bool, now_ns: int) -> bool:
        """The answer held trades up to this number. Whether they count: the first ones may be days old."""
        is_first, self._next_seq = self._next_seq is None, last_seq + 1
        if has_more and not is_first:
            self._due_ns = now_ns
        return not is_first
