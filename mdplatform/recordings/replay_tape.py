"""A tape through the collector's code to a bus: the same sessions, the same messages, times as recorded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import msgspec

from mdplatform.bus import Bus
from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.collector.event_loop import run_loop, set_by_signals
from mdplatform.collector.publisher import EventPublisher
from mdplatform.core.clock import SECOND, FrozenClock
from mdplatform.core.events import Event
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.recordings.player import Player
from mdplatform.recordings.tape import Entry, parse

LONGEST_WAIT_S = 60.0  # a longer pause on tape is the end of a recording, or a time that is wrong
REPORT_EVERY_S = 1.0
BREATHE_EVERY = 256  # lines, after which the loop looks at signals and acknowledgements
DRAIN_S = 30.0
CLOSE_S = 1.0


class Progress(msgspec.Struct, frozen=True):
    """How far a replay is. At its end ``accepted`` is the sum of the two that follow."""

    frames: int
    tape_ns: int  # receive time of the newest frame
    accepted: int
    acknowledged: int
    failed: int


Report = Callable[[Progress], None]


class _Pace:
    """When a line is due: at the tape's own pace times ``speed``; None is as fast as it goes."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._last_ns: int | None = None
        self._due = 0.0

    async def until(self, received_ns: int, stop: asyncio.Event) -> None:
        """Return when this line is due, or when ``stop`` is set."""
        if self._speed is None:
            return
        loop = asyncio.get_running_loop()
        wait_s = 0.0 if self._last_ns is None else (received_ns - self._last_ns) / SECOND / self._speed
        if self._last_ns is None or not 0 <= wait_s <= LONGEST_WAIT_S:
            self._due = loop.time()
        else:
            self._due += wait_s  # from when the line before was due, so that delays do not add up
        self._last_ns = received_ns
        if (left_s := self._due - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), left_s)


class _Replay:
    """One tape on its way to a bus."""

    def __init__(self, player: Player, bus: Bus, topics: Topics, stop: asyncio.Event, report: Report) -> None:
        self._player, self._bus, self._stop, self._report = player, bus, stop, report
        self._clock = FrozenClock()
        self._publisher = EventPublisher(bus, topics, self._clock)
        self._reported_s = asyncio.get_running_loop().time()

    async def run(self, lines: Iterable[bytes], pace: _Pace) -> None:
        """Publish the events of the lines, until they end or ``stop`` is set."""
        for number, entry in enumerate(parse(lines)):
            if isinstance(entry, Entry):
                await pace.until(entry.received_ns, self._stop)
                self._clock.advance(entry.received_ns - self._clock.now_ns())
            if self._stop.is_set():
                break
            self._publish(self._player.take(entry))
            if not self._bus.has_room:
                await self._bus.room()
            if number % BREATHE_EVERY == 0:
                await asyncio.sleep(0)
            self._report_progress()
        self._publish(self._player.end())

    def progress(self) -> Progress:
        stats = self._bus.stats()
        frames, tape_ns = self._player.summary.frames, self._clock.now_ns()
        return Progress(frames, tape_ns, stats.accepted, stats.acknowledged, stats.failed)

    def _publish(self, events: Iterable[Event]) -> None:
        for event in events:
            self._publisher.publish(event)

    def _report_progress(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._reported_s >= REPORT_EVERY_S:
            self._reported_s = now_s
            self._report(self.progress())


async def play(
    player: Player,
    lines: Iterable[bytes],
    bus: Bus,
    topics: Topics,
    stop: asyncio.Event,
    *,
    speed: float | None = None,
    report: Report = lambda progress: None,
) -> Progress:
    """Play the lines to their end or until ``stop`` is set, then flush. ``speed`` None: as fast as possible.

    ``report`` is called about once a second. Raises ConfigError for a tape that cannot be read, and BusError.
    """
    playing = _Replay(player, bus, topics, stop, report)
    serving = asyncio.create_task(bus.serve())
    try:
        await playing.run(lines, _Pace(speed))
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    bus.flush(DRAIN_S)
    return playing.progress()


def replay(
    player: Player, venue: str, lines: Iterable[bytes], settings: Settings, speed: float | None, report: Report
) -> Progress:
    """``play`` to Kafka, until the tape ends or SIGTERM or SIGINT comes; creates the topics."""
    Admin(settings).ensure(platform_topics(settings, [venue]))
    bus = KafkaBus(settings)

    async def work() -> Progress:
        stop = asyncio.Event()
        set_by_signals(stop)
        return await play(player, lines, bus, Topics.from_settings(settings), stop, speed=speed, report=report)

    try:
        return run_loop(work())
    finally:
        bus.close(CLOSE_S)
