"""`mdplatform simulate`: serve until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import Simulator, serve


def run(config: SimulatorConfig, ready: Callable[[Simulator], None] | None = None) -> None:
    """Serve in the foreground until SIGINT or SIGTERM; `ready` is called once with the running simulator."""
    try:
        import uvloop
    except ImportError:  # no wheel on this platform
        asyncio.run(_until_signal(config, ready))
    else:
        uvloop.run(_until_signal(config, ready))


async def _until_signal(config: SimulatorConfig, ready: Callable[[Simulator], None] | None) -> None:
    async with await serve(config) as simulator:
        waiting = asyncio.ensure_future(simulator.wait())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, waiting.cancel)
        if ready is not None:
            ready(simulator)
        try:
            await waiting
        except asyncio.CancelledError:
            return
