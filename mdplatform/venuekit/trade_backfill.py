"""Trades that a socket did not bring, requested by REST: one request at a time, and a limited number of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from mdplatform.core.backoff import doubled
from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus
from mdplatform.core.session import Fetch, Request
from mdplatform.venuekit.trade_ids import Missing, TradeIds, filled

_FIRST_WAIT_NS = SECOND  # where trades are numbered: a late one may still come by the socket
_TRIES = 6  # without result, 1 + 2 + ... + 32 s: then the trades stay missing
_HOUR_NS = 3600 * SECOND
_AN_HOUR = 1800  # requests a symbol and hour: a long outage of a busy symbol takes many pages
_IN_VAIN_AN_HOUR = 60  # of which brought nothing: from then on only what was never asked for


class _Break(NamedTuple):
    """How far trades had come when the feed broke."""

    seen: int  # ids seen by then
    traded_ns: int  # venue time of the newest trade


class _Turn:
    """Of one run of missing trades: how many requests brought nothing, and when the next one is due."""

    def __init__(self, due_ns: int, tries: int = 0) -> None:
        self.due_ns = due_ns
        self.tries = tries


class TradeBackfill:
    """Of one market. ``request`` makes the call that brings the trades from ``missing.first`` on, in the order of ids.

    Where trades are numbered each run of missing ones has its own turns: one that the venue does not have, as where a
    number never was a trade, holds up no other.

    Where trade ids are not sequential nobody knows what is missing: after a break it is called with None, and brings
    the latest trades. Such a list has no holes: where it holds a trade from before the break and the first that the
    socket brought since, nothing is missing in between. Until one has come, the list may have been too early.
    """

    def __init__(self, request: Callable[[Missing | None], Request], sequential_ids: TradeIds | None) -> None:
        self._request = request
        self._sequential_ids = sequential_ids
        self._break: _Break | None = None  # the first one that was not made good
        self._resumed: int | None = None  # rank of the first trade that the socket brought since the last break
        self._overlaps = False  # a trade from before the break was among the answer
        self._reaches = False  # the one that is ``_resumed`` was
        self._broken: list[FeedStatus] = []  # intervals without trades since that break
        self._is_due = False
        self._under_way: Request | None = None
        self._asked: Missing | None = None  # what ``_under_way`` is about, where trades are numbered
        self._turns: dict[Missing, _Turn] = {}
        self._tries = 0
        self._retry_ns = 0
        self._sent: deque[int] = deque()  # times of the requests of the last hour
        self._in_vain: deque[int] = deque()  # times of the answers among them that brought nothing

    @property
    def is_broken(self) -> bool:
        """Whether trades may be missing that no number would show."""
        return self._break is not None

    def broke(self, seen: int, traded_ns: int) -> None:
        """From here on trades may be missing; ``seen`` counts the ids until then. Only called without numbers."""
        if self._break is None:
            self._break = _Break(seen, traded_ns)
        self._resumed = None

    def broken(self, status: FeedStatus) -> None:
        """An interval without trades has ended; only called for what is not numbered."""
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
        self._under_way = self._asked = None

    def tick(self, now_ns: int) -> list[Fetch]:
        """The request that is due now."""
        if self._under_way is not None:
            return []
        request = (
            self._latest(now_ns) if self._sequential_ids is None else self._next(self._sequential_ids.missing, now_ns)
        )
        if request is None or not _has_room(self._sent, _AN_HOUR, now_ns):
            return []
        self._sent.append(now_ns)
        self._under_way = request
        return [Fetch(request)]

    def _latest(self, now_ns: int) -> Request | None:
        if not self._is_due:
            self._retry_ns = self._tries = 0
            return None
        return self._request(None) if now_ns >= self._retry_ns else None

    def _next(self, missing: list[Missing], now_ns: int) -> Request | None:
        """Of the run whose turn is the longest due."""
        if not missing:
            self._turns.clear()
            return None
        turns, first_ns = self._turns, now_ns + _FIRST_WAIT_NS
        self._turns = turns = {run: turns.get(run) or _Turn(first_ns) for run in missing}
        tries = _TRIES if _has_room(self._in_vain, _IN_VAIN_AN_HOUR, now_ns) else 1
        due = [(turn.due_ns, run) for run, turn in turns.items() if turn.tries < tries and turn.due_ns <= now_ns]
        if not due:
            return None
        self._asked = min(due)[1]
        return self._request(self._asked)

    def asking(self) -> list[Request]:
        """What is under way, and (in a recording) what would be asked for."""
        wanted: list[Missing | None] = [None] if self._is_due else []
        if self._sequential_ids is not None:
            wanted = [*self._sequential_ids.missing]
        under_way = [] if self._under_way is None else [self._under_way]
        return under_way + [self._request(run) for run in wanted]

    def answered(self, brought: bool, now_ns: int) -> list[FeedStatus]:
        """The market took the answer's trades; ``brought``: there were missing ones among them."""
        if self._sequential_ids is None:
            self._under_way = None
            return self._listed(now_ns)
        asked, request = self._asked, self._under_way
        self._under_way = self._asked = None
        if asked is not None and request is not None:
            self._settle(asked, request, self._sequential_ids.missing, now_ns)
            if not brought:
                self._in_vain.append(now_ns)
        return self._sequential_ids.revised()

    def _settle(self, asked: Missing, request: Request, missing: list[Missing], now_ns: int) -> None:
        """What is left of a run: a page ends somewhere, but what it passes over it does not hold.

        Where a venue lists its latest trades only, the same request was about every other run, too.
        """
        turn = self._turns.pop(asked, None) or _Turn(now_ns)
        for run in missing:
            if run == asked or (asked.first <= run.first and run.last < asked.last):
                self._turns[run] = self._later(turn, now_ns)
            elif asked.first < run.first and run.last == asked.last:
                self._turns[run] = _Turn(now_ns)
            elif self._request(run) == request:
                self._turns[run] = self._later(self._turns.get(run) or _Turn(now_ns), now_ns)

    def _later(self, turn: _Turn, now_ns: int) -> _Turn:
        return _Turn(now_ns + doubled(_FIRST_WAIT_NS, turn.tries + 1, _HOUR_NS), turn.tries + 1)

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
        if self._sequential_ids is not None:
            if self._asked is not None:
                self._turns[self._asked] = self._later(self._turns.get(self._asked) or _Turn(now_ns), now_ns)
                self._in_vain.append(now_ns)
                self._asked = None
            return
        self._overlaps = self._reaches = False
        self._tries += 1
        self._retry_ns = now_ns + doubled(_FIRST_WAIT_NS, self._tries, _HOUR_NS)
        if self._tries >= _TRIES:
            self._tries = self._retry_ns = 0
            self._forget()

    def _forget(self) -> None:
        self._break = self._resumed = None
        self._is_due = self._overlaps = self._reaches = False
        self._broken.clear()


def _has_room(times: deque[int], most: int, now_ns: int) -> bool:
    """Whether fewer than ``most`` of these times are of the last hour; older ones are dropped."""
    while times and times[0] <= now_ns - _HOUR_NS:
        times.popleft()
    return len(times) < most
