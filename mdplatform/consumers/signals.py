"""``mdplatform signals``: the engine that reads the order-book topics and publishes what it finds to the signals topic.

At least once: offsets are committed after the signals they led to were acknowledged, so a crash repeats some; a
signal's ``id`` is the same each time. A restart begins with empty windows: a move across it may be missed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

import msgspec

from mdplatform.bus import Bus, Message
from mdplatform.bus.admin import Admin
from mdplatform.bus.config import consumer_config
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.subscription import Subscription, topic_pattern
from mdplatform.codec import decode_book, encode
from mdplatform.consumers.moves import Move, MoveDetector
from mdplatform.errors import BusError, ConfigError
from mdplatform.events import DeadLetter
from mdplatform.settings import Settings
from mdplatform.topics import Topics

log = logging.getLogger(__name__)

GROUP = "signal-engine"
UNKNOWN = "unknown"  # exchange of a message that could not be read
BATCH_SECONDS = 0.1
FLUSH_SECONDS = 30.0


class SignalEngine:
    """From book messages to signal messages on a bus."""

    def __init__(self, detector: MoveDetector, bus: Bus, topics: Topics) -> None:
        self._detector = detector
        self._bus = bus
        self._topics = topics
        self.found = 0
        self.unreadable = 0

    def take(self, messages: Iterable[Message]) -> None:
        """Publish the signals of these messages; one that is no book goes to the dead letters."""
        for message in messages:
            try:
                book = decode_book(message.value)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._bury(message, str(error))
                continue
            move = self._detector.take(book)
            if move is not None:
                self.found += 1
                log.info("%s %s moved %+.3f %%", move.exchange, move.symbol, move.change_pct)
                self._bus.publish(self._topics.signals, move.symbol.encode(), encode_move(move), move.received_ns)

    def _bury(self, message: Message, error: str) -> None:
        self.unreadable += 1
        place = f"{message.topic}/{message.partition}@{message.offset}"
        received_ns = message.timestamp_ms * 1_000_000
        letter = DeadLetter(UNKNOWN, "not_a_book", f"{place}: {error}", message.value, received_ns, GROUP)
        key, value = encode(letter)
        self._bus.publish(self._topics.of(letter), key, value, received_ns)


def encode_move(move: Move) -> bytes:
    """The message: the fields of Move and its ``id``."""
    return msgspec.json.encode({"id": move.id, **msgspec.structs.asdict(move)})


def run_signals(
    settings: Settings, threshold_pct: float = 0.5, window_s: float = 60.0, stop: threading.Event | None = None
) -> None:
    """Run until ``stop`` (or Ctrl-C). Raises BusError, and ConfigError for numbers that are not above 0."""
    if threshold_pct <= 0 or window_s <= 0:
        raise ConfigError(f"threshold and window must be above 0, not {threshold_pct:g} % and {window_s:g} s")
    topics, stop = Topics.from_settings(settings), stop or threading.Event()
    Admin(settings).ensure([topics.signals, *topics.expand("dead_letters", [UNKNOWN])])
    config = consumer_config(settings, GROUP, start="latest")
    with KafkaBus(settings) as bus, Subscription(config, [topic_pattern(topics.books)]) as subscription:
        engine = SignalEngine(MoveDetector(threshold_pct, window_s), bus, topics)
        while not stop.is_set():
            _step(engine, bus, subscription)


def _step(engine: SignalEngine, bus: Bus, subscription: Subscription) -> None:
    """1. Take a batch. 2. Publish what it holds. 3. Have that acknowledged. 4. Commit."""
    messages = subscription.take(BATCH_SECONDS)
    if not messages:
        return
    engine.take(messages)
    if left := bus.flush(FLUSH_SECONDS):
        raise BusError(f"{left} signals were not acknowledged within {FLUSH_SECONDS:g} s; nothing was committed")
    subscription.commit()
