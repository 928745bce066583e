"""An event loop whose time passes only while nothing is to be done: an hour of venue time takes as long as its work.

Everything that waits on the loop (timers, timeouts, budgets, the simulator's own clock) waits in this time. While a
socket has something to read, a callback is due or a thread works, it stands still: however slow the machine is,
nothing looks late that is not.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from mdplatform.core.clock import SECOND

T = TypeVar("T")

PACE = 300.0  # at most so many seconds of venue time in one of the machine
_RESOLUTION_S = 0.001  # the kernel waits no shorter; less is owed until it adds up
_THREAD_S = 0.05
_TURN_S = 1e-7  # a turn of the loop takes some time: a wait shorter than the float's resolution would never end


class _Selector(selectors.DefaultSelector):
    """Finds out whether there is work; where there is none, time moves on to the next timer."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self.now = 0.0
        self.threads = 0  # that work for the loop
        self._pace = pace
        self._owed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += _TURN_S
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            return super().select(None)
        if self.threads:
            return super().select(_THREAD_S)
        # What another side of a socket has sent may still be under way in the kernel: so no leap is for nothing.
        self._owed_s += timeout / self._pace
        if self._owed_s >= _RESOLUTION_S:
            began = time.perf_counter()
            ready = super().select(self._owed_s)
            if ready:
                self._owed_s = max(0.0, self._owed_s - (time.perf_counter() - began))
                return ready
            self._owed_s = 0.0
        self.now += timeout
        return []


class VenueTimeLoop(asyncio.SelectorEventLoop):
    """``ticks`` is what allowances are counted with, see ``Budget``."""

    def __init__(self, pace: float = PACE) -> None:
        self._clocked = _Selector(pace)
        super().__init__(self._clocked)

    def time(self) -> float:
        """Seconds of venue time since the loop was made."""
        return self._clocked.now

    ticks = time

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As always; time stands still until the thread is done."""
        self._clocked.threads += 1
        working = super().run_in_executor(executor, func, *args)
        working.add_done_callback(self._thread_is_done)
        return working

    def _thread_is_done(self, _: asyncio.Future[Any]) -> None:
        self._clocked.threads -= 1


class VenueClock:
    """The ``Clock`` of such a loop, from ``start_ns`` on. No two calls give the same time."""

    def __init__(self, start_ns: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._zero_ns = start_ns - int(self._loop.time() * SECOND)
        self._last_ns = 0

    def now_ns(self) -> int:
        self._last_ns = max(self._zero_ns + int(self._loop.time() * SECOND), self._last_ns + 1)
        return self._last_ns


def run_in_venue_time(work: Coroutine[Any, Any, T], pace: float = PACE) -> T:
    """``asyncio.run`` on such a loop."""
    with asyncio.Runner(loop_factory=lambda: VenueTimeLoop(pace)) as runner:
        return runner.run(work)


def at(text: str) -> int:
    """A time in UTC, ``2026-12-25 07:30``, in ns since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND
