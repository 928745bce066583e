"""A member of a consumer group: takes batches and commits what has been processed."""

import logging
import re
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from mdplatform.bus import Message
from mdplatform.bus.admin import Spot
from mdplatform.bus.config import Config
from mdplatform.bus.outage import Outage
from mdplatform.bus.reader import as_message, batch
from mdplatform.core.errors import BusError

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0

# Errors that a consumer waits out: the topic does not exist yet, or librdkafka is looking for the broker.
PASSING = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TRANSPORT,
    KafkaError._PARTITION_EOF,
)


class Subscription:
    """Subscribed to ``topics`` (names, or regular expressions beginning with ``^``) with a ``consumer_config``.

    Every method raises BusError for errors that do not pass by waiting.
    """

    def __init__(self, config: Config, topics: Iterable[str]) -> None:
        self._outage = Outage(str(config["bootstrap.servers"]))
        self._from_end = config["auto.offset.reset"] == "latest"
        self._consumer = Consumer({**config, "error_cb": self._outage.report}, logger=log)
        self._consumer.subscribe(list(topics), on_assign=self._on_assign)

    def take(self, seconds: float = 0.5, most: int = 1000, idle_seconds: float | None = None) -> list[Message]:
        """Messages, in order within a partition; see ``batch`` for how many and when."""
        taken = []
        try:
            found = batch(self._consumer, seconds, most, idle_seconds)
        except KafkaException as error:  # out of `_on_assign`
            raise BusError(f"joining the group: {error.args[0].str()}") from error
        for raw in found:
            wrong = raw.error()
            if wrong is None:
                taken.append(as_message(raw))
            elif wrong.code() not in PASSING:
                raise BusError(f"reading {raw.topic() or 'from Kafka'}: {wrong.str()}")
        if taken:
            self._outage.over()
        return taken

    def commit(self, wait: bool = True) -> None:
        """Everything taken so far has been processed: after a restart the group continues after it.

        Without ``wait`` the outcome is not reported, and an unreachable broker does not block the caller.
        """
        try:
            if wait:
                self._consumer.commit(asynchronous=False)
            else:
                self._consumer.commit(asynchronous=True)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._NO_OFFSET:  # nothing taken since the last commit
                raise BusError(f"committing offsets: {error.args[0].str()}") from error

    def assignment(self) -> set[tuple[str, int]]:
        """(topic, partition) held now."""
        return {(p.topic, p.partition) for p in self._consumer.assignment()}

    @property
    def is_cut_off(self) -> bool:
        """Whether the broker is unreachable; true until a message arrives."""
        return self._outage.lasts

    def close(self) -> None:
        """Leave without committing."""
        self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """A group that starts at the end commits that offset at once: it then misses nothing and its lag is known."""
        if not (self._from_end and partitions):
            return
        new = [p for p in consumer.committed(partitions, timeout=TIMEOUT_S) if p.offset < 0]
        for partition in new:
            at = TopicPartition(partition.topic, partition.partition)
            partition.offset = consumer.get_watermark_offsets(at, timeout=TIMEOUT_S)[1]
        if new:
            consumer.commit(offsets=new, asynchronous=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class ResumedSubscription(Subscription):
    """After a restart reads earlier messages again: up to ``again``, over all partitions, before the committed offsets.

    They restore the reader's state; ``is_new`` distinguishes them. Only new messages are committed, so that a
    crash meanwhile loses nothing.
    """

    def __init__(self, config: Config, topics: Iterable[str], again: int) -> None:
        self._again = again
        self._boundaries: dict[Spot, int] = {}  # the first offset that is new
        self._taken: dict[Spot, int] = {}  # the next offset to be committed
        self._is_reported = False
        super().__init__(config, topics)

    def is_new(self, message: Message) -> bool:
        """Whether the group had not finished with this message when we joined."""
        return message.offset >= self._boundaries.get((message.topic, message.partition), 0)

    def finished(self, messages: Iterable[Message]) -> None:
        """These may be committed."""
        for message in messages:
            if self.is_new(message):
                self._taken[message.topic, message.partition] = message.offset + 1

    def commit(self, wait: bool = True) -> None:
        """Commit what is finished, always waiting; a failure is logged once and retried later."""
        if not self._taken:
            return
        offsets = [TopicPartition(*spot, offset) for spot, offset in self._taken.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            if not self._is_reported:
                log.warning("offsets are not committed yet, retrying: %s", error.args[0].str())
            self._is_reported = True
        else:
            self._taken.clear()
            self._is_reported = False

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        super()._on_assign(consumer, partitions)
        committed = consumer.committed(partitions, timeout=TIMEOUT_S) if partitions else []
        share = self._again // max(1, len(committed))
        for partition in committed:
            spot = (partition.topic, partition.partition)
            if spot in self._boundaries or partition.offset < 0:
                continue  # a rebalance: what is before was read by us
            at = TopicPartition(*spot)
            low = consumer.get_watermark_offsets(at, timeout=TIMEOUT_S)[0]
            self._boundaries[spot] = partition.offset
            partition.offset = max(low, partition.offset - share)
        consumer.assign(committed)


def topic_pattern(template: str) -> str:
    """What to subscribe to for a topic template: its name, or an expression that matches it for every exchange."""
    if "{exchange}" not in template:
        return template
    before, _, after = template.replace(".", "[.]").partition("{exchange}")
    return f"^{before}[^.]+{after.replace('{exchange}', '[^.]+')}$"


def topic_names(template: str) -> re.Pattern[str]:
    """What matches, as a whole, the names of the topics of a template."""
    pattern = topic_pattern(template)
    return re.compile(pattern if pattern.startswith("^") else re.escape(pattern))
