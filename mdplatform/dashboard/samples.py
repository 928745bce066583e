"""Best prices, imbalance and order flow of one feed, second by second."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from mdplatform.core.measures import imbalance, order_flow
from mdplatform.dashboard.messages import BookMessage, Top

SECONDS_KEPT = 300
# Receive times of two collectors differ by less; one that is further back is another run, such as a tape replayed.
STEPS_BACK_S = 60

# second (receive time), last bid, last ask, last imbalance of the best sizes, order flow summed over the second
Sample = list[float | None]


class Samples:
    """The last seconds in which a book changed, oldest first."""

    def __init__(self) -> None:
        self._kept: deque[Sample] = deque(maxlen=SECONDS_KEPT)
        self._last: tuple[int, Top] | None = None  # sequence and best prices of the book before

    def take(self, book: BookMessage) -> None:
        """Raises one of ``REFUSALS`` when a side is not an array of prices or of sizes."""
        top = book.top()
        flow = 0.0
        if self._last is not None and self._last[0] == book.previous_sequence:
            flow = flow_between(self._last[1], top)
        self._last = (book.sequence, top)
        second = book.received_ns // 1_000_000_000
        sample = self._sample(second)
        if sample is not None:
            sample[1:4] = top.bid, top.ask, imbalance(top.bid_size, top.ask_size)
            sample[4] = (sample[4] or 0.0) + flow

    def since(self, second: float) -> list[Sample]:
        """The samples of ``second``, which may have grown since it was requested, and of later ones."""
        kept = list(self._kept)
        return kept[bisect_left(kept, second, key=lambda sample: sample[0] or 0) :]

    def _sample(self, second: int) -> Sample | None:
        newest = self._kept[-1][0] if self._kept else None
        if newest is not None and second < newest - STEPS_BACK_S:
            self._kept.clear()
            newest = None
        if newest is None or second > newest:
            self._kept.append([second, None, None, None, 0.0])
        return self._kept[-1] if newest is None or second >= newest else None


def flow_between(before: Top, after: Top) -> float:
    """Order-flow imbalance of one update, in base units; 0 while a side is empty."""
    if before.bid is None or before.ask is None or after.bid is None or after.ask is None:
        return 0.0
    return order_flow(
        (before.bid, before.bid_size, before.ask, before.ask_size),
        (after.bid, after.bid_size, after.ask, after.ask_size),
    )
