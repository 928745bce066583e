"""cryptofeed's own handlers, on recorded frames: to its callbacks, and to the bytes that its Kafka backend sends.

cryptofeed (XFree86-style licence; "This product includes software developed by Bryant Moscon
(http://www.bryantmoscon.com/)") is installed for benchmarks only. Its books are cut to 20 levels as ours are, its
backend is asked for whole books, as our topic holds them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from cryptofeed.backends.backend import BackendBookCallback, BackendCallback
from cryptofeed.connection import HTTPAsyncConn
from cryptofeed.exchanges import EXCHANGE_MAP
from cryptofeed.symbols import Symbols
from yapic import json

from benchmarks.recordings import Stream
from mdplatform.recordings.tape import Entry

CHANNELS = {"book": "l2_book", "trade": "trades", "quote": "ticker", "funding": "funding"}
SPELLINGS = {"KRAKEN_FUTURES": str.lower}
DEPTH = 20

logging.getLogger("feedhandler").disabled = True  # it prints every frame that it does not know


class _Written:
    """What its Kafka backend does with a message, short of sending it."""

    numeric_type, none_to, snapshots_only = float, None, True

    def __init__(self) -> None:
        self.count = 0

    async def write(self, data: dict[str, Any]) -> None:
        self.count += len(json.dumpb(data)) > 0


class _Books(_Written, BackendBookCallback): ...


class _Others(_Written, BackendCallback): ...


class _Counted(_Written):
    """A callback that does nothing."""

    async def __call__(self, event: object, received: float) -> None:
        self.count += 1


class _Recorded:
    """The socket and the REST side of a recording: each answer once, in its order."""

    conn_type, uuid, address = "wss", "1", "wss://recorded/v5/public/linear"

    def __init__(self, answers: Sequence[Entry]) -> None:
        self.answers = [entry.frame.decode() for entry in answers]

    async def write(self, *_: object, **__: object) -> None: ...

    async def read(self, *_: object, **__: object) -> str:
        return self.answers.pop(0)


def seconds(stream: Stream, to_bytes: bool) -> float | None:
    """CPU seconds for the stream's frames; None where it does not understand nine of ten of them."""
    rival = stream.recording.rival
    if rival is None or stream.kind not in CHANNELS:
        return None
    try:
        return asyncio.run(_seconds(rival, stream, to_bytes))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None  # a recording older or newer than its handler


async def _seconds(rival: str, stream: Stream, to_bytes: bool) -> float | None:
    channel = CHANNELS[stream.kind]
    spelled = SPELLINGS.get(rival, str)
    names = {ours: spelled(theirs) for ours, theirs in stream.names.items()}
    Symbols.set(rival, names, {"instrument_type": dict.fromkeys(names, "spot" if "-" in next(iter(names)) else "")})
    written = (_Books() if stream.kind == "book" else _Others()) if to_bytes else _Counted()
    answers = [entry for entry in stream.before if entry.kind == "answer" or b'"lastUpdateId"' in entry.frame[:40]]
    socket = _Recorded(answers)
    with patch.object(HTTPAsyncConn, "read", socket.read):
        feed = EXCHANGE_MAP[rival](
            symbols=list(names), channels=[channel], callbacks={channel: written}, max_depth=DEPTH
        )
        for frame, received in _played(stream.before):
            await feed.message_handler(frame, socket, received)
        written.count, frames = 0, list(_played(stream.frames))
        began = time.process_time()
        for frame, received in frames:
            await feed.message_handler(frame, socket, received)
        taken = time.process_time() - began
    return taken if written.count >= 0.9 * len(frames) else None


def _played(entries: Sequence[Entry]) -> list[tuple[str, float]]:
    return [
        (entry.frame.decode(), entry.received_ns / 1e9)
        for entry in entries
        if entry.kind == "frame" and b'"lastUpdateId"' not in entry.frame[:40]
    ]
