"""``mdplatform signals``: the engine that reads the market data topics and publishes findings to the signals topic.

It resumes without repeating itself: it reads again what came shortly before its committed offsets, which restores the
detectors' state, and recalls what it has published; offsets are committed after the signals that they led to were
acknowledged. A signal that is published twice nevertheless (a crash between the two) has the same ``id``, and one row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from mdplatform.bus import Bus, Message
from mdplatform.bus.subscription import topic_names, topic_pattern
from mdplatform.core.clock import SECOND, Clock
from mdplatform.core.codec import encode
from mdplatform.core.event_kinds import KINDS
from mdplatform.core.events import DeadLetter
from mdplatform.core.legible import legible
from mdplatform.core.messages import REFUSALS, PassedOver
from mdplatform.core.topics import Topics
from mdplatform.signals.detectors.deduplicator import Deduplicator
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.signals.message import Signal, decode_signal, encode_signal
from mdplatform.signals.pipeline import Detection

log = logging.getLogger(__name__)

GROUP = "signal-engine"
UNKNOWN = "unknown"  # exchange of a message that could not be read

# Per dataset within LETTERS_NS: whoever floods a topic must not flood the dead letters too.
LETTERS, LETTERS_BYTES = 1_000, 64 * 1024 * 1024
LETTERS_NS = 60 * SECOND


class Letters:
    """How many dead letters there may still be."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[int, int, int]] = {}  # since when, how many, of how many bytes

    def admits(self, dataset: str, size: int, now_ns: int) -> bool:
        since_ns, count, written = self._written.get(dataset, (now_ns, 0, 0))
        if not 0 <= now_ns - since_ns < LETTERS_NS:
            since_ns, count, written = now_ns, 0, 0
        self._written[dataset] = since_ns, count + 1, written + size
        return count < LETTERS and written < LETTERS_BYTES


class SignalEngine:
    """From messages of books, quotes, trades, liquidations and feed statuses to signal messages on a bus."""

    def __init__(self, thresholds: Thresholds, bus: Bus, topics: Topics, clock: Clock) -> None:
        self._detection = Detection(thresholds)
        self._cooldown = Deduplicator(thresholds.cooldown_s)
        self._bus = bus
        self._topics = topics
        self._clock = clock
        self._patterns = {name: topic_names(topics[name]) for name in self._detection.datasets}
        self._datasets: dict[str, str] = {}
        self.read = 0
        self.taken = 0  # of these; the others were passed over
        self.found = 0
        self.unburied = 0  # of what was passed over: counted, and no dead letter
        self.passed_over = PassedOver()
        self._letters = Letters()

    def subscription(self) -> list[str]:
        """What to subscribe to, by name or pattern."""
        return [topic_pattern(self._topics[name]) for name in self._patterns]

    def recall(self, published: Iterable[Message]) -> None:
        """These were found before; those in another form are left out."""
        for message in published:
            try:
                self._cooldown.remember(decode_signal(message.value))
            except REFUSALS:
                continue

    def take(self, messages: Iterable[Message], is_new: Callable[[Message], bool] = lambda _: True) -> None:
        """Publish the signals of these messages; one that cannot be read, or is impossible, becomes a dead letter.

        A message that is not new only restores the state: its signals were published before.
        """
        now_ns = self._clock.now_ns()
        for message in messages:
            self.read += 1
            try:
                found = self._detection.take(self._dataset(message.topic), message.value, now_ns)
            except REFUSALS as error:
                if is_new(message):
                    self._bury(message, error, now_ns)
                continue
            self.taken += 1
            for signal in found:
                if is_new(message) and self._cooldown.admits(signal):
                    self._publish(signal)

    def _publish(self, signal: Signal) -> None:
        self.found += 1
        self._cooldown.remember(signal)
        value = encode_signal(signal, self._clock.now_ns())
        self._bus.publish(self._topics["signals"], signal.symbol.encode(), value, signal.received_ns)
        where = ", ".join(signal.exchanges)
        log.info("%s %s on %s: %.4g %s", signal.symbol, signal.kind, where, signal.value, signal.unit)

    def _dataset(self, topic: str) -> str:
        if topic not in self._datasets:
            self._datasets[topic] = next(name for name, p in self._patterns.items() if p.fullmatch(topic))
        return self._datasets[topic]

    def _bury(self, message: Message, error: Exception, now_ns: int) -> None:
        dataset = self._dataset(message.topic)
        place = f"{message.topic}/{message.partition}@{message.offset}"
        self.passed_over.note(dataset, error, place)
        if not self._letters.admits(dataset, len(message.value), now_ns):
            self.unburied += 1
            return
        received_ns = message.timestamp_ms * 1_000_000
        text = legible(str(error) or type(error).__name__)
        letter = DeadLetter(
            UNKNOWN, f"not_a_{KINDS[dataset].tag}", f"{place}: {text}", message.value, received_ns, GROUP
        )
        key, value = encode(letter)
        self._bus.publish(self._topics.of(letter), key, value, received_ns)
