"""Trades that a socket did not bring, asked for by REST: one request at a time, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mdplatform.clock import SECOND
from mdplatform.events import FeedStatus
from mdplatform.session import Fetch, Request
from mdplatform.tradeids import Missing, TradeIds, filled

_FIRST_WAIT_NS = SECOND  # where trades are numbered: a late one may still come by the socket
_TRIES = 6  # in vain, 1 + 2 + ... + 32 s: then the trades stay missing


class _Break(NamedTuple):
    """How far trades had come when the feed broke."""

    seen: int  # ids seen by then
    traded_ns: int  # venue time of the newest trade


class TradeFill:
    """Of one market. ``request`` makes the call that brings the trades from ``missing.first`` on, in the order of ids.

    Where trades are not ``numbered`` nobody knows what is missing: after a break it is called with None, and brings the
    latest trades. Such a list has no holes: where it holds a trade from before the break and the first that the socket
    brought since, nothing is missing in between. Until one has come, the list may have been too early.
    """

    def __init__(self, request: Callable[[Missing | None], Request], numbered: TradeIds | None) -> None:
        self._request = request
        self._numbered = numbered
        self._break: _Break | None = None  # the first one that was not made good
        self._resumed: int | None = None  # rank of the first trade that the socket brought since the last break
        self._overlaps = False  # a trade from before the break was among the answer
        self._reaches = False  # the one that is ``_resumed`` was
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
        self._resumed = None

    def broken(self, status: FeedStatus) -> None:
        """An interval without trades has ended; only said of what is not numbered."""
        self._broken.append(status)
        self._is_due = True

    def resumed(self, rank: int) -> None:
        """The socket brought a trade that is the one of this rank among all seen."""
        if self._resumed is None:
            self._resumed = rank
            self._is_due = bool(self._broken)

    def lists(self, rank: int | None, venue_ns: int) -> bool:
        """Whether a trade of the answer was missing. ``rank``: how many were seen before it, None: it was not seen.

        What is listed before any known trade and is older than the break is from before the collector began.
        """
        if self._break is None:
            return rank is None
        if rank is not None:
            self._overlaps = self._overlaps or rank < self._break.seen
            self._reaches = self._reaches or rank == self._resumed
            return False
        return self._overlaps or venue_ns >= self._break.traded_ns

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
            self._retry_ns = now_ns if self._numbered is None else now_ns + _FIRST_WAIT_NS
        if now_ns < self._retry_ns:
            return []
        self._under_way = request
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
            return self._listed(now_ns)
        if brought:
            self._tries, self._retry_ns = 0, now_ns
        else:
            self.failed(now_ns)
        return []

    def _listed(self, now_ns: int) -> list[FeedStatus]:
        """What a list of the latest trades makes good. If it does not reach back to the break, no later one will."""
        overlaps = self._overlaps
        if overlaps and not self._reaches:
            self._overlaps = False
            self._is_due = self._resumed is not None
            if self._is_due:
                self.failed(now_ns)
            return []
        out = [filled(status) for status in self._broken] if overlaps else []
        self._forget()
        return out

    def failed(self, now_ns: int) -> None:
        """No answer, or one without what was asked for: later again, and at last no more."""
        self._under_way = None
        self._overlaps = self._reaches = False
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
        self._break = self._resumed = None
        self._is_due = self._overlaps = self._reaches = False
        self._broken.clear()
