"""What a field of a message may hold, and a frame of a venue.

Whoever may write to a topic, or speaks for a venue, may write anything, and every reader reads it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

LEAST, MOST = 1e-30, 1e30  # of a price, and the most of a size: products and quotients of two stay finite
MOST_LEVELS = 5_000  # a side; collectors send 1,000 at most (`--depth`)
# Of a frame, of an answer by REST, and of a side of a book. The largest book that any venue sends, Coinbase's of
# BTC-USD, had 68,092 levels in August 2026; a million took 0.8 GB and three seconds to read.
MOST_BOOK_LEVELS = 200_000
# A level takes six bytes at least (`[1,2],`): what is shorter cannot hold more than that, and is not looked at.
LARGE_FRAME_BYTES = 6 * MOST_BOOK_LEVELS
HEAD_BYTES = 64 * 1024  # what is kept of what holds more: enough to see what it was
_INT64 = 2**63

# A longer name than any venue has, and what it costs to show and remember it.
Name = Annotated[str, Meta(max_length=200)]
Cause = Annotated[str, Meta(max_length=2_000)]
Time = Annotated[int, Meta(ge=0, le=_INT64 - 1)]  # since the epoch, in ns or ms
Count = Annotated[int, Meta(ge=0, le=_INT64 - 1)]
Sequence = Annotated[int, Meta(ge=-_INT64, le=_INT64 - 1)]
Price = Annotated[float, Meta(ge=LEAST, le=MOST)]
Size = Annotated[float, Meta(ge=0, le=MOST)]
Measured = Annotated[float, Meta(ge=-MOST, le=MOST)]
# The numbers of a level are finite, and not looked at one by one: it would cost a fifth of reading a book. Whoever
# computes with one asks for its bounds (``messages.best``).
Levels = Annotated[list[float], Meta(max_length=MOST_LEVELS)]


def is_overfull(frame: bytes) -> bool:
    """Whether it holds more than ``MOST_BOOK_LEVELS`` lists and objects, as levels, trades and instruments are written.

    Counted without being read, at some GB/s.
    """
    return len(frame) > LARGE_FRAME_BYTES and frame.count(b"[") + frame.count(b"{") > MOST_BOOK_LEVELS
