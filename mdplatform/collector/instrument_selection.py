"""The venue's instruments: which of them the collector takes, before it connects and whenever the list changes."""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from mdplatform.core.backoff import doubled
from mdplatform.core.clock import SECOND, Clock
from mdplatform.core.errors import FeedError, FrameError, is_retryable
from mdplatform.core.instrument_list import InstrumentList, RefusedRow
from mdplatform.core.session import PagedInstruments, Request, Venue
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.feed.backoff import Backoff
from mdplatform.feed.rest import RestClient

log = logging.getLogger(__name__)

LIST_EVERY_S = 3600.0
SOON_S = 30.0  # where something is missing: so long at first, twice as long each time, up to LIST_EVERY_S
DUE_S = 120.0  # on the day on which a contract that is collected expires
PATIENCE = 3  # times that a list which fails is requested before what is wanted of the others is collected
SHRUNK_S = 3600.0  # a list that is less than half of what it was is believed after so long

# Lists are requested every hour, and more often where something is missing. Some seconds less than that hour: the whole
# list must not slip to every second time.
WHOLE_EVERY_NS = 3570 * SECOND

Keep = Callable[[bytes, InstrumentList], None]


class Wanted(NamedTuple):
    """What the list says of the names in a setting: instruments by name (those of a chain each by its symbol), and the
    names that mean none today."""

    found: dict[str, Instrument]
    missing: list[str]


class Lists:
    """The venue's instrument lists as they are known. ``keep`` is given each answer and what it states."""

    def __init__(self, venue: Venue, rest: RestClient, clock: Clock, keep: Keep) -> None:
        self._venue, self._rest, self._clock, self._keep = venue, rest, clock, keep
        self._known: dict[Request, list[Instrument]] = {}
        self._shrunk_ns: dict[Request, int] = {}  # lists that are not believed yet, since when
        self._again = 0  # how often something was missing, one time after another
        self.failed: dict[Request, FeedError | FrameError] = {}  # lists that did not answer the last time

    async def first(self, is_enough: Callable[[Instruments], bool], strict: bool) -> Instruments:
        """Asks until there are answers; raises RestError when the venue refuses its lists for good.

        Of several lists one may fail: the others do where they hold all that is wanted, and unless ``strict`` a little
        later even where they do not.
        """
        backoff = Backoff(base_s=1.0)
        while True:
            try:
                listed = await self.ask()
            except (FeedError, FrameError) as error:
                problem: FeedError | FrameError = error
            else:
                if not self.failed or is_enough(listed) or (not strict and backoff.failures >= PATIENCE):
                    return listed
                problem = next(iter(self.failed.values()))
            if not isinstance(problem, FrameError) and not is_retryable(problem) and (strict or not self._known):
                raise problem
            delay_s = backoff.next_s()
            log.warning("%s: no instrument list (%s); asking again in %.1f s", self._venue.id, problem, delay_s)
            await asyncio.sleep(delay_s)

    async def ask(self) -> Instruments:
        """All that the venue lists now; of a list that fails what was known of it. Only whole answers are kept.

        Raises FeedError or FrameError when every list fails. One of which more than half is gone is more likely a
        venue in trouble: what was known is kept for an hour.
        """
        self.failed.clear()
        for request in self._venue.instruments_requests():
            bodies: list[bytes] = []
            stated: list[InstrumentList] = []
            try:
                bodies = await self._pages(request)
                for body in bodies:
                    stated.append(self._venue.parse_instruments(body))
            except (FeedError, FrameError) as error:
                self.failed[request] = error
                if isinstance(error, FrameError) and len(stated) < len(bodies):
                    self._refuse(error.reason, error.detail, bodies[len(stated)])
                continue
            for body, part in zip(bodies, stated, strict=True):
                self._keep(body, part)
            rows = [row for part in stated for row in part.instruments]
            if self._is_believed(request, rows):
                self._known[request] = rows
        if self.failed.keys() >= set(self._venue.instruments_requests()):
            raise next(iter(self.failed.values()))
        for request, problem in self.failed.items():
            log.warning("%s: no answer from the list %s: %s", self._venue.id, request.path, problem)
        return Instruments(self._venue.id, (row for rows in self._known.values() for row in rows))

    def pause_s(self, missing: Collection[str], held: Collection[Instrument]) -> float:
        """How long to wait before the lists are requested again: longer each time while something is missing."""
        now_ns = self._clock.now_ns()
        self._again = self._again + 1 if missing or self._shrunk_ns or self.failed else 0
        pauses = [LIST_EVERY_S]
        if self._again:
            pauses.append(doubled(SOON_S, self._again - 1, LIST_EVERY_S))
        if any(row.expires_by(now_ns) for row in held):
            pauses.append(DUE_S)
        return min(pauses)

    def changed(self) -> None:
        """What is missing is not what it was: it may be there soon."""
        self._again = 0

    def _is_believed(self, request: Request, rows: list[Instrument]) -> bool:
        now_ns = self._clock.now_ns()
        # Contracts go when their day has come, and many have the same.
        known = [row for row in self._known.get(request, ()) if not row.expires_by(now_ns)]
        if 2 * len(rows) >= len(known):
            self._shrunk_ns.pop(request, None)
            return True
        since_ns = self._shrunk_ns.setdefault(request, now_ns)
        if now_ns - since_ns >= SHRUNK_S * 10**9:
            del self._shrunk_ns[request]
            log.warning("%s: %s lists %d instruments for an hour now", self._venue.id, request.path, len(rows))
            return True
        text = f"{request.path} lists {len(rows)} instruments where it listed {len(known)}: those are kept"
        log.warning("%s: %s", self._venue.id, text)
        if since_ns == now_ns:
            self._refuse("list_shrank", text, b"")
        return False

    def _refuse(self, reason: str, detail: str, body: bytes) -> None:
        """A dead letter of a whole list."""
        self._keep(b"", InstrumentList([], [RefusedRow(reason, detail, body)]))

    async def _pages(self, first: Request) -> list[bytes]:
        """Every page of a list; raises FeedError, and FrameError for pages that go in a circle."""
        bodies: list[bytes] = []
        asked: set[Request] = set()
        following: Request | None = first
        while following is not None:
            if following in asked:
                raise FrameError("repeated_page", f"the list leads back to {following.path}")
            asked.add(following)
            bodies.append(await self._rest.get(following))
            following = self._venue.more(bodies[-1]) if isinstance(self._venue, PagedInstruments) else None
        return bodies


