"""Trades that a socket did not bring, asked for by REST: one request at a time, and not for ever."""

from __future__ import annotations

from collections.abc import Callable

from mdplatform.clock import SECOND
from mdplatform.events import FeedStatus
from mdplatform.session import Fetch, Request
from mdplatform.tradeids import Missing, TradeIds, filled

_FIRST_WAIT_NS = SECOND  # a late trade may still come by the socket
_TRIES = 6  # in vain, 1 + 2 + ... + 32 s: then the trades stay missing


class TradeFill:
    """Of one market. ``request`` makes the call that brings the trades from ``missing.first`` on, in the order of ids.

    Where trades are not ``numbered`` nobody knows what is missing: after each break it is called with None, and brings
    the latest trades.
    """

    def __init__(self, request: Callable[[Missing | None], Request], numbered: TradeIds | None) -> None:
        self.overlaps = False  # a trade from before the break was among the answer: nothing is missing in between
        self._request = request
        self._numbered = numbered
        self._broken: list[FeedStatus] = []  # intervals since the feed was last valid
        self._is_due = False
        self._under_way: Request | None = None
        self._given_up: set[Missing] = set()
        self._tries = 0
        self._retry_ns = 0

    def broken(self, status: FeedStatus) -> None:
        """An interval without trades has ended; only said of what is not numbered."""
        self._broken.append(status)
        self._is_due = True

    def connected(self) -> None:
        """What an earlier connection asked for is asked for again."""
        self._under_way = None

    def tick(self, now_ns: int) -> list[Fetch]:
        """The request that is due now."""
        if self._under_way is not None:
            return []
        request = self.wanted()
        if request is None:
            self._retry_ns = self._tries = 0
            return []
        if not self._retry_ns:
            self._retry_ns = now_ns + _FIRST_WAIT_NS
        if now_ns < self._retry_ns:
            return []
        self._under_way = request
        return [Fetch(request)]

    def wanted(self) -> Request | None:
        """What is to be asked for next, None while nothing is missing."""
        if self._numbered is None:
            return self._request(None) if self._is_due else None
        return next((self._request(m) for m in self._numbered.missing if m not in self._given_up), None)

    def owns(self, request: Request) -> bool:
        """Whether it is ours: it is under way, or (in a recording) what would be asked for."""
        return request in (self._under_way, self.wanted())

    def answered(self, brought: bool, now_ns: int) -> list[FeedStatus]:
        """The market took the answer's trades; ``brought``: there were missing ones among them."""
        self._under_way = None
        if self._numbered is None:
            self._is_due = False
            out = [filled(status) for status in self._broken] if self.overlaps else []
            self._broken.clear()
            self.overlaps = False
            return out
        if brought:
            self._tries, self._retry_ns = 0, now_ns
        else:
            self.failed(now_ns)
        return []

    def failed(self, now_ns: int) -> None:
        """No answer, or one without what was asked for: later again, and at last no more."""
        self._under_way = None
        self._tries += 1
        self._retry_ns = now_ns + (_FIRST_WAIT_NS << self._tries)
        if self._tries >= _TRIES:
            self._give_up()

    def _give_up(self) -> None:
        self._tries = self._retry_ns = 0
        if self._numbered is None:
            self._is_due = False
            self._broken.clear()
        else:
            self._given_up |= set(self._numbered.missing[:1])
