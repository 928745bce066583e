"""One collector from its start to its drained end, on the running loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from mdplatform import venues
from mdplatform.bus import Bus
from mdplatform.collector.config import CollectorConfig, CollectorReport
from mdplatform.collector.connections import Lines
from mdplatform.collector.counters import Counters
from mdplatform.collector.downtime import DowntimeTracker, Feed
from mdplatform.collector.driver import Shared
from mdplatform.collector.instrument_selection import Listings, Lists, Wanted, choose, unlisted
from mdplatform.collector.publisher import EventPublisher
from mdplatform.collector.supervisor import ConnectionSupervisor
from mdplatform.collector.unlisted import Unlisted
from mdplatform.core.clock import Clock
from mdplatform.core.errors import ConfigError, FeedError, FrameError
from mdplatform.core.event_kinds import OF_CONTRACTS
from mdplatform.core.events import FeedStats, FeedStatus, Listing, RawFrame
from mdplatform.core.instrument_list import InstrumentList
from mdplatform.core.session import Authenticates, HasHeaders, Request, Venue, select_channels
from mdplatform.core.settings import Settings
from mdplatform.core.symbols import Instrument, Instruments
from mdplatform.core.topics import Topics
from mdplatform.feed.rate_limit import Budget
from mdplatform.feed.rest import RestClient

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
    if config.credentials is not None and isinstance(where, Authenticates):
        where = where.with_credentials(config.credentials)
    budget = Budget(*where.rest_budget)
    publisher = EventPublisher(bus, Topics.from_settings(settings), clock, config.collector)
    rest_url, replaced = config.rest_url or where.rest_url, config.rest_url is not None
    header, headers = where.used_weight_header, _headers(where)
    async with RestClient(rest_url, budget, clock, header, only=replaced, headers=headers) as rest:
        restart = DowntimeTracker(previous or {}, publisher.publish)
        collection = _Collection(
            config, where, publisher, rest, restart=restart, on_stats=on_stats, on_status=on_status
        )
        return await collection.run(stop)


class _Collection:
    def __init__(
        self,
        config: CollectorConfig,
        venue: Venue,
        publisher: EventPublisher,
        rest: RestClient,
        *,
        restart: DowntimeTracker,
        on_stats: Callable[[FeedStats], None] | None,
        on_status: Callable[[FeedStatus], None] | None,
    ) -> None:
        self.config, self.venue, self.publisher, self.clock = config, venue, publisher, publisher.clock
        self._rest, self._restart, self._on_stats, self._on_status = rest, restart, on_stats, on_status
        self._lists = Lists(venue, rest, self.clock, self._keep_list)
        self._listings = Listings()
        self._listed = Instruments(venue.id)
        self._chosen: dict[str, Instrument] = {}  # what each name of the setting means now
        self._missing: list[str] = []  # names that mean nothing now
        self._unlisted = Unlisted(venue.id, self._state)
        self._gone: list[Counters] = []  # of connections that had nothing left to collect
        self._tasks: dict[ConnectionSupervisor, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._broken: asyncio.Future[asyncio.Task[None]] = asyncio.get_running_loop().create_future()
        self._lines = Lines(config, venue, self._shared(), self._on_opened, self._on_closed)
        self._answers = 0  # REST answers kept

    async def run(self, stop: asyncio.Event) -> CollectorReport:
        """1. instruments 2. say what was down 3. connect 4. collect 5. close the intervals 6. drain."""
        serving = asyncio.create_task(self.publisher.bus.serve())
        try:
            listed = await _unless(stop, self._lists.first(self._is_enough, self.config.strict))
            if listed is not None:
                self._begin(listed)
                await self._until(stop, serving)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        return self._report(await self._drain())

    def _is_enough(self, listed: Instruments) -> bool:
        return not choose(listed, self.config.symbols, self.clock.now_ns()).missing

    def _begin(self, listed: Instruments) -> None:
        now_ns = self.clock.now_ns()
        wanted = choose(listed, self.config.symbols, now_ns)
        if wanted.missing and self.config.strict:
            raise ConfigError(unlisted(listed, wanted))
        self._restart.only({*(row.symbol for row in wanted.found.values()), *wanted.missing})
        for name in wanted.missing:
            self._unlisted.begin(name, self._kinds(name), self._restart.take(name), now_ns)
        self._restart.begin(now_ns)
        self._listed = listed
        self._take(wanted, now_ns)

    # --- the venue's list, and what follows from it

    async def _relist(self) -> None:
        """For ever: instruments come, change and go. A list that fails waits for its next time."""
        while True:
            pause_s = self._lists.pause_s(self._missing, self._chosen.values())
            await asyncio.sleep(pause_s)
            try:
                listed = await self._lists.ask()
            except (FeedError, FrameError) as error:
                log.warning("%s: no instrument list (%s); asking again", self.venue.id, error)
                continue
            is_new = {row.symbol: row.status for row in listed} != {row.symbol: row.status for row in self._listed}
            self._listed = listed
            try:
                self._take(choose(listed, self.config.symbols, self.clock.now_ns()), self.clock.now_ns())
            except ConfigError as error:  # one that came is of a kind that its channels cannot have
                log.error("%s: %s", self.config.shard, error)
            if is_new:
                self._lines.relisted()

    def _take(self, wanted: Wanted, now_ns: int) -> None:
        """Collect what is listed now and was not, let go of what is no longer. Raises ConfigError."""
        before, self._chosen, self._missing = self._chosen, wanted.found, wanted.missing
        if before.keys() != wanted.found.keys():
            self._lists.changed()
        if wanted.missing and (not before or before.keys() != wanted.found.keys()):
            text = unlisted(self._listed, wanted)
            log.warning("%s: %s; the others are collected, these once they are listed", self.config.shard, text)
        rows = {row.symbol: row for row in wanted.found.values()}
        for symbol in sorted(self._lines.symbols - rows.keys()):
            self._let_go(symbol, now_ns)
        for name in wanted.missing:
            if name in before and name != before[name].symbol:
                self._unlisted.begin(name, self._kinds(name), (), now_ns)
        for name, row in wanted.found.items():
            if name == row.symbol:
                self._unlisted.listed(name)
            else:
                self._unlisted.over(name, now_ns)
                if before.get(name) != row:
                    log.info("%s: %s is %s now", self.config.shard, name, row.symbol)
        new = [row for symbol, row in rows.items() if symbol not in self._lines.symbols]
        if new:
            last = self._restart.last("trades") | self._unlisted.last("trades")
            until_ns = self._restart.until("trades") | self._unlisted.until("trades")
            self._lines.open(Instruments(self.venue.id, new), last, until_ns)
            log.info("%s: %d symbols on %d connections", self.config.shard, len(self._lines.symbols), len(self._lines))

    def _let_go(self, symbol: str, now_ns: int) -> None:
        """The venue no longer lists it. Where a rule meant it, nobody misses it."""
        log.warning("%s: %s no longer lists %s", self.config.shard, self.venue.id, symbol)
        last = self._lines.drop(symbol)
        self._unlisted.begin(symbol, () if last else self._kinds(symbol), last, now_ns)
        if symbol not in self.config.symbols:
            self._unlisted.over(symbol, now_ns)

    def _kinds(self, name: str) -> list[str]:
        """The kinds of channel that a symbol of this name would have."""
        channels = select_channels(self.venue.channels, self.config.channels or self.venue.default_channels)
        is_spot = name.count("-") == 1 and "@" not in name
        return [c.kind for c in channels if not (is_spot and c.kind in OF_CONTRACTS)]

    def _keep_list(self, body: bytes, stated: InstrumentList) -> None:
        now_ns = self.clock.now_ns()
        if body:
            self._keep_answer(None, body, now_ns)
        changed = self._listings.changed(stated, now_ns)
        for instrument in changed.instruments:
            self.publisher.publish(Listing(instrument, now_ns))
        for letter in changed.letters(self.venue.id, now_ns, f"{self.config.shard}/rest"):
            self.publisher.publish(letter)

    def _keep_answer(self, request: Request | None, body: bytes, received_ns: int) -> None:
        """Without lists and snapshots, raw frames could not be read again. A list says itself what it is."""
        if self.config.keep_raw:
            self._answers += 1
            conn, path = f"{self.config.shard}/rest", None if request is None else request.path
            self.publisher.publish(RawFrame(self.venue.id, conn, self._answers, received_ns, body, path))

    def _shared(self) -> Shared:
        return Shared(
            publisher=self.publisher,
            clock=self.clock,
            rest=self._rest,
            connects=Budget(*self.venue.connect_budget),
            lifetime_s=self.venue.lifetime_s,
            max_frame_bytes=self.venue.max_frame_bytes,
            headers=_headers(self.venue),
            keep_raw=self.config.keep_raw,
            keep_answer=self._keep_answer,
            on_status=self._seen,
        )

    def _on_opened(self, supervisor: ConnectionSupervisor) -> None:
        self._tasks[supervisor] = self._watched(supervisor.run())

    def _on_closed(self, supervisor: ConnectionSupervisor) -> None:
        """Nothing is left for it to collect."""
        self._gone.append(supervisor.counters)
        task = self._tasks.pop(supervisor)
        task.cancel()
        closing = asyncio.create_task(supervisor.stop("renewed"))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _watched(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that runs for as long as the collector: if it ends by itself, something broke."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._notice)
        return task

    def _notice(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and not self._broken.done():
            self._broken.set_result(task)

    def _state(self, status: FeedStatus) -> None:
        """What no session states."""
        self.publisher.publish(status)
        if self._on_status is not None:
            self._on_status(status)

    def _seen(self, status: FeedStatus) -> None:
        self._restart.seen(status)
        self._unlisted.seen(status)
        if self._on_status is not None:
            self._on_status(status)

    async def _until(self, stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
        """Return when ``stop`` is set; raise what broke. Either way every interval is closed."""
        serving.add_done_callback(self._notice)
        others = [self._watched(self._publish_stats()), self._watched(self._relist())]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((self._broken, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = [stopping, *others, *self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *self._closing, return_exceptions=True)
            await asyncio.gather(*(supervisor.stop("stopped") for supervisor in self._lines.supervisors))
            self._unlisted.closed(self.clock.now_ns())
        if self._broken.done():
            self._broken.result().result()
        self._stats()

    async def _publish_stats(self) -> None:
        while True:
            await asyncio.sleep(STATS_EVERY_S)
            self._stats()
            self._restart.tick(self.clock.now_ns())
            self._unlisted.tick(self.clock.now_ns())

    def _stats(self) -> None:
        bus, now_ns = self.publisher.bus.stats(), self.clock.now_ns()
        for supervisor in self._lines.supervisors:
            supervisor.counters.rest_limits_met = self._rest.limits_met
            stats = supervisor.counters.stats(
                supervisor.symbols, bus, now_ns, supervisor.cadences_ms, supervisor.ignored
            )
            self.publisher.publish(stats)
            if self._on_stats is not None:
                self._on_stats(stats)

    async def _drain(self) -> int:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DRAIN_S
        left = self.publisher.bus.flush(FLUSH_SLICE_S)
        while left and loop.time() < deadline:
            await asyncio.sleep(0)
            left = self.publisher.bus.flush(FLUSH_SLICE_S)
        return left

    def _report(self, left: int) -> CollectorReport:
        bus, counters = (
            self.publisher.bus.stats(),
            [*(supervisor.counters for supervisor in self._lines.supervisors), *self._gone],
        )
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
    return venue.headers if isinstance(venue, HasHeaders) else {}


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of ``work``; None when ``stop`` is set before it is there."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
