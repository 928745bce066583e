"""The bus on Kafka: idempotent, compressed, every message accounted for.

Acknowledgements are taken in on the event loop (a poll every few publishes, and every 5 ms while some are missing), not
on a thread of their own: counters need no lock and an error surfaces where the publisher runs. Measured against a
polling thread: the acknowledgement is seen 3 ms later at 2,000 messages a second and 2 ms earlier on a saturated loop;
delivery itself is librdkafka's own threads' either way.

librdkafka counts the messages that it holds, and lets go of one only once it was acknowledged or its failure reported
to us. So failures come one by one and acknowledgements by that count: a call for each of them cost 0.8 us a message.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from mdplatform.bus import BusStats
from mdplatform.bus.config import producer_config
from mdplatform.bus.ledger import Ledger
from mdplatform.bus.outage import Outage
from mdplatform.bus.partitions import watch_partitions
from mdplatform.core.clock import MS
from mdplatform.core.codec import KEPT_OF_CUT_BYTES, shortened
from mdplatform.core.errors import BrokenBus, BusError
from mdplatform.core.settings import Settings

log = logging.getLogger(__name__)

POLL_EVERY_MESSAGES = 64
POLL_EVERY_S = 0.005
IDLE_POLL_S = 0.25  # while all is acknowledged: what remains to be noticed is that the broker is gone
FULL_BUFFER_S = 10.0

Report = Callable[[KafkaError | None, Message], None]


class KafkaBus:
    """See ``Bus``. Messages with a key keep their order: one key goes to one partition."""

    reports_only_failures = True  # else ``_on_delivery`` is called for what was acknowledged, too

    def __init__(self, settings: Settings) -> None:
        self._ledger = Ledger(settings.queue_messages)
        self._outage = Outage(settings.kafka_brokers)
        self._oldest_ns = settings.kafka_retention_ms // 2 * MS
        self._until_poll = POLL_EVERY_MESSAGES
        self._is_idle = False  # somebody waits for the next message
        self._published = asyncio.Event()
        self._topics: set[str] = set()  # that were published to
        self._last_reason = ""  # of a failed delivery: the binding loses the text of some fatal errors
        self._is_broken = False
        reporting = {"error_cb": self._outage.report, "delivery.report.only.error": self.reports_only_failures}
        self._producer = Producer(producer_config(settings) | reporting, logger=log)

    @property
    def queue(self) -> int:
        return self._ledger.queue

    @property
    def has_room(self) -> bool:
        return self._ledger.has_room

    @property
    def is_cut_off(self) -> bool:
        """Whether the broker is unreachable; true until it acknowledges something again."""
        return self._outage.lasts

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        """See ``Bus.publish``. A message that Kafka could never take (its size) is counted as failed."""
        now_ns = time.time_ns()
        # A broker deletes at once what is older than its retention, and Kafka refuses the whole batch of a message that
        # lies more than an hour ahead: a replayed recording, or one made with a wrong clock, gets the current time.
        stamp_ns = received_ns if now_ns - self._oldest_ns < received_ns <= now_ns else now_ns
        stamp_ms = stamp_ns // MS
        report: Report = self._on_delivery
        if len(value) > KEPT_OF_CUT_BYTES:
            report = partial(self._on_delivery_of_frame, stamp_ms)
        try:
            self._producer.produce(topic, value, key, on_delivery=report, timestamp=stamp_ms)
        except BufferError:
            self._produce_when_it_fits(topic, value, key, report, stamp_ms)
        except KafkaException as error:
            return self._refuse(topic, error, received_ns, now_ns)
        self._topics.add(topic)
        self._ledger.accept(received_ns, now_ns)
        if self._is_idle:
            self._is_idle = False
            self._published.set()
        self._until_poll -= 1
        if not self._until_poll:
            self.poll()

    def poll(self) -> None:
        self._until_poll = POLL_EVERY_MESSAGES
        self._take_in(self._producer.poll, 0)

    async def serve(self) -> None:
        watching = asyncio.create_task(
            watch_partitions(self._producer, lambda: self._topics if self.queue else (), lambda: self._outage.began_ns)
        )
        try:
            while not watching.done():
                self.poll()
                if not self.queue:
                    await self._until_published()
                await asyncio.sleep(POLL_EVERY_S)
            watching.result()
        finally:
            watching.cancel()

    async def _until_published(self) -> None:
        """Return at the next message, or after a while."""
        self._published.clear()
        self._is_idle = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_POLL_S):
                await self._published.wait()

    async def room(self) -> None:
        while not self.has_room:
            self.poll()
            await asyncio.sleep(POLL_EVERY_S)

    def flush(self, seconds: float) -> int:
        self._take_in(self._producer.flush, seconds)
        return self.queue

    def close(self, seconds: float) -> int:
        try:
            left = self.flush(seconds)
            if left:
                log.error("%d messages were not acknowledged within %g s of closing and are given up", left, seconds)
                self._producer.purge()
                self._take_in(self._producer.flush, 1)
        except BusError as error:
            left = self.queue
            log.error("%d messages are lost: %s", left, error)
        return left

    def stats(self) -> BusStats:
        return self._ledger.snapshot(time.time_ns())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close(10.0)

    def _produce_when_it_fits(self, topic: str, value: bytes, key: bytes, report: Report, stamp_ms: int) -> None:
        """The publisher did not await ``room`` and librdkafka's own buffer is full: block it here, for a while."""
        deadline = time.monotonic() + FULL_BUFFER_S
        while time.monotonic() < deadline:
            self._take_in(self._producer.poll, 0.05)
            try:
                return self._producer.produce(topic, value, key, on_delivery=report, timestamp=stamp_ms)
            except BufferError:
                continue
        raise BusError(f"{self.queue} messages wait for the broker and none was taken for {FULL_BUFFER_S:g} s")

    def _refuse(self, topic: str, error: KafkaException, received_ns: int, now_ns: int) -> None:
        cause: KafkaError = error.args[0]
        if cause.fatal() or cause.code() == KafkaError._FATAL:
            raise self._broken(error) from error
        self._ledger.accept(received_ns, now_ns)
        self._ledger.fail(topic, cause.name(), now_ns)

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._last_reason = error.str()
            self._ledger.fail(message.topic() or "?", error.name(), time.time_ns())

    def _on_delivery_of_frame(self, stamp_ms: int, error: KafkaError | None, message: Message) -> None:
        """Of a message so large that it may hold a frame which can be cut. The topic's size limit may be below ours:
        the head of the frame is better than nothing. It gets the stamp that we gave the whole one:
        `message.timestamp()` of a refused one is -1, which a broker deletes as of 1969."""
        if error is not None and error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            short, report = shortened(message.value() or b""), self._on_delivery
            # One that does not fit at the moment either is counted as failed.
            with contextlib.suppress(BufferError, KafkaException):
                if short is not None:
                    topic, key = message.topic() or "?", message.key()
                    return self._producer.produce(topic, short, key, on_delivery=report, timestamp=stamp_ms)
        self._on_delivery(error, message)

    def _take_in(self, call: Callable[[float], int], seconds: float) -> None:
        """Run ``poll`` or ``flush``: both deliver reports, and both raise librdkafka's fatal errors.

        After one of these nothing more is acknowledged: the report of a failure may have gone with it.
        """
        try:
            call(seconds)
        except (KafkaException, SystemError) as error:
            # SystemError: the binding went on into one of our callbacks with its exception already raised.
            raise self._broken(error.__cause__ or error) from error
        before = self._ledger.acknowledged
        if not self._is_broken:
            self._ledger.settle(len(self._producer), time.time_ns())
        if self._ledger.acknowledged > before:
            self._outage.over()

    def _broken(self, error: BaseException) -> BrokenBus:
        self._is_broken = True
        cause = error.args[0]
        text = cause.str() if isinstance(cause, KafkaError) else self._last_reason or str(cause)
        return BrokenBus(f"the Kafka producer is broken for good: {text}", self._outage.began_ns)
