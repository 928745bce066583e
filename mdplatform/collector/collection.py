"""One collector from its start to its drained end, on the running loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from mdplatform import venues
from mdplatform.bus import Bus
from mdplatform.clock import Clock
from mdplatform.collector.config import CollectorConfig, CollectorReport
from mdplatform.collector.counters import Counters
from mdplatform.collector.driver import Shared
from mdplatform.collector.keeper import Keeper
from mdplatform.collector.outlet import Outlet
from mdplatform.collector.restart import Feed, Restart
from mdplatform.collector.start import list_again, selected_instruments
from mdplatform.events import FeedStats, FeedStatus, Listing, RawFrame
from mdplatform.feed.budget import Budget
from mdplatform.feed.rest import RestClient
from mdplatform.instrumentlist import InstrumentList
from mdplatform.session import Headed, Keyed, Request, Resuming, Session, Venue
from mdplatform.settings import Settings
from mdplatform.symbols import Instruments
from mdplatform.topics import Topics

log = logging.getLogger(__name__)

T = TypeVar("T")
STATS_EVERY_S = 1.0
DRAIN_S = 15.0
FLUSH_SLICE_S = 0.1  # a flush blocks the loop: signals are looked at in between


async def collect(
    config: CollectorConfig,
    settings: Settings,
    bus: Bus,
    clock: Clock,
    stop: asyncio.Event,
    *,
    previous: Mapping[Feed, FeedStatus] | None = None,
    on_stats: Callable[[FeedStats], None] | None = None,
    on_status: Callable[[FeedStatus], None] | None = None,
    venue: Venue | None = None,
) -> CollectorReport:
    """Collect until ``stop`` is set, then drain.

    ``previous``: the last status of each feed, from the status topic. ``on_stats`` is called once a second for each
    connection, ``on_status`` with every status that was handed to the bus. ``venue``: instead of the registry's.
    Raises ConfigError (symbols, channels, addresses), RestError (the venue refuses its list for good) and BusError
    (the bus is broken for good).
    """
    where = venue or venues.venue(config.venue)
    if config.credentials is not None and isinstance(where, Keyed):
        where = where.with_credentials(config.credentials)
    budget = Budget(*where.rest_budget)
    outlet = Outlet(bus, Topics.from_settings(settings), clock, config.collector)
    rest_url, replaced = config.rest_url or where.rest_url, config.rest_url is not None
    header, headers = where.used_weight_header, _headers(where)
    async with RestClient(rest_url, budget, clock, header, only=replaced, headers=headers) as rest:
        restart = Restart(previous or {}, outlet.publish)
        collection = _Collection(config, where, outlet, rest, restart=restart, on_stats=on_stats, on_status=on_status)
        return await collection.run(stop)


class _Collection:
    def __init__(
        self,
        config: CollectorConfig,
        venue: Venue,
        outlet: Outlet,
        rest: RestClient,
        *,
        restart: Restart,
        on_stats: Callable[[FeedStats], None] | None,
        on_status: Callable[[FeedStatus], None] | None,
    ) -> None:
        self.config, self.venue, self.outlet, self.clock = config, venue, outlet, outlet.clock
        self._rest, self._restart, self._on_stats, self._on_status = rest, restart, on_stats, on_status
        self._keepers: list[Keeper] = []
        self._answers = 0  # REST answers kept

    async def run(self, stop: asyncio.Event) -> CollectorReport:
        """1. instruments 2. say what was down 3. connect 4. collect 5. close the intervals 6. drain."""
        serving = asyncio.create_task(self.outlet.bus.serve())
        try:
            choosing = selected_instruments(self.venue, self._rest, self.config.symbols, self._keep_list)
            instruments = await _unless(stop, choosing)
            if instruments is not None:
                self._restart.begin(self.clock.now_ns())
                self._connect(instruments)
                await self._until(stop, serving)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        return self._report(await self._drain())

    def _keep_list(self, body: bytes, stated: InstrumentList) -> None:
        now_ns = self.clock.now_ns()
        self._keep_answer(None, body, now_ns)
        for instrument in stated.instruments:
            self.outlet.publish(Listing(instrument, now_ns))
        for letter in stated.letters(self.venue.id, now_ns, f"{self.config.shard}/rest"):
            self.outlet.publish(letter)

    def _keep_answer(self, request: Request | None, body: bytes, received_ns: int) -> None:
        """Without lists and snapshots, raw frames could not be read again. A list says itself what it is."""
        if self.config.keep_raw:
            self._answers += 1
            conn, path = f"{self.config.shard}/rest", None if request is None else request.path
            self.outlet.publish(RawFrame(self.venue.id, conn, self._answers, received_ns, body, path))

    def _connect(self, instruments: Instruments) -> None:
        config, venue = self.config, self.venue
        shared = Shared(
            outlet=self.outlet,
            clock=self.clock,
            rest=self._rest,
            connects=Budget(*venue.connect_budget),
            lifetime_s=venue.lifetime_s,
            max_frame_bytes=venue.max_frame_bytes,
            headers=_headers(venue),
            keep_raw=config.keep_raw,
            keep_answer=self._keep_answer,
            on_status=self._seen,
        )

        def fresh(number: int) -> Callable[[], Session]:
            return lambda: venue.lines(instruments, config.channels, config.depth)[number].session

        last, until_ns = self._restart.last("trades"), self._restart.until("trades")
        for number, line in enumerate(venue.lines(instruments, config.channels, config.depth)):
            url = (config.ws_url or line.ws_url).rstrip("/") + line.url_path
            counters = Counters(venue.id, f"{config.shard}/{number}")
            keeper = Keeper(url, fresh(number), shared, counters)
            self._keepers.append(keeper)
            if isinstance(keeper.driver.session, Resuming):
                keeper.driver.session.resume(last, until_ns)
        log.info("%s: %d symbols on %d connections", config.shard, len(instruments), len(self._keepers))

    def _seen(self, status: FeedStatus) -> None:
        self._restart.seen(status)
        if self._on_status is not None:
            self._on_status(status)

    async def _until(self, stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
        """Return when told to stop; raise what broke. Either way every interval is closed."""
        tasks = [asyncio.create_task(keeper.run()) for keeper in self._keepers]
        relisting = list_again(self.venue, self._rest, self._keep_list)
        tasks += [asyncio.create_task(self._tell_stats()), asyncio.create_task(relisting), serving]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((*tasks, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            broken = [task for task in tasks if task.done()]
            for task in tasks[:-1]:
                task.cancel()
            await asyncio.gather(*tasks[:-1], return_exceptions=True)
            await asyncio.gather(*(keeper.stop("stopped") for keeper in self._keepers))
        for task in broken:
            task.result()
        self._stats()

    async def _tell_stats(self) -> None:
        while True:
            await asyncio.sleep(STATS_EVERY_S)
            self._stats()
            self._restart.tick(self.clock.now_ns())

    def _stats(self) -> None:
        bus, now_ns = self.outlet.bus.stats(), self.clock.now_ns()
        for keeper in self._keepers:
            stats = keeper.counters.stats(keeper.symbols, bus, now_ns, keeper.cadences_ms)
            self.outlet.publish(stats)
            if self._on_stats is not None:
                self._on_stats(stats)

    async def _drain(self) -> int:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DRAIN_S
        left = self.outlet.bus.flush(FLUSH_SLICE_S)
        while left and loop.time() < deadline:
            await asyncio.sleep(0)
            left = self.outlet.bus.flush(FLUSH_SLICE_S)
        return left

    def _report(self, left: int) -> CollectorReport:
        bus, counters = self.outlet.bus.stats(), [keeper.counters for keeper in self._keepers]
        return CollectorReport(
            frames=sum(c.frames for c in counters),
            events=sum(c.events for c in counters),
            reconnects=sum(c.reconnects for c in counters),
            gaps=sum(c.gaps for c in counters),
            dead_letters=sum(c.dead_letters for c in counters),
            accepted=bus.accepted,
            acknowledged=bus.acknowledged,
            failed=bus.failed,
            left=left,
        )


def _headers(venue: Venue) -> Mapping[str, str]:
    return venue.headers if isinstance(venue, Headed) else {}


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of ``work``; None when told to stop before it is there."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
