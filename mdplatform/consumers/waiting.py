"""A broker that is not there when a consumer starts: said once, waited for, and said again when it is."""

from __future__ import annotations

import logging
import threading

from mdplatform.bus.admin import Admin
from mdplatform.errors import BusError

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0


def until_kafka_answers(admin: Admin, brokers: str, stop: threading.Event) -> None:
    """Return when it does, or when ``stop`` is set."""
    is_told = False
    while not stop.is_set():
        try:
            admin.topics()
        except BusError as error:
            if not is_told:
                log.warning("%s; trying again until it answers, Ctrl-C ends", error)
            is_told = True
            stop.wait(RETRY_SECONDS)
        else:
            if is_told:
                log.warning("Kafka at %s answers now", brokers)
            return
