"""A member of a consumer group: takes batches and commits what has been processed."""

import logging
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from mdplatform.bus import Message
from mdplatform.bus.config import Config
from mdplatform.bus.outage import Outage
from mdplatform.bus.reader import as_message
from mdplatform.core.errors import BusError

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0

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

    def take(self, seconds: float = 0.5, most: int = 1000) -> list[Message]:
        """Up to ``most`` messages, in order within a partition; whatever has come when the time is over."""
        taken = []
        try:
            batch = self._consumer.consume(most, seconds)
        except KafkaException as error:  # out of `_on_assign`
            raise BusError(f"joining the group: {error.args[0].str()}") from error
        for raw in batch:
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
        new = [p for p in consumer.committed(partitions, timeout=TIMEOUT_SECONDS) if p.offset < 0]
        for partition in new:
            at = TopicPartition(partition.topic, partition.partition)
            partition.offset = consumer.get_watermark_offsets(at, timeout=TIMEOUT_SECONDS)[1]
        if new:
            consumer.commit(offsets=new, asynchronous=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def topic_pattern(template: str) -> str:
    """What to subscribe to for a topic template: its name, or an expression that matches it for every exchange."""
    if "{exchange}" not in template:
        return template
    before, _, after = template.replace(".", "[.]").partition("{exchange}")
    return f"^{before}[^.]+{after.replace('{exchange}', '[^.]+')}$"
