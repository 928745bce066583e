"""A subscription that, after a restart, first reads earlier messages again: they restore the detectors' state."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, TopicPartition

from mdplatform.bus import Message
from mdplatform.bus.config import Config
from mdplatform.bus.subscription import TIMEOUT_SECONDS, Subscription

log = logging.getLogger(__name__)

Spot = tuple[str, int]  # topic, partition


class ResumedSubscription(Subscription):
    """Starts up to ``again`` messages, over all partitions, before the group's committed offsets.

    ``is_new`` distinguishes the two. Only new messages are committed, so that a crash meanwhile loses nothing.
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
        committed = consumer.committed(partitions, timeout=TIMEOUT_SECONDS) if partitions else []
        share = self._again // max(1, len(committed))
        for partition in committed:
            spot = (partition.topic, partition.partition)
            if spot in self._boundaries or partition.offset < 0:
                continue  # a rebalance: what is before was read by us
            at = TopicPartition(*spot)
            low = consumer.get_watermark_offsets(at, timeout=TIMEOUT_SECONDS)[0]
            self._boundaries[spot] = partition.offset
            partition.offset = max(low, partition.offset - share)
        consumer.assign(committed)
