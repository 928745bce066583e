"""One event is one signal.

A value near its threshold crosses it many times: hysteresis makes one episode of them. What is found again soon after,
on any feed or after a restart, is suppressed.
"""

from __future__ import annotations

from collections import deque

from mdplatform.core.clock import SECOND
from mdplatform.signals.message import Signal

Subject = tuple[str, str, str, str]
RELEASE = 0.5  # of the threshold: below it an episode is over
REMEMBERED = 8  # findings of one subject
MOST_SUBJECTS = 50_000  # the one longest without a finding makes room


class Hysteresis:
    """An episode begins at the threshold and lasts until the value is below half of it."""

    def __init__(self) -> None:
        self.lasts = False

    def begins(self, value: float, threshold: float) -> bool:
        """Whether an episode begins with this value."""
        if self.lasts:
            self.lasts = value >= threshold * RELEASE
            return False
        self.lasts = value >= threshold
        return self.lasts


class Deduplicator:
    """Admits a signal unless one of its kind, place and direction was admitted within ``seconds`` of receive time.

    Before or after: when messages are read again, what they lead to is kept back however their order has changed.
    """

    def __init__(self, seconds: float) -> None:
        self._ns = int(seconds * SECOND)
        self._found: dict[Subject, deque[int]] = {}

    def admits(self, signal: Signal) -> bool:
        found = self._found.get(_subject(signal), ())
        return all(abs(signal.received_ns - at_ns) >= self._ns for at_ns in found)

    def remember(self, signal: Signal) -> None:
        subject = _subject(signal)
        found = self._found.pop(subject, None) or deque[int](maxlen=REMEMBERED)
        found.append(signal.received_ns)
        self._found[subject] = found
        if len(self._found) > MOST_SUBJECTS:
            del self._found[next(iter(self._found))]


def _subject(signal: Signal) -> Subject:
    return signal.kind, signal.symbol, signal.exchange if signal.scope == "market" else "", signal.direction
