"""Waiting for a broker that is unreachable when a consumer starts: logged once, and once more when it answers."""

from __future__ import annotations

import logging
import threading

from mdplatform.bus.admin import Admin
from mdplatform.core.errors import BusError

log = logging.getLogger(__name__)

RETRY_S = 1.0
SILENT_S = 2.0  # one attempt alone may take ten


def until_kafka_answers(admin: Admin, brokers: str, stop: threading.Event) -> None:
    """Return when it does, or when ``stop`` is set."""
    reported = threading.Event()
    timer = threading.Timer(SILENT_S, _report, [brokers, reported])
    timer.daemon = True
    timer.start()
    while not stop.is_set():
        try:
            admin.topics()
        except BusError:
            stop.wait(RETRY_S)
        else:
            break
    timer.cancel()
    if reported.is_set() and not stop.is_set():
        log.warning("Kafka at %s answers now", brokers)


def _report(brokers: str, reported: threading.Event) -> None:
    reported.set()
    log.warning("Kafka at %s does not answer; retrying until it does, Ctrl-C stops", brokers)
