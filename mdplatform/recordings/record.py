"""A collector that writes what it receives to a tape, in place of Kafka."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from mdplatform.collector.collection import collect
from mdplatform.collector.config import CollectorConfig, CollectorReport
from mdplatform.collector.event_loop import run_loop, set_by_signals
from mdplatform.core.clock import SystemClock
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.recordings.tape import TapeWriter
from mdplatform.recordings.tape_sink import TapeBus


class Recorded(msgspec.Struct, frozen=True):
    """``lines``: frames and REST answers on tape."""

    lines: int
    report: CollectorReport


def record(config: CollectorConfig, settings: Settings, path: Path, seconds: float | None = None) -> Recorded:
    """Record until SIGTERM or SIGINT, or for ``seconds``; an existing tape is appended to.

    Frames and REST answers are lines in order of receipt, the instrument list first: the tape alone suffices to rebuild
    the books. Raises ConfigError (also for a tape that cannot be opened or closed), RestError and BusError (full disk).
    """
    topic = Topics.from_settings(settings).name("raw", config.venue)
    try:
        with TapeWriter(path) as tape:
            collecting = _until_stopped(config, settings, TapeBus(tape, topic), seconds)
            return Recorded(report=run_loop(collecting), lines=tape.frames)
    except OSError as error:  # on opening, or on closing what could not be written
        raise ConfigError(f"cannot write tape {path}: {error.strerror or error}") from error


async def _until_stopped(
    config: CollectorConfig, settings: Settings, bus: TapeBus, seconds: float | None
) -> CollectorReport:
    stop = asyncio.Event()
    set_by_signals(stop)
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, stop.set)
    return await collect(msgspec.structs.replace(config, keep_raw=True), settings, bus, SystemClock(), stop)
