"""The bus on Kafka: idempotent, compressed, every message accounted for.

Acknowledgements are taken in on the event loop (a poll every few publishes and every few ms), not on a thread of
their own: librdkafka's binding takes the interpreter's lock anew for each report, and against a busy event loop such
a thread gets it some 200 times a second.
"""

import asyncio
import logging
import time
from functools import partial
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from mdplatform.bus import BusStats
from mdplatform.bus.config import producer_config
from mdplatform.bus.ledger import Ledger
from mdplatform.clock import MS
from mdplatform.errors import BusError
from mdplatform.settings import Settings

log = logging.getLogger(__name__)

POLL_EVERY_MESSAGES = 64
POLL_EVERY_SECONDS = 0.005
FULL_BUFFER_SECONDS = 10.0


class KafkaBus:
    """See ``Bus``. Messages with a key keep their order: one key goes to one partition."""

    def __init__(self, settings: Settings) -> None:
        self._ledger = Ledger(settings.queue_messages)
        self._fatal: BusError | None = None
        self._until_poll = POLL_EVERY_MESSAGES
        self._producer = Producer(producer_config(settings) | {"error_cb": self._on_error}, logger=log)

    @property
    def queue(self) -> int:
        return self._ledger.queue

    @property
    def has_room(self) -> bool:
        return self._ledger.has_room

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        """See ``Bus.publish``. A message that Kafka could never take (its size) is counted as failed."""
        report = partial(self._on_delivery, received_ns)
        try:
            self._producer.produce(topic, value, key, on_delivery=report, timestamp=received_ns // MS)
        except BufferError:
            self._produce_when_it_fits(topic, key, value, received_ns)
        except KafkaException as error:
            return self._refuse(topic, error.args[0])
        self._ledger.accept(time.time_ns())
        self._until_poll -= 1
        if not self._until_poll:
            self.poll()

    def poll(self) -> None:
        self._until_poll = POLL_EVERY_MESSAGES
        self._producer.poll(0)
        if self._fatal:
            raise self._fatal

    async def serve(self) -> None:
        while True:
            self.poll()
            await asyncio.sleep(POLL_EVERY_SECONDS)

    async def room(self) -> None:
        while not self.has_room:
            self.poll()
            await asyncio.sleep(POLL_EVERY_SECONDS)

    def flush(self, seconds: float) -> int:
        self._producer.flush(seconds)
        return self.queue

    def close(self, seconds: float) -> int:
        left = self.flush(seconds)
        if left:
            log.error("%d messages were not acknowledged within %g s of closing and are given up", left, seconds)
            self._producer.purge()
            self._producer.flush(1)
        return left

    def stats(self) -> BusStats:
        return self._ledger.snapshot(time.time_ns())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close(10.0)

    def _produce_when_it_fits(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        """The publisher did not await ``room`` and librdkafka's own buffer is full: hold it up here, for a while."""
        deadline = time.monotonic() + FULL_BUFFER_SECONDS
        report = partial(self._on_delivery, received_ns)
        while time.monotonic() < deadline:
            self._producer.poll(0.05)
            try:
                return self._producer.produce(topic, value, key, on_delivery=report, timestamp=received_ns // MS)
            except BufferError:
                continue
        raise BusError(f"{self.queue} messages wait for the broker and none was taken for {FULL_BUFFER_SECONDS:g} s")

    def _refuse(self, topic: str, error: KafkaError) -> None:
        if error.fatal():
            raise BusError(f"the Kafka producer is broken for good: {error.str()}")
        now_ns = time.time_ns()
        self._ledger.accept(now_ns)
        self._ledger.fail(topic, error.name(), now_ns)

    def _on_delivery(self, received_ns: int, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._ledger.acknowledge(received_ns, time.time_ns())
        else:
            self._ledger.fail(message.topic() or "?", error.name(), time.time_ns())

    def _on_error(self, error: KafkaError) -> None:
        """A broker that is away is librdkafka's to wait for; only what it cannot repair is ours."""
        if error.fatal():
            self._fatal = BusError(f"the Kafka producer is broken for good: {error.str()}")
        else:
            log.warning("Kafka: %s", error.str())
