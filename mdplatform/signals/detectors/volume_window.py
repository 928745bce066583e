"""A market's volume second by second: the last few seconds against the minute before them.

The usual is taken over the seconds whose trades are known: a second in which every collector's feed was down or had a
gap says nothing, and trades that were filled in later by REST belong to the second in which they were made.
"""

from __future__ import annotations

from mdplatform.core.bounds import LEAST

USUAL_S = 60
WARM_S = 30  # known seconds, before anything can be unusual
LEAST_TRADES = 10  # in the window: one large trade alone is no spike
KEPT_OUTAGES = 100  # of a collector: more than a minute can hold that matter


class Outages:
    """When a collector's feed of trades was not proven, in seconds of its status intervals; both ends included."""

    def __init__(self) -> None:
        self._spans: dict[int, tuple[int, int | None]] = {}  # start of the interval in ns -> its seconds, oldest first

    @property
    def is_empty(self) -> bool:
        return not self._spans

    def note(self, started_ns: int, first: int, last: int | None) -> None:
        """An interval without proof; ``last`` None while it lasts."""
        self._spans[started_ns] = (first, last)
        if len(self._spans) > KEPT_OUTAGES:
            del self._spans[next(iter(self._spans))]

    def forget_before(self, second: int) -> None:
        """Intervals that ended before this second matter no more."""
        over = [start for start, (_, last) in self._spans.items() if last is not None and last < second]
        for start in over:
            del self._spans[start]

    def end(self, second: int) -> None:
        """The feed is proven from here on."""
        for started_ns, (first, last) in self._spans.items():
            if last is None:
                self._spans[started_ns] = (first, second)

    def forget(self, started_ns: int) -> None:
        """What was missing in this interval came after all."""
        self._spans.pop(started_ns, None)

    def hold(self, second: int) -> bool:
        return any(first <= second and (last is None or second <= last) for first, last in self._spans.values())


class VolumeWindow:
    """``recent``: base units of the last ``window`` seconds; ``usual``: of as many known seconds of the minute before,
    or 0. ``outages``: of each collector of the market."""

    def __init__(self, window: int) -> None:
        self.recent = 0.0
        self.usual = 0.0
        self.outages: dict[str, Outages] = {}
        self._trades = 0  # of ``recent``
        self._window = window
        self._size = window + USUAL_S
        self._begin(0)

    @property
    def ratio(self) -> float:
        """Recent to usual; 0 while too little is known to say."""
        return self.recent / self.usual if self.usual >= LEAST and self._trades >= LEAST_TRADES else 0.0

    def add(self, second: int, volume: float) -> bool:
        """Count a trade of this second; False for one too late to matter."""
        if second > self._newest or second < self._newest - self._size:
            self._advance(second)
        slot = second % self._size
        self._volumes[slot] += volume
        self._counts[slot] += 1
        if second <= self._newest - self._window:
            return False
        self.recent += volume
        self._trades += 1
        return True

    def fill(self, second: int, volume: float) -> None:
        """Count a trade that came late, by REST: part of what is usual, no news."""
        if self._newest - self._size < second <= self._newest - self._window:
            self._volumes[second % self._size] += volume

    def _begin(self, second: int) -> None:
        self._first = self._newest = second
        self._volumes = [0.0] * self._size
        self._counts = [0] * self._size

    def _advance(self, second: int) -> None:
        """To a later second, or to a new beginning where it is none or too far away."""
        if not 0 < second - self._newest < self._size:
            self._begin(second)
        for passed in range(self._newest + 1, second + 1):
            self._volumes[passed % self._size] = 0.0
            self._counts[passed % self._size] = 0
        self._newest = second
        window = [(second - back) % self._size for back in range(self._window)]
        self.recent = sum(self._volumes[slot] for slot in window)
        self._trades = sum(self._counts[slot] for slot in window)
        self._compare(second)

    def _compare(self, second: int) -> None:
        oldest = max(self._first, second - self._window - USUAL_S + 1)
        for outages in self.outages.values():
            outages.forget_before(oldest)
        past_seconds = range(oldest, second - self._window + 1)
        is_whole = not self.outages or any(outages.is_empty for outages in self.outages.values())
        known = past_seconds if is_whole else [past for past in past_seconds if self._is_known(past)]
        before = sum(self._volumes[past % self._size] for past in known)
        self.usual = before / len(known) * self._window if len(known) >= WARM_S else 0.0

    def _is_known(self, second: int) -> bool:
        """Whether one collector at least had all trades of this second."""
        return any(not outages.hold(second) for outages in self.outages.values())
