"""Trades that a socket did not bring, asked for by REST: one request at a time, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mdplatform.clock import SECOND
from mdplatform.events import FeedStatus
from mdplatform.session import Fetch, Request
from mdplatform.tradeids import Missing, TradeIds, filled

_FIRST_WAIT_NS = SECOND  # a late trade may still come by the socket
_TRIES = 6  # in vain, 1 + 2 + ... + 32 s: then the trades stay missing


class _Break(NamedTuple):
    """How far trades had come when the feed broke."""

    seen: int  # ids seen by then
    traded_ns: int  # venue time of the newest trade


class TradeFill:
    """Of one market. ``request`` makes the call that brings the trades from ``missing.first`` on, in the order of ids.

    Where trades are not ``numbered`` nobody knows what is missing: after each break it is called with None, and brings
    the latest trades. Lists have no holes: where one holds a trade from before the first break, nothing is missing.
    """

    def __init__(self, request: Callable[[Missing | None], Request], numbered: TradeIds | None) -> None:
        self._request = request
        self._numbered = numbered
        self._break: _Break | None = None  # the first one that was not made good
        self._broke_again = False  # since the request was made: its answer may not reach to the end of that break
        self._overlaps = False  # a trade from before the break was among the answer
        self._broken: list[FeedStatus] = []  # intervals without trades since that break
        self._is_due = False
        self._under_way: Request | None = None
        self._given_up: set[Missing] = set()
        self._tries = 0
        self._retry_ns = 0

    @property
    def is_broken(self) -> bool:
        """Whether trades may be missing that no number tells of."""
        return self._break is not None

    def broke(self, seen: int, traded_ns: int) -> None:
        """From here on trades may be missing; ``seen`` counts the ids until then. Only said of what is not numbered."""
        if self._break is None:
            self._break = _Break(seen, traded_ns)
        self._broke_again = self._under_way is not None

    def broken(self, status: FeedStatus) -> None:
        """An interval without trades has ended; only said of what is not numbered."""
        self._broken.append(status)
        self._is_due = True

    def lists(self, rank: int | None, venue_ns: int) -> bool:
        """Whether a trade of the answer was missing. ``rank``: how many were seen before it, None: it was not seen.

        What is listed before any known trade and is older than the break is from before the collector began.
        """
        if self._break is None:
            return rank is None
        if rank is not None:
            self._overlaps = self._overlaps or rank < self._break.seen
            return False
        return self._overlaps or venue_ns >= self._break.traded_ns

    def connected(self) -> None:
        """What an earlier connection asked for is asked for again."""
        self._under_way = None
        self._broke_again = False

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
        self._under_way, self._broke_again, self._overlaps = request, False, False
        return [Fetch(request)]

    def wanted(self) -> Request | None:
        """What is to be asked for next, None while nothing is missing."""
        if self._numbered is None:
            return self._request(None) if self._is_due else None
        return next((self._request(m) for m in self._numbered.missing if m not in self._given_up), None)

    def asking(self) -> list[Request]:
        """What is under way, and (in a recording) what would be asked for."""
        return [request for request in (self._under_way, self.wanted()) if request is not None]

    def answered(self, brought: bool, now_ns: int) -> list[FeedStatus]:
        """The market took the answer's trades; ``brought``: there were missing ones among them."""
        self._under_way = None
        if self._numbered is None:
            return [] if self._broke_again else self._settled()
        if brought:
            self._tries, self._retry_ns = 0, now_ns
        else:
            self.failed(now_ns)
        return []

    def _settled(self) -> list[FeedStatus]:
        """There is nothing more to be had; what that makes good."""
        out = [filled(status) for status in self._broken] if self._overlaps else []
        self._forget()
        return out

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
            self._forget()
        else:
            self._given_up |= set(self._numbered.missing[:1])

    def _forget(self) -> None:
        self._break = None
        self._is_due = self._overlaps = False
        self._broken.clear()
