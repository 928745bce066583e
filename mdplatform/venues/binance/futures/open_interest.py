"""Open interest by REST, as no socket has it: a call a minute and symbol, spread over time.

A file of its own: nothing else here asks by the clock.
"""

from __future__ import annotations

from urllib.parse import quote
from zlib import crc32

from mdplatform.core.clock import SECOND
from mdplatform.core.session import Fetch, Request
from mdplatform.core.symbols import Instrument

EVERY_NS = 60 * SECOND
SPREAD_NS = 10 * SECOND  # over which the first calls of a connection are spread
PATH = "/openInterest"


class InterestPoll:
    """Asks for the open interest of one instrument, with one call under way at most."""

    def __init__(self, api: str, instrument: Instrument) -> None:
        self.instrument = instrument
        path = f"{api}{PATH}?symbol={quote(instrument.venue_symbol)}"
        self.request = Request(path, 1, instrument.symbol, "open_interest")
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
