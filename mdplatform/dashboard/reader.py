"""One thread that reads the end of the topics into the board.

It assigns partitions itself and joins no group: nothing is committed, and a page that dies leaves no member behind
for which a broker would hold partitions back. Topics are looked for again and again, so those that appear later (a
new venue, a broker that was empty) are read too.
"""

from __future__ import annotations

import logging
import re
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from mdplatform.bus.config import Config, client_config
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.dashboard.board import Board
from mdplatform.dashboard.health import Health, now_ms
from mdplatform.dashboard.messages import DECODERS

log = logging.getLogger(__name__)

BATCH = 500
# A batch is handed over when it is full or so old: part of the time from a message to the screen.
WAIT_SECONDS = 0.05
LOOK_EVERY_SECONDS = 2.0
ANSWER_WITHIN_SECONDS = 2.0
# So that a page opened beside a feed that has fallen silent still shows its last book and state.
TAIL_MESSAGES = 200

_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)

Partition = tuple[str, int]


class Reader:
    """Reads until stopped; ``health`` says whether there is a broker to read from."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self.board = board
        self.health = Health(settings.kafka_brokers, now_ms())
        self._datasets = topic_patterns(Topics.from_settings(settings))
        self._assigned: dict[Partition, str] = {}  # with the dataset of its topic
        self._consumer = Consumer(_configuration(settings), logger=log)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dashboard-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; returns when it has closed its connections."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            look_at = 0.0
            while not self._stopping.is_set():
                if time.monotonic() >= look_at:
                    self._look()
                    look_at = time.monotonic() + LOOK_EVERY_SECONDS
                self._take(self._consumer.consume(BATCH, WAIT_SECONDS))
        finally:
            self.health.reach.turn("stopped", now_ms(), "the page no longer reads")
            self._consumer.close()

    def _look(self) -> None:
        """Ask the broker for its topics: shows whether it answers, and what there is to read."""
        try:
            topics = self._consumer.list_topics(timeout=ANSWER_WITHIN_SECONDS).topics
            self._follow({name: list(topic.partitions) for name, topic in topics.items()})
        except KafkaException as error:
            cause = error.args[0].str()
            if self.health.reach.turn("unreachable", now_ms(), cause):
                log.warning("broker %s is unreachable: %s", self.health.brokers, cause)
            return
        if self.health.reach.turn("reachable", now_ms()):
            log.info("broker %s is reachable; reading %d partitions", self.health.brokers, len(self._assigned))

    def _follow(self, topics: dict[str, list[int]]) -> None:
        """Read what is new, forget what is gone. Raises KafkaException."""
        found: dict[Partition, str] = {}
        for name, partitions in topics.items():
            dataset = next((dataset for dataset, pattern in self._datasets if pattern.fullmatch(name)), None)
            if dataset is not None:
                found.update({(name, partition): dataset for partition in partitions})
        self._forget([partition for partition in self._assigned if partition not in found])
        new = [self._near_end(*partition) for partition in found if partition not in self._assigned]
        if new:
            self._consumer.incremental_assign(new)
        self._assigned = found
        self.health.partitions = len(found)

    def _near_end(self, topic: str, partition: int) -> TopicPartition:
        low, high = self._consumer.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=ANSWER_WITHIN_SECONDS
        )
        return TopicPartition(topic, partition, max(low, high - TAIL_MESSAGES))

    def _forget(self, partitions: list[Partition]) -> None:
        if partitions:
            self._consumer.incremental_unassign([TopicPartition(*partition) for partition in partitions])
        for partition in partitions:
            del self._assigned[partition]

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            partition = (message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is None:
                dataset = self._assigned.get(partition)
                if dataset is not None:
                    self.board.take(dataset, message.value(), message.timestamp()[1])
                    self.health.last_message_ms = now_ms()
            elif error.code() in _GONE and partition in self._assigned:
                self._forget([partition])  # found again by the next look, should the topic come back
            else:
                log.warning("reading %s: %s", partition, error)


def topic_patterns(topics: Topics) -> list[tuple[str, re.Pattern[str]]]:
    """(dataset, pattern of its topics' names) of what the page reads; ``{exchange}`` matches any venue id."""
    patterns = []
    for dataset in DECODERS:
        parts = topics[dataset].split("{exchange}")
        patterns.append((dataset, re.compile("[a-z0-9-]+".join(map(re.escape, parts)))))
    return patterns


def _configuration(settings: Settings) -> Config:
    return {
        **client_config(settings),
        "client.id": "mdplatform-dashboard",
        "group.id": "mdplatform-dashboard",  # the client wants a name; it is never joined
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # A broker that lost its last seconds is behind our position: go on with what it writes next.
        "auto.offset.reset": "latest",
        "fetch.wait.max.ms": 100,
        "queued.max.messages.kbytes": 16_384,
    }
