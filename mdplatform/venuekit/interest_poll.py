"""Open interest by REST, where no socket has it: a call a minute and symbol, spread over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

from mdplatform.core.clock import SECOND
from mdplatform.core.session import Fetch, Request
from mdplatform.core.symbols import Instrument

EVERY_NS = 60 * SECOND
SPREAD_NS = 10 * SECOND  # over which the first calls of a connection are spread


class InterestPoll:
    """Asks for the open interest of one instrument by ``request``, with one call under way at most."""

    def __init__(self, instrument: Instrument, request: Request) -> None:
        self.instrument, self.request = instrument, request
        self._later_ns = crc32(instrument.venue_symbol.encode()) % SPREAD_NS
        self._due_ns: int | None = None  # None: not connected, or a call is under way

    def connected(self, now_ns: int) -> None:
        self._due_ns = now_ns + self._later_ns

    def closed(self) -> None:
        self._due_ns = None

    def answered(self, now_ns: int) -> None:
        """Whatever the answer was: the next call is due in a minute."""
        self._due_ns = now_ns + EVERY_NS

    def tick(self, now_ns: int) -> list[Fetch]:
        if self._due_ns is None or now_ns < self._due_ns:
            return []
        self._due_ns = None
        return [Fetch(self.request)]


class InterestPolls:
    """Those of one connection."""

    def __init__(self, polls: Iterable[InterestPoll] = ()) -> None:
        self._polls = {poll.request: poll for poll in polls}

    def __iter__(self) -> Iterator[InterestPoll]:
        return iter(self._polls.values())

    def connected(self, now_ns: int) -> None:
        for poll in self:
            poll.connected(now_ns)

    def closed(self) -> None:
        for poll in self:
            poll.closed()

    def answered(self, request: Request, now_ns: int) -> bool:
        """Whether this is the answer to a call of theirs."""
        poll = self._polls.get(request)
        if poll is not None:
            poll.answered(now_ns)
        return poll is not None