class Listings:
    """What of one venue's lists is published: everything at first and every hour, in between only changes."""

    def __init__(self) -> None:
        self._stated: dict[tuple[str | None, str], Instrument] = {}
        self._refused: set[int] = set()  # hashes: the rows of a list that is broken may be many MB
        self._whole_ns: int | None = None  # when everything was published last

    def changed(self, answer: InstrumentList, now_ns: int) -> InstrumentList:
        """What of this answer is to be published now."""
        if self._whole_ns is None or now_ns - self._whole_ns >= WHOLE_EVERY_NS:
            self._whole_ns = now_ns
            self._stated.clear()
            self._refused.clear()
        rows = [row for row in answer.instruments if self._stated.get((row.category, row.venue_symbol)) != row]
        self._stated |= {(row.category, row.venue_symbol): row for row in rows}
        refused = [row for row in answer.refused if hash(row) not in self._refused]
        self._refused.update(map(hash, refused))
        return InstrumentList(rows, refused)


def choose(listed: Instruments, names: Sequence[str], now_ns: int) -> Wanted:
    """What each of the names in a setting means today."""
    found = {name: listed.named_by(name, now_ns) for name in names}
    return Wanted(
        {name: row for rows in found.values() for name, row in rows.items()},
        [name for name, rows in found.items() if not rows],
    )


def unlisted(listed: Instruments, wanted: Wanted) -> str:
    """One line for a person on the names that mean nothing."""
    names = {instrument.symbol for instrument in listed}
    near = [name for symbol in wanted.missing for name in difflib.get_close_matches(symbol, names, n=1)]
    return (
        f"{listed.exchange} does not list {', '.join(wanted.missing)}"
        + (f" (near: {', '.join(dict.fromkeys(near))})" if near else "")
        + (f"; it does list {', '.join(wanted.found)}" if wanted.found else "")
    )
