"""Best prices, imbalance, order flow and trades of one feed, second by second."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from mdplatform.core.measures import imbalance, order_flow
from mdplatform.dashboard.messages import BookMessage, Top, TradeMessage

SECONDS_KEPT = 300
# Receive times of two collectors differ by less; one that is further back is another run, such as a tape replayed.
STEPS_BACK_S = 60

# second (receive time), last bid, last ask, last imbalance of the best sizes, order flow summed over the second
Sample = list[float | None]
# second (venue time), open, high, low, close, volume, volume that buyers took; in the order in which trades arrived
Bar = list[float]
LATE_S = 2  # a trade so late still counts in its second for whoever has that second already


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


class Bars:
    """The last seconds in which there were trades, by the second."""

    def __init__(self) -> None:
        self._kept: dict[int, Bar] = {}
        self._newest = 0

    def take(self, trade: TradeMessage) -> None:
        """Price and size are bounded, see ``check_prices`` and ``check_sizes``."""
        second, price, size = trade.ts // 1000, float(trade.price), float(trade.qty)
        if second < self._newest - STEPS_BACK_S:
            self._kept.clear()
        self._newest = second if not self._kept else max(self._newest, second)
        bar = self._kept.setdefault(second, [second, price, price, price, price, 0.0, 0.0])
        bar[2], bar[3], bar[4] = max(bar[2], price), min(bar[3], price), price
        bar[5] += size
        bar[6] += size if trade.side == "buy" else 0.0
        if len(self._kept) > SECONDS_KEPT:
            del self._kept[min(self._kept)]

    def since(self, second: float) -> list[Bar]:
        """The bars of ``second`` and later ones, and of the few before it that late trades may have changed."""
        return sorted(bar for start, bar in self._kept.items() if start >= second - LATE_S)

    def first(self) -> int | None:
        """The first second of which all trades are here; of the one before it, earlier ones may not have been read."""
        return min(self._kept) + 1 if self._kept else None


def flow_between(before: Top, after: Top) -> float:
    """Order-flow imbalance of one update, in base units; 0 while a side is empty."""
    if before.bid is None or before.ask is None or after.bid is None or after.ask is None:
        return 0.0
    return order_flow(
        (before.bid, before.bid_size, before.ask, before.ask_size),
        (after.bid, after.bid_size, after.ask, after.ask_size),
    )
