"""Nobody waits in silence: what takes longer than two seconds says what it waits for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import click

SILENT_SECONDS = 2.0


@contextlib.contextmanager
def said_when_long(doing: str, seconds: float = SILENT_SECONDS) -> Iterator[None]:
    """Print ``doing`` to standard error if the block takes longer than ``seconds``."""
    timer = threading.Timer(seconds, click.echo, [f"{doing} ..."], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
