"""Price moves: found over mid prices alone, so that the same books always give the same moves."""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from mdplatform.codec import BookMessage


class Move(msgspec.Struct, frozen=True):
    """The mid price changed by at least the threshold within the window. Times as in the book that showed it."""

    exchange: str
    symbol: str
    kind: Literal["price_move"]
    direction: Literal["up", "down"]
    change_pct: float  # of from_price; negative downwards
    from_price: float  # the mid at the lowest (highest) point of the window
    to_price: float  # the mid now
    window_s: float
    ts: int  # ms
    sequence: int
    received_ns: int

    @property
    def id(self) -> str:
        """The same for the same finding, however often it is published."""
        return f"{self.exchange}:{self.symbol}:{self.kind}:{self.sequence}"


class MoveDetector:
    """Moves of at least ``threshold_pct`` percent within ``window_s`` seconds of venue time, by exchange and symbol.

    After a move the window begins anew at its price: a long climb is one move a threshold, not one an update.
    """

    def __init__(self, threshold_pct: float, window_s: float) -> None:
        self.threshold_pct = threshold_pct
        self.window_s = window_s
        self._windows: dict[tuple[str, str], _Window] = {}

    def take(self, book: BookMessage) -> Move | None:
        """The move that this book completes, if any. A book with an empty side has no mid and says nothing."""
        if not (book.b and book.a):
            return None
        mid = (book.b[0] + book.a[0]) / 2
        key = (book.exchange, book.symbol)
        window = self._windows.setdefault(key, _Window())
        window.add(book.timestamp, mid, book.timestamp - int(self.window_s * 1000))
        for start in (window.lowest, window.highest):
            change_pct = 100 * (mid - start) / start if start else 0.0
            if abs(change_pct) >= self.threshold_pct:
                self._windows[key] = window = _Window()
                window.add(book.timestamp, mid, book.timestamp)
                return self._move(book, start, mid, change_pct)
        return None

    def _move(self, book: BookMessage, start: float, mid: float, change_pct: float) -> Move:
        return Move(
            exchange=book.exchange,
            symbol=book.symbol,
            kind="price_move",
            direction="up" if change_pct > 0 else "down",
            change_pct=round(change_pct, 6),
            from_price=start,
            to_price=mid,
            window_s=self.window_s,
            ts=book.timestamp,
            sequence=book.sequence,
            received_ns=book.received_ns,
        )


class _Window:
    """The lowest and highest value of a sliding window, each update in constant time on average.

    ``_rising`` holds the values that may yet be the lowest (ascending in time and value), ``_falling`` the highest.
    """

    def __init__(self) -> None:
        self._rising: deque[tuple[int, float]] = deque()
        self._falling: deque[tuple[int, float]] = deque()

    @property
    def lowest(self) -> float:
        return self._rising[0][1]

    @property
    def highest(self) -> float:
        return self._falling[0][1]

    def add(self, at_ms: int, value: float, oldest_ms: int) -> None:
        """Take ``value`` in and forget what is older than ``oldest_ms``."""
        while self._rising and self._rising[-1][1] >= value:
            self._rising.pop()
        while self._falling and self._falling[-1][1] <= value:
            self._falling.pop()
        for kept in (self._rising, self._falling):
            kept.append((at_ms, value))
            while kept[0][0] < oldest_ms:
                kept.popleft()
