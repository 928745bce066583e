"""A collector as a process: lock, topics, Kafka bus, event loop, signals, exit code."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable

from mdplatform import venues
from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.collector.collection import collect
from mdplatform.collector.config import CollectorConfig, CollectorReport
from mdplatform.collector.downtime import Feed, StatusHistory
from mdplatform.collector.event_loop import run_loop, set_by_signals
from mdplatform.collector.lock import ShardLock
from mdplatform.core.clock import SECOND, SystemClock
from mdplatform.core.errors import BrokenBus
from mdplatform.core.events import FeedStats, FeedStatus
from mdplatform.core.session import select_channels
from mdplatform.core.settings import Settings
from mdplatform.core.symbols import check_rule
from mdplatform.core.topics import Topics

log = logging.getLogger(__name__)

CLOSE_S = 1.0  # for the bus, after the collector has drained
STOP_POLL_S = 0.1
BEAT_S = 1.0
# A broker that ends badly forgets what it had not yet saved: the embedded one some seconds.
FORGOTTEN_NS = 15 * SECOND


def run(
    config: CollectorConfig,
    settings: Settings,
    *,
    stop: threading.Event | None = None,
    on_stats: Callable[[FeedStats], None] | None = None,
    on_status: Callable[[FeedStatus], None] | None = None,
    take_over: bool = False,
) -> int:
    """Collect in this thread until SIGTERM or SIGINT, or until ``stop`` is set from any thread.

    Signals are handled in the main thread only; a second one ends the process at once. ``on_stats`` is called once a
    second for each connection, ``on_status`` with every status, in this thread; slow ones delay the sockets. A broker
    that lost acknowledged messages restarts the collector with a new producer; the outage is published as ``down``.
    Returns 0 when everything that was accepted since then was acknowledged, 1 otherwise. Raises ConfigError, BusError
    and RestError.
    """
    settings = dataclasses.replace(settings, keep_raw=config.keep_raw)
    feeds = feeds_of(
        config.venue, config.symbols, config.channels
    )  # wrong options are reported before any service is asked
    history, previous = StatusHistory(), None
    with ShardLock(settings.data_dir, config.shard, take_over) as lock:
        while True:
            Admin(settings).ensure(platform_topics(settings, [config.venue]))
            if previous is None:
                previous = _previous(config, feeds, settings)
            bus = KafkaBus(settings)
            try:
                report = run_loop(
                    _until_stopped(config, settings, bus, lock, stop, previous, history, on_stats, on_status)
                )
                break
            except BrokenBus as error:
                # A bus that never worked will not work the next time.
                if not bus.stats().acknowledged or (stop is not None and stop.is_set()):
                    raise
                log.error("%s: %s; restarting with a new producer", config.shard, error)
                previous |= history.until((error.since_ns or time.time_ns()) - FORGOTTEN_NS)
            finally:
                bus.close(CLOSE_S)
    complete = report.accepted == report.acknowledged
    log.log(logging.INFO if complete else logging.ERROR, "%s: %s", config.shard, report)
    return 0 if complete else 1


async def _until_stopped(
    config: CollectorConfig,
    settings: Settings,
    bus: KafkaBus,
    lock: ShardLock,
    stop: threading.Event | None,
    previous: dict[Feed, FeedStatus],
    history: StatusHistory,
    on_stats: Callable[[FeedStats], None] | None,
    on_status: Callable[[FeedStatus], None] | None,
) -> CollectorReport:
    def note(status: FeedStatus) -> None:
        if not bus.is_cut_off:  # a status published while the broker is away says nothing about what it still has
            history.note(status)
        if on_status is not None:
            on_status(status)

    stopping, clock = asyncio.Event(), SystemClock()
    loop = asyncio.get_running_loop()
    set_by_signals(stopping)
    # The heart beats from the first moment on, also while the venue does not answer: only a stuck loop is silent.
    tasks = [loop.create_task(_beat(lock))]
    if stop is not None:
        tasks.append(loop.create_task(_watch(stop, stopping)))
    try:
        return await collect(
            config, settings, bus, clock, stopping, previous=previous, on_stats=on_stats, on_status=note
        )
    finally:
        for task in tasks:
            task.cancel()


async def _beat(lock: ShardLock) -> None:
    while True:
        lock.beat()
        await asyncio.sleep(BEAT_S)


async def _watch(stop: threading.Event, stopping: asyncio.Event) -> None:
    """A thread's event as a loop's: polled, because a thread may set it at any time, loop or no loop."""
    while not stop.is_set():  # noqa: ASYNC110
        await asyncio.sleep(STOP_POLL_S)
    stopping.set()


def feeds_of(venue_id: str, symbols: Iterable[str], channels: tuple[str, ...]) -> list[Feed]:
    """What a shard collects; raises ConfigError for an unknown venue or channel."""
    venue = venues.venue(venue_id)
    kinds = [channel.kind for channel in select_channels(venue.channels, channels or venue.default_channels)]
    return [(symbol, kind) for symbol in symbols if "@" not in symbol for kind in kinds]


def _previous(config: CollectorConfig, feeds: list[Feed], settings: Settings) -> dict[Feed, FeedStatus]:
    """The last status of each feed that the status topic holds of an earlier collector with this letter."""
    topic = Topics.from_settings(settings).name("status", config.venue)
    with Reader(settings) as reader:
        pairs = [check_rule(name)[0] for name in config.symbols if "@" in name]
        return reader.last_status(topic, config.venue, feeds, config.collector, pairs)
