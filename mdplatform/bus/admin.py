"""Topics, watermarks and consumer group lag: everything that is asked of a broker apart from messages."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

import msgspec
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType  # type: ignore[attr-defined]

from mdplatform.bus.config import client_config
from mdplatform.core.codec import LARGEST_MESSAGE_BYTES
from mdplatform.core.errors import BusError
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics

log = logging.getLogger(__name__)

TIMEOUT_S = 10.0
DAY_MS = 86_400_000
SMALLEST_SEGMENT_BYTES, LARGEST_SEGMENT_BYTES = 1024**2, 1024**3  # the least that Kafka 4 accepts; its default
# Brokers delete whole segments, and by default begin a new one after a week: a topic of few messages would keep them as
# long. A partition's retention is so many segments.
ROLLED, SEGMENTS = "segment.ms", 4
EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
# By default brokers refuse messages that lie more than an hour ahead of their clock, which a host whose clock is wrong
# would lose. 292 years: Kafka takes larger numbers, Redpanda keeps such times in 64 bits of nanoseconds.
AHEAD = "message.timestamp.after.max.ms"
FURTHEST_AHEAD_MS = 2**63 // 10**6
UNREACHABLE = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE)
REFUSED = (KafkaError._SSL, KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED)
Spot = tuple[str, int]  # topic, partition


class Difference(msgspec.Struct, frozen=True):
    """An existing topic that is not as the settings would have created it."""

    topic: str
    name: str  # "partitions" or the broker's configuration name
    wanted: str
    found: str


class Lag(msgspec.Struct, frozen=True):
    """The lag of a consumer group on one partition."""

    group: str
    topic: str
    partition: int
    committed: int | None  # next offset to read; None: assigned, and nothing committed yet
    end: int
    lag: int  # messages; from the start of the log where nothing is committed


def platform_topics(settings: Settings, exchanges: Iterable[str]) -> list[str]:
    """Every topic that collectors of these exchanges and the consumers write to; raw ones only when they are kept."""
    topics, venues = Topics.from_settings(settings), list(exchanges)
    kinds = [name for name in topics if name != "raw" or settings.keep_raw]
    return list(dict.fromkeys(topic for name in kinds for topic in topics.expand(name, venues)))


class Admin:
    """Questions to one broker cluster. Every method raises BusError when it cannot be reached or refuses."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._refusal: KafkaError | None = None  # why a broker that is there refuses the connection
        self._client = self._connected()

    def topics(self) -> dict[str, int]:
        """Partitions by topic, without the broker's internal ones."""
        listed = self._ask(lambda: self._client.list_topics(timeout=TIMEOUT_S)).topics
        return {name: len(topic.partitions) for name, topic in sorted(listed.items()) if not name.startswith("__")}

    def ensure(self, topics: Iterable[str]) -> list[Difference]:
        """Create those that do not exist; return how the others differ from the settings, without changing them."""
        wanted = list(dict.fromkeys(topics))
        before = self.topics()
        missing = [topic for topic in wanted if topic not in before]
        new = [NewTopic(topic, self._settings.kafka_partitions, config=self._config(topic)) for topic in missing]
        for future in self._client.create_topics(new).values() if new else ():
            # Another process may have created it since we looked, which is fine.
            self._unless(KafkaError.TOPIC_ALREADY_EXISTS, future)
        return self._differences([topic for topic in wanted if topic in before], before)

    def watermarks(self, topics: Iterable[str]) -> dict[Spot, tuple[int, int]]:
        """(first offset kept, next offset to be written) of every partition of those of ``topics`` that exist."""
        spots = self._spots(topics)
        low, high = self._offsets(spots, EARLIEST), self._offsets(spots, LATEST)
        return {spot: (low[spot], high[spot]) for spot in spots}

    def offsets_at(self, topics: Iterable[str], time_ms: int) -> dict[Spot, int]:
        """The first offset whose timestamp is ``time_ms`` or later; the end of the log where none is."""
        spots = self._spots(topics)
        end = self._offsets(spots, LATEST)
        found = self._offsets(spots, OffsetSpec.for_timestamp(time_ms))
        return {spot: end[spot] if found[spot] < 0 else found[spot] for spot in spots}

    def groups(self) -> list[str]:
        """Names of all consumer groups that the broker knows."""
        listed = self._result(self._client.list_consumer_groups(request_timeout=TIMEOUT_S))
        for error in listed.errors:  # brokers that did not answer: their groups are missing
            raise self._error(KafkaException(error))
        return sorted(group.group_id for group in listed.valid)

    def committed(self, group: str) -> dict[Spot, int]:
        """What the group has committed: the next offset that it will read."""
        asked = [ConsumerGroupTopicPartitions(group)]
        answer = self._result(self._client.list_consumer_group_offsets(asked)[group])
        return {(p.topic, p.partition): p.offset for p in answer.topic_partitions if p.offset >= 0}

    def assigned(self, group: str) -> set[Spot]:
        """The partitions that living members of the group hold."""
        described = self._result(self._client.describe_consumer_groups([group])[group])
        held = (p for member in described.members for p in (member.assignment.topic_partitions or ()))
        return {(p.topic, p.partition) for p in held}

    def forget(self, group: str) -> None:
        """Delete a group that has no living members, if there is such a group; its committed offsets go with it."""
        future = self._client.delete_consumer_groups([group], request_timeout=TIMEOUT_S)[group]
        self._unless(KafkaError.GROUP_ID_NOT_FOUND, future)

    def lag(self, group: str) -> list[Lag]:
        """One row for every partition that the group holds or has committed on; [] for an unknown group."""
        committed = self.committed(group)
        spots = sorted(committed.keys() | self.assigned(group))
        marks = self.watermarks({topic for topic, _ in spots})
        return [_lag(group, spot, committed.get(spot), *marks[spot]) for spot in spots if spot in marks]

    def _config(self, topic: str) -> dict[str, str]:
        raw_days = self._settings.retention_raw if self._is_of("raw", topic) else 0
        kept_ms = raw_days * DAY_MS or self._settings.kafka_retention_ms
        config = {
            "retention.ms": str(kept_ms),
            "retention.bytes": str(self._settings.kafka_retention_bytes),
            "segment.bytes": str(_segment_bytes(self._settings.kafka_retention_bytes)),
            "max.message.bytes": str(LARGEST_MESSAGE_BYTES),
            AHEAD: str(FURTHEST_AHEAD_MS),
        }
        # Statuses stay as long as they fit: a collector that starts reads there until when its feeds were proven,
        # however long ago that is.
        return config if self._is_of("status", topic) else {**config, ROLLED: str(kept_ms // SEGMENTS)}

    def _is_of(self, kind: str, topic: str) -> bool:
        template = re.escape(Topics.from_settings(self._settings)[kind])
        return re.fullmatch(template.replace(re.escape("{exchange}"), "[a-z0-9-]+"), topic) is not None

    def _differences(self, topics: list[str], partitions: Mapping[str, int]) -> list[Difference]:
        resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        found = self._client.describe_configs(resources) if resources else {}
        configs = {resource.name: self._result(future) for resource, future in found.items()}
        rows = []
        for topic in topics:
            is_now = {name: entry.value for name, entry in configs[topic].items()}
            is_now["partitions"] = str(partitions[topic])
            wanted = {"partitions": str(self._settings.kafka_partitions), **self._config(topic)}
            if int(is_now.get(AHEAD) or FURTHEST_AHEAD_MS) >= FURTHEST_AHEAD_MS:  # or a broker without such a limit
                del wanted[AHEAD]
            wanted.pop(ROLLED, None)  # it says how soon what is over its time is deleted, not what is kept
            rows += [Difference(topic, k, v, str(is_now.get(k))) for k, v in wanted.items() if is_now.get(k) != v]
        return rows

    def _spots(self, topics: Iterable[str]) -> list[Spot]:
        partitions = self.topics()
        wanted = sorted(set(topics) & partitions.keys())
        return [(topic, partition) for topic in wanted for partition in range(partitions[topic])]

    def _offsets(self, spots: list[Spot], spec: OffsetSpec) -> dict[Spot, int]:
        if not spots:
            return {}
        asked = {TopicPartition(*spot): spec for spot in spots}
        futures = self._client.list_offsets(asked, request_timeout=TIMEOUT_S)
        return {(at.topic, at.partition): self._result(future).offset for at, future in futures.items()}

    def _unless(self, harmless: int, future: "Future[Any]") -> None:
        try:
            future.result(TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() != harmless:
                raise self._error(error) from error

    def _result(self, future: "Future[Any]") -> Any:
        return self._ask(lambda: future.result(TIMEOUT_S))

    def _ask(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except KafkaException as error:
            raise self._error(error) from error
        except TimeoutError as error:
            raise self._unreachable() from error

    def _error(self, error: KafkaException) -> BusError:
        if error.args[0].code() in UNREACHABLE:
            return self._unreachable()
        return BusError(f"Kafka at {self._settings.kafka_brokers}: {error.args[0].str()}")

    def _connected(self) -> AdminClient:
        config: dict[str, Any] = {**client_config(self._settings), "error_cb": self._note_refusal}
        return AdminClient(config, logger=log)

    def _note_refusal(self, error: KafkaError) -> None:
        if error.code() in REFUSED:
            self._refusal = error

    def _unreachable(self) -> BusError:
        self._client.poll(0)  # runs the error callback
        # The client keeps asking for a group on its coordinator's old connection: the next call gets a new client.
        self._client = self._connected()
        if self._refusal is not None:
            return BusError(f"Kafka at {self._settings.kafka_brokers} refuses the connection: {self._refusal.str()}")
        return BusError(
            f"Kafka at {self._settings.kafka_brokers} does not answer: is it running? (`mdplatform up`, KAFKA_BROKERS)"
        )


def _segment_bytes(retention_bytes: int) -> int:
    """Brokers delete whole segments, by default of 1 GiB: a smaller retention would never take effect."""
    return max(SMALLEST_SEGMENT_BYTES, min(retention_bytes // SEGMENTS, LARGEST_SEGMENT_BYTES))


def _lag(group: str, spot: Spot, committed: int | None, low: int, end: int) -> Lag:
    behind = end - (low if committed is None else committed)
    return Lag(group, *spot, committed, end, max(0, behind))
