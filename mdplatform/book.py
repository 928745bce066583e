"""An order book of decimal text levels.

Prices are the same when they are numerically the same ("100.0" is "100.00"): the key is the price as a float, which
tells apart any two decimals of up to 15 significant digits. Text is kept, never rebuilt from the float. A level goes
only when the venue deletes it, a snapshot replaces the book or ``prune`` is called.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from mdplatform.decimals import ZEROS, Levels


class BookSide:
    """The levels of one side. ``sign`` is +1 for bids and -1 for asks."""

    __slots__ = ("_keys", "_levels", "_sign", "_top", "_top_depth", "_top_key")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._keys: list[float] = []  # sign * price, ascending: the best level is last, where inserting moves least
        self._levels: dict[float, tuple[str, str]] = {}
        self._top: tuple[list[str], list[str]] = ([], [])
        self._top_depth = 0  # levels that _top was made for; 0: it must be made again
        self._top_key = 0.0  # key of the worst level in _top

    def __len__(self) -> int:
        return len(self._keys)

    def replace(self, levels: Levels) -> None:
        """Become these levels; of two with one price the last wins, sizes of zero are no levels."""
        sign = self._sign
        self._levels = {sign * float(level[0]): level for level in levels if level[1] not in ZEROS}
        self._keys = sorted(self._levels)
        self._top_depth = 0

    def apply(self, levels: Levels) -> None:
        """Set the absolute size at each price; size zero deletes, and deleting what is not there is normal."""
        sign, keys, held = self._sign, self._keys, self._levels
        for level in levels:
            key = sign * float(level[0])
            if level[1] in ZEROS:
                if held.pop(key, None) is None:
                    continue
                del keys[bisect_left(keys, key)]
            else:
                if key not in held:
                    insort(keys, key)
                held[key] = level
            if key >= self._top_key:
                self._top_depth = 0

    def prune(self, limit: int) -> None:
        """Drop all but the best ``limit`` levels."""
        worst = self._keys[:-limit]
        for key in worst:
            del self._levels[key]
        if worst:
            del self._keys[:-limit]
            if worst[-1] >= self._top_key:
                self._top_depth = 0

    def top(self, depth: int) -> tuple[list[str], list[str]]:
        """(prices, sizes) of the best ``depth`` levels, best first. The lists are shared: do not change them."""
        if depth < self._top_depth:  # as after a checksum, which takes more levels than an event
            prices, sizes = self._top
            return prices[:depth], sizes[:depth]
        if depth > self._top_depth:
            best = self._keys[: -depth - 1 : -1]
            levels = [self._levels[key] for key in best]
            self._top = ([price for price, _ in levels], [size for _, size in levels])
            full = len(best) == depth
            self._top_key = best[-1] if full else float("-inf")
            self._top_depth = depth
        return self._top

    def best(self) -> float | None:
        """The best price, or None when the side is empty."""
        return self._sign * self._keys[-1] if self._keys else None

    def levels(self) -> Levels:
        """All levels, best first."""
        return [self._levels[key] for key in reversed(self._keys)]


class OrderBook:
    """Both sides. Levels given to it have passed ``decimals.check_levels``."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(1)
        self.asks = BookSide(-1)

    def replace(self, bids: Levels, asks: Levels) -> None:
        self.bids.replace(bids)
        self.asks.replace(asks)

    def apply(self, bids: Levels, asks: Levels) -> None:
        self.bids.apply(bids)
        self.asks.apply(asks)

    def prune(self, limit: int) -> None:
        """Drop all but the best ``limit`` levels of each side."""
        self.bids.prune(limit)
        self.asks.prune(limit)

    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        bid, ask = self.bids.best(), self.asks.best()
        return bid is not None and ask is not None and bid >= ask
