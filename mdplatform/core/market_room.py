"""Which markets a consumer keeps state of: as many as there may be, not as many as somebody makes up."""

from __future__ import annotations

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import MessageError

MOST_MARKETS = 20_000  # all venues together list some thousands of those that one would collect
SETTLED = 3  # messages, after which a market is no newcomer: what is made up mostly comes once
QUIET_NS = 600 * SECOND  # a settled market that sent nothing for this long gives its place back

Key = tuple[str, str]  # exchange, symbol


class MarketRoom:
    """Places for ``most`` markets. Where all are taken, a newcomer's is given to the next newcomer, or a quiet one's.

    So invented symbols drive out earlier invented ones, and no active market. Invented symbols that each send as many
    messages as a real market cannot be distinguished from one; new markets then find no room until they stop.
    """

    def __init__(self, most: int = MOST_MARKETS) -> None:
        self._most = most
        self._new: dict[Key, int] = {}  # messages so far; the latest to send stands last
        self._settled: dict[Key, int] = {}  # when it last sent, to the second; likewise
        self._markets: dict[str, int] = {}  # by symbol

    def __len__(self) -> int:
        return len(self._new) + len(self._settled)

    def has(self, symbol: str) -> bool:
        """Whether a market of this symbol is here, on any exchange."""
        return symbol in self._markets

    def admit(self, key: Key, now_ns: int) -> Key | None:
        """A message of this market; the market whose place it takes, if any, which is to be forgotten.

        Raises MessageError where there is no room.
        """
        heard_ns = self._settled.get(key)
        if heard_ns is not None:
            if now_ns - heard_ns > SECOND:
                del self._settled[key]
                self._settled[key] = now_ns
            return None
        count = self._new.pop(key, 0) + 1
        gone = self._make_room(now_ns) if count == 1 else None
        if count == 1:
            self._markets[key[1]] = self._markets.get(key[1], 0) + 1
        if count < SETTLED:
            self._new[key] = count
        else:
            self._settled[key] = now_ns
        return gone

    def leave(self, key: Key) -> None:
        """The market is not kept after all."""
        if self._new.pop(key, None) is None and self._settled.pop(key, None) is None:
            return
        left = self._markets.pop(key[1]) - 1
        if left:
            self._markets[key[1]] = left

    def _make_room(self, now_ns: int) -> Key | None:
        if len(self) < self._most:
            return None
        oldest = next(iter(self._new), None)
        if oldest is None:
            oldest = next(iter(self._settled))
            if now_ns - self._settled[oldest] < QUIET_NS:
                raise MessageError("no_room", f"{len(self):,} markets are known")
        self.leave(oldest)
        return oldest
