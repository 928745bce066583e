"""An order book of decimal text levels.

Prices are the same when they are numerically the same ("100.0" is "100.00"): the key is the price as a float, which
tells apart any two decimals of up to 15 significant digits. Text is kept, never rebuilt from the float. A level goes
only when the venue deletes it, a snapshot replaces the book or ``prune`` is called.

A side may be known to its end or only as far as a price, its edge: a snapshot that was cut at so many levels says
nothing of what lies behind the last of them, and a feed of the best levels nothing of what fell behind those. A diff
may still name a level out there, but which ones lie between it and the edge nobody said: such a level is not part of
the book.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from mdplatform.decimals import ZEROS, Levels

_NO_EDGE = float("-inf")


class BookSide:
    """The levels of one side. ``sign`` is +1 for bids and -1 for asks."""

    __slots__ = ("_edge", "_floor", "_hidden", "_keys", "_levels", "_sign", "_top", "_top_depth", "_top_key")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._keys: list[float] = []  # sign * price, ascending: the best level is last, where inserting moves least
        self._levels: dict[float, tuple[str, str]] = {}
        self._top: tuple[list[str], list[str]] = ([], [])
        self._top_depth = 0  # levels that _top was made for; 0: it must be made again
        self._top_key = 0.0  # key of the worst level in _top
        self._edge = _NO_EDGE  # key from which on all levels are known
        self._floor = _NO_EDGE  # levels behind this key are passed over
        self._hidden = 0  # worst levels that lie behind the edge, of a feed that may yet state what is between

    def __len__(self) -> int:
        """How many levels are known."""
        return len(self._keys) - self._hidden

    def replace(self, levels: Levels, limit: int | None = None) -> None:
        """Become these levels; of two with one price the last wins, sizes of zero are no levels.

        ``limit``: no more levels than so many were asked for: where as many came, the side ends at the last of them.
        """
        sign = self._sign
        self._levels = {sign * float(level[0]): level for level in levels if level[1] not in ZEROS}
        self._keys = sorted(self._levels)
        self._top_depth = self._hidden = 0
        is_cut = limit is not None and len(levels) >= limit and bool(self._keys)
        self._edge = self._floor = self._keys[0] if is_cut else _NO_EDGE

    def apply(self, levels: Levels) -> None:
        """Set the absolute size at each price; size zero deletes, and deleting what is not there is normal."""
        sign, keys, held, floor = self._sign, self._keys, self._levels, self._floor
        for level in levels:
            key = sign * float(level[0])
            if key < floor:
                continue
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
        """Drop all but the best ``limit`` levels, of a feed of so many: behind the last one nothing is known.

        Such a feed names the level that takes the place of one that went. Where it does not and fewer are left, what
        lies behind the old edge stays hidden until there are enough again.
        """
        keys = self._keys
        excess = len(keys) - limit
        if excess >= 0:
            for key in keys[:excess]:
                del self._levels[key]
            if excess and keys[excess - 1] >= self._top_key:
                self._top_depth = 0
            del keys[:excess]
            self._edge, hidden = keys[0], 0
        else:
            hidden = bisect_left(keys, self._edge) if keys and keys[0] < self._edge else 0
        if hidden != self._hidden:
            self._hidden, self._top_depth = hidden, 0

    def top(self, depth: int) -> tuple[list[str], list[str]]:
        """(prices, sizes) of the best ``depth`` levels, best first. The lists are shared: do not change them."""
        if depth < self._top_depth:  # as after a checksum, which takes more levels than an event
            prices, sizes = self._top
            return prices[:depth], sizes[:depth]
        if depth > self._top_depth:
            best = self._keys[: max(-depth - 1, self._hidden - 1 - len(self._keys)) : -1]
            levels = [self._levels[key] for key in best]
            self._top = ([price for price, _ in levels], [size for _, size in levels])
            full = len(best) == depth
            self._top_key = best[-1] if full else float("-inf")
            self._top_depth = depth
        return self._top

    def best(self) -> float | None:
        """The best price, or None when the side is empty."""
        return self._sign * self._keys[-1] if self._keys else None

    def is_short(self, levels: int) -> bool:
        """Whether fewer than so many levels are left, and more may lie behind the edge."""
        return self._edge != _NO_EDGE and len(self._keys) - self._hidden < levels

    def levels(self) -> Levels:
        """All levels, best first, hidden ones too."""
        return [self._levels[key] for key in reversed(self._keys)]


class OrderBook:
    """Both sides. Levels given to it have passed ``decimals.check_levels``."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(1)
        self.asks = BookSide(-1)

    def replace(self, bids: Levels, asks: Levels, limit: int | None = None) -> None:
        """``limit``: see ``BookSide.replace``."""
        self.bids.replace(bids, limit)
        self.asks.replace(asks, limit)

    def apply(self, bids: Levels, asks: Levels) -> None:
        self.bids.apply(bids)
        self.asks.apply(asks)

    def prune(self, limit: int) -> None:
        """Drop all but the best ``limit`` levels of each side; see ``BookSide.prune``."""
        self.bids.prune(limit)
        self.asks.prune(limit)

    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        bid, ask = self.bids.best(), self.asks.best()
        return bid is not None and ask is not None and bid >= ask

    def is_short(self, levels: int) -> bool:
        """Whether a side is, see ``BookSide.is_short``; with 1, whether the touch has left what is known."""
        return self.bids.is_short(levels) or self.asks.is_short(levels)
