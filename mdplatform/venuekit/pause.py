"""How long to wait before the snapshot of one symbol is asked for again: one rule, whatever the way of asking.

The first break after a good time is repaired at once. A book that breaks again and again is asked for
with growing intervals: a request that brings no book that holds is no repair, and the venue counts it all the same.
"""

from __future__ import annotations

from mdplatform.core.backoff import doubled
from mdplatform.core.clock import SECOND

# A book that stood for so long is sound, and its next break is a new one. Shorter, and a fault that shows only now and
# then (a checksum over the best levels, a crossing on the next busy moment) would never let the pause grow; at a minute
# the worst that a symbol can ask for is one request a minute.
HELD_NS = 60 * SECOND


class Pause:
    """Between two requests about one symbol: none, then ``first_ns``, then twice as long each time up to ``last_ns``.

    A request that brings no book at all is repeated after ``first_ns``, which also grows.
    """

    __slots__ = ("_asked_ns", "_due_ns", "_first_ns", "_last_ns", "_requests", "_unanswered", "_whole_ns")

    def __init__(self, first_ns: int, last_ns: int) -> None:
        self._first_ns, self._last_ns = first_ns, last_ns
        self.forget()

    def forget(self) -> None:
        """A new connection: nothing was asked for yet."""
        self._asked_ns = self._due_ns = 0
        self._requests = 0  # since the last good time
        self._unanswered = 0  # of them, since a book last stood
        self._whole_ns: int | None = None  # since when the book stands

    def is_over(self, now_ns: int) -> bool:
        """Whether a request may be made now."""
        return now_ns >= self._due_ns

    def asked(self, now_ns: int) -> None:
        """A request was made. It is not repeated before it had time to be answered."""
        self._recall(now_ns)
        self._asked_ns, self._whole_ns = now_ns, None
        self._requests += 1
        self._unanswered += 1
        self.failed(now_ns)

    def failed(self, now_ns: int) -> None:
        """The answer was of no use: the next request waits from now on."""
        self._due_ns = now_ns + max(self._length(self._unanswered - 1), self._length(self._requests - 2))

    def whole(self, now_ns: int) -> None:
        """The book stands since now. No-op while it does."""
        if self._whole_ns is None:
            self._whole_ns, self._unanswered = now_ns, 0
            self._due_ns = self._asked_ns + self._length(self._requests - 2)

    def broke(self, now_ns: int) -> None:
        """The book does not stand any more. No-op where it did not."""
        self._recall(now_ns)
        self._whole_ns = None

    def _recall(self, now_ns: int) -> None:
        """Forget the requests before a good time: what follows is a first break again."""
        if self._whole_ns is not None and now_ns - self._whole_ns >= HELD_NS:
            self._requests, self._due_ns = 1, now_ns

    def _length(self, doublings: int) -> int:
        return 0 if doublings < 0 else doubled(self._first_ns, doublings, self._last_ns)
