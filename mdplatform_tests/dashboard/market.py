"""A simulated market with a collector for each venue, as processes of their own would be: in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.collector import collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.settings import Settings
from mdplatform_tests.collector.rig import shard, simulated


@contextlib.contextmanager
def market(settings: Settings, *feeds: tuple[str, str]) -> Iterator[None]:
    """These (venue, symbol) reach the broker while the block runs, whether or not the broker answers."""
    Admin(settings).ensure(platform_topics(settings, [venue for venue, _ in feeds]))
    ending = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_run(settings, feeds, ending)))
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


async def _run(settings: Settings, feeds: tuple[tuple[str, str], ...], ending: threading.Event) -> None:
    stop = asyncio.Event()
    venues = tuple(venue for venue, _ in feeds)
    with KafkaBus(settings) as bus:
        async with simulated(venues=venues, symbols=("BTC",), rate=50.0) as simulator:
            configs = [shard(simulator, venue, symbols=(symbol,)) for venue, symbol in feeds]
            running = [asyncio.create_task(collect(config, settings, bus, SystemClock(), stop)) for config in configs]
            await asyncio.to_thread(ending.wait)
            stop.set()
            await asyncio.gather(*running)
