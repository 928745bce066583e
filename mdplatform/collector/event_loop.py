"""The event loop of a process with feeds: uvloop where it is available, and signals."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


def run_loop(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run``, on uvloop where it has a wheel."""
    runner: Callable[[Coroutine[Any, Any, T]], T]
    try:
        from uvloop import run as runner
    except ImportError:
        runner = asyncio.run
    return runner(work)


def set_by_signals(stop: asyncio.Event) -> None:
    """SIGTERM or SIGINT sets ``stop``; a second one ends the process at once. In the main thread only."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, _on_signal, number, stop)


def _on_signal(number: signal.Signals, stop: asyncio.Event) -> None:
    if stop.is_set():
        log.error("second signal: ending without draining")
        os._exit(128 + number)
    log.info("%s: draining", number.name)
    stop.set()
