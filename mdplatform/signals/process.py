"""The signal engine as a process: between a consumer group and the signals topic."""

from __future__ import annotations

import logging
import threading
import time

from mdplatform.bus import Bus
from mdplatform.bus.admin import Admin
from mdplatform.bus.config import consumer_config
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.bus.subscription import ResumedSubscription
from mdplatform.bus.wait_for_broker import until_kafka_answers
from mdplatform.core.clock import SystemClock
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.signals.detectors.thresholds import Thresholds
from mdplatform.signals.engine import GROUP, UNKNOWN, SignalEngine

log = logging.getLogger(__name__)

BATCH_S = 0.02  # a batch that is not full waits so long: latency against wake-ups
BATCH_MESSAGES = 2_000
IDLE_S = 0.25  # while nothing comes: what remains to be noticed is that it is to end
COMMIT_S = 0.5
FLUSH_S = 5.0
REPORT_S = 60.0
AGAIN_MESSAGES = 300_000  # read again after a restart: minutes of a few dozen markets, and seconds of work
RECALLED = 1_000  # signals, more than any cooldown holds


def run_signals(
    settings: Settings, thresholds: Thresholds, stop: threading.Event | None = None, group: str = GROUP
) -> None:
    """Run until ``stop`` (or Ctrl-C). Waits for a broker that is away. Raises BusError, and ConfigError."""
    thresholds.validate()
    topics, stop = Topics.from_settings(settings), stop or threading.Event()
    admin = Admin(settings)
    until_kafka_answers(admin, settings.kafka_brokers, stop)
    if stop.is_set():
        return
    admin.ensure([topics["signals"], *topics.expand("dead_letters", [UNKNOWN])])
    with KafkaBus(settings) as bus:
        engine = SignalEngine(thresholds, bus, topics, SystemClock())
        with Reader(settings) as reader:
            engine.recall(reader.tail(topics["signals"], RECALLED))
        config = consumer_config(settings, group, start="latest")
        with ResumedSubscription(config, engine.subscription(), AGAIN_MESSAGES) as subscription:
            log.info("group %s reads %s", group, ", ".join(engine.subscription()))
            _run(engine, bus, subscription, stop)


def _run(engine: SignalEngine, bus: Bus, subscription: ResumedSubscription, stop: threading.Event) -> None:
    """1. Take a batch. 2. Publish its signals. 3. Wait for acknowledgement. 4. Commit, regularly and at the end."""
    committed = reported = time.monotonic()
    while not stop.is_set():
        messages = subscription.take(BATCH_S, BATCH_MESSAGES, IDLE_S)  # 1.
        engine.take(messages, subscription.is_new)  # 2.
        _acknowledged(bus, stop)  # 3.
        subscription.finished(messages)
        now = time.monotonic()
        if now - committed >= COMMIT_S:  # 4.
            subscription.commit()
            committed = now
        if now - reported >= REPORT_S:
            log.info(
                "%d messages read, %d signals, passed over: %s",
                engine.read,
                engine.found,
                _passed_over(engine),
            )
            reported = now
    if not bus.queue:
        subscription.commit()


def _passed_over(engine: SignalEngine) -> str:
    counts = engine.passed_over.counts()
    named = [
        f"{count} {reason} of {place}" for place, by_reason in counts.items() for reason, count in by_reason.items()
    ]
    return ", ".join(named) or "none"


def _acknowledged(bus: Bus, stop: threading.Event) -> None:
    """Return once everything published is acknowledged; waits for a broker that is unreachable."""
    while bus.queue and bus.flush(FLUSH_S) and not stop.is_set():
        log.warning("%d signals wait for the broker; nothing is committed until it has them", bus.queue)
