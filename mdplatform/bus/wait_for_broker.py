"""A broker that is not there when a consumer starts: said once, waited for, and said again when it is."""

from __future__ import annotations

import logging
import threading

from mdplatform.bus.admin import Admin
from mdplatform.core.errors import BusError

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
SILENT_SECONDS = 2.0  # one look alone may take ten


def until_kafka_answers(admin: Admin, brokers: str, stop: threading.Event) -> None:
    """Return when it does, or when ``stop`` is set."""
    told = threading.Event()
    timer = threading.Timer(SILENT_SECONDS, _tell, [brokers, told])
    timer.daemon = True
    timer.start()
    while not stop.is_set():
        try:
            admin.topics()
        except BusError:
            stop.wait(RETRY_SECONDS)
        else:
            break
    timer.cancel()
    if told.is_set() and not stop.is_set():
        log.warning("Kafka at %s answers now", brokers)


def _tell(brokers: str, told: threading.Event) -> None:
    told.set()
    log.warning("Kafka at %s does not answer; trying again until it does, Ctrl-C ends", brokers)
