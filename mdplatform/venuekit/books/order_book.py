"""An order book of decimal text levels.

Prices are the same when they are numerically the same ("100.0" is "100.00"): the key is the price as a float, which
distinguishes any two decimals of up to 15 significant digits. Text is kept, never rebuilt from the float. A level goes
only when the venue deletes it, a snapshot replaces the book or ``prune`` is called.

A side may be known to its end or only as far as a price, its edge: a snapshot that was cut at so many levels says
nothing of what lies behind the last of them, and a feed of the best levels nothing of what fell behind those. A diff
may still name a level out there, but which ones lie between it and the edge nobody said: such a level is not part of
the book.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from mdplatform.core.bounds import MOST_BOOK_LEVELS
from mdplatform.core.decimals import ZEROS, Levels, Numbers, floats

_PRICE, _SIZE = itemgetter(0), itemgetter(1)
_NO_EDGE = float("-inf")
_NO_BAND = float("inf")
# What is near: within 10 bps of the mid. A level that stands just there belongs to it, whatever floats make of 1.001.
_NEAR_BIDS, _NEAR_ASKS = 0.999 * (1 - 1e-12), 1.001 * (1 + 1e-12)
_RECOUNT = 50_000  # changes after which a sum is made again, so that what floats round off does not add up
_MUCH = 1e-3  # or where no more than this part of it is left


def near_mid(bid: float, ask: float) -> tuple[float, float]:
    """The worst bid and ask that are within 10 bps of the mid, from the best ones."""
    mid = (bid + ask) / 2
    return mid * _NEAR_BIDS, mid * _NEAR_ASKS


class BookSide:
    """The levels of one side. ``sign`` is +1 for bids and -1 for asks."""

    __slots__ = (
        "_band",
        "_changes",
        "_dropped",
        "_edge",
        "_floor",
        "_hidden",
        "_keys",
        "_levels",
        "_most",
        "_near",
        "_per_price",
        "_read",
        "_sign",
        "_sum",
        "_text",
        "_top",
        "_top_depth",
        "_top_key",
        "replaced",
    )

    def __init__(self, sign: int, *, per_price: bool = False) -> None:
        self._sign = sign
        self._per_price = per_price
        self._band = _NO_BAND  # key from which on sizes are summed; nothing is where nobody asks for the sum
        self._read = _NO_BAND  # key from which on sizes are read as numbers: a little behind that
        self._sum = self._most = 0.0  # that sum, and the largest that it was since it was made
        self._changes = 0  # since then
        self._near = _NO_BAND  # the key that ``near`` was last asked for; none since something changed there
        self._text: str | None = None  # and what it gave
        self._keys: list[float] = []  # sign * price, ascending: the best level is last, where inserting moves least
        # Price and size; of a level from the key ``_read`` on also what it counts in a sum.
        self._levels: dict[float, tuple[Any, ...]] = {}
        self._top: tuple[list[str], list[str]] = ([], [])
        self._top_depth = 0  # levels that _top was made for; 0: it must be made again
        self._top_key = 0.0  # key of the worst level in _top
        self._edge = _NO_EDGE  # key from which on all levels are known
        self._floor = _NO_EDGE  # levels behind this key are passed over
        self._hidden = 0  # worst levels that lie behind the edge, of a feed that may yet state what is between
        self._dropped: Levels | None = None  # where somebody follows the side: what was pruned, with size 0
        self.replaced = 0  # how often the side was replaced as a whole

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
        self._band = self._read = self._near = _NO_BAND
        is_cut = limit is not None and len(levels) >= limit and bool(self._keys)
        self._edge = self._floor = self._keys[0] if is_cut else _NO_EDGE
        self.replaced += 1

    def apply(  # noqa: PLR0912 - the innermost loop of all: a call for a level costs too much
        self, levels: Levels, numbers: Iterator[float] | None = None
    ) -> None:
        """Set the absolute size at each price; size zero deletes, and deleting what is not there is normal.

        ``numbers``: the price and the size of each level in turn, where they are at hand; no more of them is taken.
        """
        if numbers is None:
            numbers = iter(floats(levels))
        sign, keys, held, floor, read = self._sign, self._keys, self._levels, self._floor, self._read
        top_key, band, changed = self._top_key, self._band, 0.0
        for level, price, size in zip(levels, numbers, numbers, strict=False):
            key = sign * price
            if key < read:
                if key < floor:
                    continue
                if size:
                    if key not in held:
                        insort(keys, key)
                    held[key] = level
                else:
                    if held.pop(key, None) is None:
                        continue
                    del keys[bisect_left(keys, key)]
            else:
                if size:
                    amount = size / price if self._per_price else size
                    old = held.get(key)
                    held[key] = level[0], level[1], amount
                    if old is None:
                        insort(keys, key)
                    else:
                        amount -= old[2]
                else:
                    old = held.pop(key, None)
                    if old is None:
                        continue
                    del keys[bisect_left(keys, key)]
                    amount = -old[2]
                if key >= band:
                    changed += amount
            if key >= top_key:
                self._top_depth = 0
        if changed:
            self._sum += changed
            self._changes += len(levels)
            self._near = _NO_BAND

    def prune(self, limit: int) -> None:
        """Drop all but the best ``limit`` levels, of a feed of so many: behind the last one nothing is known.

        Such a feed names the level that takes the place of one that went. Where it does not and fewer are left, what
        lies behind the old edge stays hidden until there are enough again.
        """
        keys = self._keys
        excess = len(keys) - limit
        if excess >= 0:
            for key in keys[:excess]:
                gone = self._levels.pop(key)
                if self._dropped is not None:
                    self._dropped.append((gone[0], "0"))
                if key >= self._band:
                    self._sum -= gone[2]
            if excess and keys[excess - 1] >= self._top_key:
                self._top_depth = 0
            del keys[:excess]
            self._edge, self._near, hidden = keys[0], _NO_BAND, 0
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
            levels = list(map(self._levels.__getitem__, best))
            self._top = (list(map(_PRICE, levels)), list(map(_SIZE, levels)))
            full = len(best) == depth
            self._top_key = best[-1] if full else float("-inf")
            self._top_depth = depth
        return self._top

    @property
    def hidden(self) -> int:
        """How many levels are held that do not belong to the book: what lies before them is not known."""
        return self._hidden

    def follow(self) -> None:
        """From now on ``changes`` gives what pruning dropped, too."""
        self._dropped = []

    def changes(self, levels: Levels) -> Levels:
        """Of ``levels``, just applied, those that changed what is known, and what was pruned since the last call.

        A level that went may lie behind the edge that its going moved.
        """
        sign, edge = self._sign, self._edge
        known = levels
        if edge != _NO_EDGE:
            known = [level for level in levels if level[1] in ZEROS or sign * float(level[0]) >= edge]
        if self._dropped:
            known, self._dropped = [*known, *self._dropped], []
        return known

    def near(self, key: float, worth: float) -> str | None:
        """The sizes of all levels from ``key`` on, times ``worth``, as text of 12 digits; None: not all are known."""
        if key == self._near:
            return self._text
        self._near = key
        if self._edge > key:
            self._text = None  # what is summed goes on being: the edge may go back and forth
        elif self._keys[-1] < key:
            self._band, self._read, self._text = _NO_BAND, _NO_BAND, "0"
        else:
            if key != self._band:
                self._move(key)
            if self._changes > _RECOUNT or self._sum < _MUCH * self._most:
                self._recount(key)
            self._most = max(self._most, self._sum)
            self._text = f"{self._sum * worth:.12g}"
        return self._text

    def _move(self, key: float) -> None:
        """Sum from ``key`` on: go there from where the sum began or, where that is far, make it again."""
        keys, held = self._keys, self._levels
        start, end = bisect_left(keys, key), bisect_left(keys, self._band)
        if 2 * abs(end - start) > len(keys) - start:
            self._recount(key)
            return
        self._band = key
        if key < self._read:
            self._read_from(key)
        if start < end:
            self._sum += sum([held[entering][2] for entering in keys[start:end]])
        else:
            self._sum -= sum([held[leaving][2] for leaving in keys[end:start]])

    def _recount(self, key: float) -> None:
        keys, held = self._keys, self._levels
        self._band, self._changes, self._read = key, 0, _NO_BAND
        self._read_from(key)
        self._sum = self._most = sum([held[near][2] for near in keys[bisect_left(keys, key) :]])

    def _read_from(self, key: float) -> None:
        """Read the sizes of the levels from ``key`` on, and of some behind it: next time it is a little further."""
        keys, held = self._keys, self._levels
        read = max(key - (keys[-1] - key) / 4, self._floor)
        for entering in keys[bisect_left(keys, read) : bisect_left(keys, self._read)]:
            price, size, *_ = held[entering]
            amount = float(size)
            held[entering] = price, size, amount / abs(entering) if self._per_price else amount
        self._read = read

    def best(self) -> float | None:
        """The best price, or None when the side is empty."""
        return self._sign * self._keys[-1] if self._keys else None

    def is_short(self, levels: int) -> bool:
        """Whether fewer than so many levels are left, and more may lie behind the edge."""
        return self._edge != _NO_EDGE and len(self._keys) - self._hidden < levels

    def levels(self) -> Levels:
        """All levels, best first, hidden ones too."""
        return [self._levels[key][:2] for key in reversed(self._keys)]


class OrderBook:
    """Both sides. Levels given to it have passed ``decimals.check_levels``.

    ``worth``: what a size of 1 stands for in base units; ``per_price``: at a price of 1, of inverse contracts.
    """

    __slots__ = ("_touch", "_within", "_worth", "asks", "bids")

    def __init__(self, worth: float = 1.0, *, per_price: bool = False) -> None:
        self.bids = BookSide(1, per_price=per_price)
        self.asks = BookSide(-1, per_price=per_price)
        self._worth = worth
        self._touch = 0.0, 0.0  # keys of the best bid and ask that ``_within`` was made for
        self._within = 0.0, 0.0  # keys of the worst bid and ask that are near

    def replace(self, bids: Levels, asks: Levels, limit: int | None = None) -> None:
        """``limit``: see ``BookSide.replace``."""
        self.bids.replace(bids, limit)
        self.asks.replace(asks, limit)

    def apply(self, bids: Levels, asks: Levels, numbers: Numbers | None = None) -> None:
        """``numbers``: those of the bids and then of the asks, as ``decimals.check_levels`` gives them."""
        of_both = iter(numbers or floats([*bids, *asks]))
        if bids:
            self.bids.apply(bids, of_both)
        if asks:
            self.asks.apply(asks, of_both)

    def prune(self, limit: int) -> None:
        """Drop all but the best ``limit`` levels of each side; see ``BookSide.prune``."""
        self.bids.prune(limit)
        self.asks.prune(limit)

    def near(self) -> tuple[str | None, str | None]:
        """What is bid and asked within 10 bps of the mid, in base units, as decimal text.

        None where the book is not known that far, or one side is empty, so that there is no mid.
        """
        bids, asks = self.bids, self.asks
        if not bids._keys or not asks._keys:
            return None, None
        touch = bids._keys[-1], asks._keys[-1]
        if touch != self._touch:
            bid, ask = near_mid(touch[0], -touch[1])
            self._touch, self._within = touch, (bid, -ask)
        within = self._within
        return bids.near(within[0], self._worth), asks.near(within[1], self._worth)

    def is_overfull(self) -> bool:
        """Whether a side has more levels than any venue's book."""
        return len(self.bids._keys) > MOST_BOOK_LEVELS or len(self.asks._keys) > MOST_BOOK_LEVELS

    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        bids, asks = self.bids._keys, self.asks._keys
        return bool(bids) and bool(asks) and bids[-1] >= -asks[-1]

    def is_short(self, levels: int) -> bool:
        """Whether a side is, see ``BookSide.is_short``; with 1, whether the touch has left what is known."""
        return self.bids.is_short(levels) or self.asks.is_short(levels)
