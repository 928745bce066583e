"""Logs once that the broker is unreachable and once that it is back, however often the client library repeats it."""

import logging
import time

from confluent_kafka import KafkaError

log = logging.getLogger(__name__)


class Outage:
    """Give ``report`` to a client as its ``error_cb``; call ``over`` when the broker has answered again."""

    def __init__(self, brokers: str) -> None:
        self.brokers = brokers
        self.lasts = False
        self.began_ns: int | None = None  # the last one; it is kept when that is over

    def report(self, error: KafkaError) -> None:
        # "0/2 brokers are down" is reported on closing too; a broker that is really unreachable has its own error.
        if not self.lasts and error.code() != KafkaError._ALL_BROKERS_DOWN:
            self.lasts = True
            self.began_ns = time.time_ns()
            log.warning("Kafka at %s: %s", self.brokers, error.str())

    def over(self) -> None:
        if self.lasts:
            self.lasts = False
            log.info("Kafka at %s answers again", self.brokers)
