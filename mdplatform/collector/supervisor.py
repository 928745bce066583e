"""One line for as long as the collector lives: a driver, and for the time of a renewal its successor beside it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable

from mdplatform.collector.counters import Counters
from mdplatform.collector.driver import Driver, Shared
from mdplatform.collector.status_handover import StatusHandover
from mdplatform.core.events import FeedStatus
from mdplatform.core.session import Session, Subscribing
from mdplatform.core.settings import hide

log = logging.getLogger(__name__)

POLL_S = 0.05
SUCCESSOR_WITHIN_S = 60.0  # to prove its feeds; after that the renewal is given up and tried again later
TRY_AGAIN_S = 60.0
OVERLAP_S = 1.0  # both are read for so long, so that what only the old one was sent is read from it


class ConnectionSupervisor:
    """``fresh`` makes a session for a new connection of this line, of the symbols that it is to have by then.

    ``fall_back``: where the address cannot be opened, it gives another one, for which ``fresh`` makes sessions from
    then on; None where there is none.
    """

    def __init__(
        self,
        url: str,
        fresh: Callable[[], Session],
        shared: Shared,
        counters: Counters,
        fall_back: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.url, self.shared, self.counters = url, shared, counters
        self._fresh, self._fall_back = fresh, fall_back
        self.driver = self._start(StatusHandover())
        self._retiring: Driver | None = None

    @property
    def symbols(self) -> int:
        """Symbols that the session has spoken of."""
        return len({symbol for symbol, _ in self.driver.gate.last})

    @property
    def ignored(self) -> Counter[str]:
        """What the session left out by design, by kind."""
        return self.driver.session.ignored

    @property
    def cadences_ms(self) -> dict[str, float]:
        """See ``Subscribing``."""
        session = self.driver.session
        return session.cadences_ms() if isinstance(session, Subscribing) else {}

    def drop(self, symbol: str) -> list[FeedStatus]:
        """The venue no longer lists it: the next session is one without it, and is made soon. The last word on each
        of its feeds."""
        last = self.driver.gate.forget(symbol)
        self.driver.outlived()
        return last

    def relisted(self) -> None:
        """The venue's list has changed."""
        self.driver.relisted()

    async def run(self) -> None:
        """Ends only by BusError or cancellation; cancelled, it leaves the driver to ``stop``."""
        while True:
            driver = self.driver
            renewal = asyncio.create_task(driver.renewal.wait())
            unopened = asyncio.create_task(driver.unopened.wait())
            try:
                await asyncio.wait((driver.task, renewal, unopened), return_when=asyncio.FIRST_COMPLETED)
            finally:
                renewal.cancel()
                unopened.cancel()
            if driver.task.done():
                return driver.task.result()
            if driver.unopened.is_set():
                await self._go_elsewhere()
            else:
                await self._renew()

    async def _go_elsewhere(self) -> None:
        """Leave an address that cannot be opened for the one to fall back to, where there is one."""
        self.driver.unopened.clear()
        url = self._fall_back()
        if url is None:
            return
        log.warning("%s: %s cannot be opened, falling back to %s", self.counters.line, hide(self.url), hide(url))
        await self.driver.retire("unreachable")
        self.counters.ignored += self.driver.session.ignored
        self.url = url
        self.driver = self._start(StatusHandover())

    async def stop(self, cause: str) -> None:
        """Close the connection and its intervals."""
        if self._retiring is not None:
            await self._retiring.retire("renewed")
        await self.driver.retire(cause)

    async def _renew(self) -> None:
        """Let a successor prove every feed that is proven now, then close the old connection.

        A connection that is lost meanwhile goes its usual way, and so does one whose successor does not succeed.
        """
        old = self.driver
        old.lost.clear()
        log.info("%s: renewing", old.conn)
        new = self._start(StatusHandover(is_open=False))
        try:
            if not await self._succeeds(new, old):
                return
            await self.shared.publisher.bus.room()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(old.lost.wait(), OVERLAP_S)
            self.driver, self._retiring = new, old
        finally:
            if self.driver is not new:
                await new.retire("renewed")
        await old.retire("renewed")
        self._retiring = None
        self.counters.ignored += old.session.ignored
        for status in new.gate.take_over(old.gate):
            new.publish_status(status)
        self.counters.renewals += 1
        log.info("%s: took over", new.conn)

    async def _succeeds(self, new: Driver, old: Driver) -> bool:
        """Whether ``new`` proves all that ``old`` does, within its time and before ``old`` is lost."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SUCCESSOR_WITHIN_S
        while not new.gate.proves_all_of(old.gate):
            if old.lost.is_set() or new.task.done() or old.task.done():
                return False
            if loop.time() > deadline:
                log.warning("%s: no successor within %g s, staying", old.conn, SUCCESSOR_WITHIN_S)
                old.renewal.clear()
                loop.call_later(TRY_AGAIN_S, old.renewal.set)
                return False
            await asyncio.sleep(POLL_S)
        return True

    def _start(self, gate: StatusHandover) -> Driver:
        return Driver(self.url, self._fresh(), self.shared, self.counters, gate)
