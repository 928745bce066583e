"""One side of an order book in whole ticks and lots, best level at hand."""

from __future__ import annotations

from bisect import bisect_left, insort


class Ladder:
    """Levels of one side. `sign` is +1 for bids and -1 for asks: keys are tick * sign, ascending, the best one last."""

    __slots__ = ("_keys", "_last", "lots", "sign")

    def __init__(self, sign: int, levels: dict[int, int]) -> None:
        self.sign = sign
        self.lots = levels
        self._keys = sorted(tick * sign for tick in levels)
        self._last = self._keys[-1]

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def best(self) -> int:
        """Tick of the best level, or of the last one that there was: only ``Market.withdraw`` empties a side."""
        return (self._keys[-1] if self._keys else self._last) * self.sign

    def tick(self, depth: int) -> int:
        """Tick of the level `depth` places behind the best (clamped to the last)."""
        return self._keys[max(0, len(self._keys) - 1 - depth)] * self.sign

    def set(self, tick: int, lots: int) -> None:
        """Put the absolute size at a tick; 0 removes the level."""
        key = tick * self.sign
        if lots:
            if tick not in self.lots:
                insort(self._keys, key)
            self.lots[tick] = lots
        elif tick in self.lots:
            del self.lots[tick]
            del self._keys[bisect_left(self._keys, key)]
            self._last = key

    def top(self, count: int) -> list[tuple[int, int]]:
        """The best `count` levels as (tick, lots), best first."""
        sign, lots = self.sign, self.lots
        return [(key * sign, lots[key * sign]) for key in reversed(self._keys[-count:])]
