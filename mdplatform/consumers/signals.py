"""``mdplatform signals``: the engine that reads the market's topics and publishes what it finds to the signals topic.

Resumes without repeating itself: it reads again what came shortly before its committed offsets, which restores the
detectors' state, and recalls what it has published; offsets are committed after the signals they led to were
acknowledged. What is published twice all the same (a crash between the two) has the same ``id``, and one row.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable

from mdplatform.bus import Bus, Message
from mdplatform.bus.subscription import topic_pattern
from mdplatform.clock import Clock
from mdplatform.codec import encode
from mdplatform.consumers.detection import Detection
from mdplatform.consumers.detectors.cooldown import Cooldown
from mdplatform.consumers.detectors.thresholds import Thresholds
from mdplatform.consumers.signal import Signal, decode_signal, encode_signal
from mdplatform.errors import UNREADABLE
from mdplatform.events import DeadLetter
from mdplatform.topics import Topics

log = logging.getLogger(__name__)

GROUP = "signal-engine"
UNKNOWN = "unknown"  # exchange of a message that could not be read
REASONS = {
    "books": "not_a_book",
    "quotes": "not_a_quote",
    "trades": "not_a_trade",
    "liquidations": "not_a_liquidation",
    "status": "not_a_status",
}


class SignalEngine:
    """From messages of books, quotes, trades, liquidations and feed statuses to signal messages on a bus."""

    def __init__(self, thresholds: Thresholds, bus: Bus, topics: Topics, clock: Clock) -> None:
        self._detection = Detection(thresholds)
        self._cooldown = Cooldown(thresholds.cooldown_s)
        self._bus = bus
        self._topics = topics
        self._clock = clock
        self._patterns = {name: re.compile(topic_pattern(getattr(topics, name))) for name in self._detection.datasets}
        self._datasets: dict[str, str] = {}
        self.read = 0
        self.found = 0
        self.unreadable = 0

    def subscription(self) -> list[str]:
        """What to subscribe to, by name or pattern."""
        return [pattern.pattern for pattern in self._patterns.values()]

    def recall(self, published: Iterable[Message]) -> None:
        """These were found before; those in another form are left out."""
        for message in published:
            try:
                self._cooldown.remember(decode_signal(message.value))
            except UNREADABLE:
                continue

    def take(self, messages: Iterable[Message], is_new: Callable[[Message], bool] = lambda _: True) -> None:
        """Publish the signals of these messages; one that cannot be read goes to the dead letters.

        What is not new only makes the state: its signals were published before.
        """
        for message in messages:
            self.read += 1
            try:
                found = self._detection.take(self._dataset(message.topic), message.value)
            except UNREADABLE as error:
                if is_new(message):
                    self._bury(message, str(error))
                continue
            for signal in found:
                if is_new(message) and self._cooldown.admits(signal):
                    self._publish(signal)

    def _publish(self, signal: Signal) -> None:
        self.found += 1
        self._cooldown.remember(signal)
        value = encode_signal(signal, self._clock.now_ns())
        self._bus.publish(self._topics.signals, signal.symbol.encode(), value, signal.received_ns)
        where = ", ".join(signal.exchanges)
        log.info("%s %s on %s: %.4g %s", signal.symbol, signal.kind, where, signal.value, signal.unit)

    def _dataset(self, topic: str) -> str:
        if topic not in self._datasets:
            self._datasets[topic] = next(name for name, p in self._patterns.items() if p.fullmatch(topic))
        return self._datasets[topic]

    def _bury(self, message: Message, error: str) -> None:
        self.unreadable += 1
        reason = REASONS[self._dataset(message.topic)]
        place = f"{message.topic}/{message.partition}@{message.offset}"
        received_ns = message.timestamp_ms * 1_000_000
        letter = DeadLetter(UNKNOWN, reason, f"{place}: {error}", message.value, received_ns, GROUP)
        key, value = encode(letter)
        self._bus.publish(self._topics.of(letter), key, value, received_ns)
