"""Waiting in tests: for a condition, with a deadline, never for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Return once ``condition`` holds; raises TimeoutError after so long."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is anything, it has no event
            await asyncio.sleep(0.005)
