"""Samples frames for kinds and fields that the venue was never seen to send before."""

from __future__ import annotations

from collections import Counter

from mdplatform.core.clock import SECOND
from mdplatform.core.events import DeadLetter
from mdplatform.venuekit import shapes

# Frames that begin alike are of one channel: each beginning is looked at once in this time. A look costs 20 to 50 us.
EVERY_NS = 10 * SECOND
_BEGINNING = 24
_MOST_BEGINNINGS = 4096
LARGEST_FRAME = 64 * 1024  # a snapshot of some MB would hold everything else up; its kind comes smaller, too
MOST_FIELDS = 200  # remembered of one venue: a venue that makes up names without end must not fill the memory

UNFAMILIAR = "unfamiliar_field"


class FrameSampler:
    """Of one line. ``counts``: frames looked at that hold a field which is not known, by field."""

    def __init__(self, exchange: str) -> None:
        self.exchange = exchange
        self.counts: Counter[str] = Counter()
        self._known = shapes.known(exchange)
        self._looked: set[bytes] = set()
        self._until_ns = 0

    def look(self, frame: bytes, received_ns: int, conn: str) -> DeadLetter | None:
        """An example of what is new in this frame, the first time; nothing is refused by it."""
        if received_ns > self._until_ns:
            self._until_ns = received_ns + EVERY_NS
            self._looked.clear()
        beginning = frame[:_BEGINNING]
        if beginning in self._looked:
            return None
        if len(self._looked) >= _MOST_BEGINNINGS:
            self._looked.clear()
        self._looked.add(beginning)
        return self._compare(frame, received_ns, conn)

    def _compare(self, frame: bytes, received_ns: int, conn: str) -> DeadLetter | None:
        if not self._known or len(frame) > LARGEST_FRAME:
            return None
        found = shapes.fields(frame)
        unfamiliar = sorted(found - self._known) if found else []
        fresh = [name for name in unfamiliar if name not in self.counts]
        self.counts.update(name for name in unfamiliar if name in self.counts or len(self.counts) < MOST_FIELDS)
        if not fresh or len(self.counts) > MOST_FIELDS:
            return None
        named = ", ".join(fresh[:5]) + (f" and {len(fresh) - 5} more" if len(fresh) > 5 else "")
        return DeadLetter(self.exchange, UNFAMILIAR, f"never seen before: {named}", frame, received_ns, conn)
