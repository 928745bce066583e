"""Reading topics without joining a group: what is stored at given offsets, and what comes at their ends."""

import logging
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as RawMessage

from mdplatform.bus import Message
from mdplatform.bus.admin import Admin, Spot
from mdplatform.bus.config import follower_config, reader_config
from mdplatform.core.errors import BusError
from mdplatform.core.events import FeedStatus
from mdplatform.core.messages import REFUSALS, PassedOver, decode_status
from mdplatform.core.settings import Settings
from mdplatform.core.shards import FIRST

log = logging.getLogger(__name__)

TIMEOUT_S = 30.0
FIRST_WINDOW = (
    500  # messages a partition; a status interval is extended every few seconds, so this is seconds to minutes
)
DATED_WITHIN = 2000
WINDOW_GROWTH = 4
ANSWER_S = 2.0  # a follower waits so long for the broker's list of topics
_GONE = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
Feed = tuple[str, str]  # symbol, channel


class Reader:
    """Reads without joining a group. Close it, or use it as a context manager. Raises BusError throughout."""

    def __init__(self, settings: Settings) -> None:
        self._brokers = settings.kafka_brokers
        self._admin = Admin(settings)
        self._consumer = Consumer(reader_config(settings), logger=log)

    def tail(self, topic: str, n: int) -> list[Message]:
        """The newest ``n`` messages of a topic over all partitions, oldest first; [] when there is no such topic."""
        found: list[Message] = []
        for (_, partition), (low, high) in self._admin.watermarks([topic]).items():
            found += self.read_range(topic, partition, max(low, high - n), high)
        return sorted(found, key=lambda m: (m.timestamp_ms, m.partition, m.offset))[-n:]

    def read_range(self, topic: str, partition: int, start: int, end: int) -> Iterator[Message]:
        """The messages with ``start <= offset < end`` in order; what retention has removed is not there.

        Raises BusError when they do not arrive within TIMEOUT_S of each other.
        """
        low, high = self._admin.watermarks([topic]).get((topic, partition), (0, 0))
        start, end = max(start, low), min(end, high)
        if start >= end:
            return
        self._consumer.assign([TopicPartition(topic, partition, start)])
        try:
            yield from self._until(start, end)
        finally:
            self._consumer.unassign()

    def written_at(self, offsets: Mapping[Spot, int], within_s: float = ANSWER_S) -> dict[Spot, int]:
        """When the message at each offset was written, ms since 1970; where retention removed it, the oldest after it.

        What does not come within ``within_s`` is left out, as is an offset at the end of its partition.
        """
        found: dict[Spot, int] = {}
        deadline = time.monotonic() + within_s
        self._consumer.assign([TopicPartition(*spot, offset) for spot, offset in offsets.items()])
        try:
            while len(found) < len(offsets) and time.monotonic() < deadline:
                raw = self._consumer.poll(0.2)
                if raw is None or raw.error():
                    continue
                message = as_message(raw)
                spot = message.topic, message.partition
                if spot not in found:
                    found[spot] = message.timestamp_ms
                    self._consumer.pause([TopicPartition(*spot)])
        finally:
            self._consumer.unassign()
        return found

    def last_status(
        self,
        topic: str,
        exchange: str,
        wanted: Collection[Feed],
        collector: str = FIRST,
        pairs: Collection[str] = (),
    ) -> dict[Feed, FeedStatus]:
        """A collector's newest status of each wanted (symbol, channel); what the topic does not hold is left out.

        Reads backwards from the end in growing windows until every feed is found or the log starts. ``pairs``: the
        dated contracts on these are wanted too, as far as the newest ``DATED_WITHIN`` messages of a partition contain
        them: the status of a collected feed is published every few seconds.
        """
        dated = tuple(f"{pair}-" for pair in pairs)
        found: dict[Feed, FeedStatus] = {}
        marks = {partition: mark for (_, partition), mark in self._admin.watermarks([topic]).items()}
        window = FIRST_WINDOW if not dated else DATED_WITHIN
        is_first = bool(dated)
        while any(low < end for low, end in marks.values()) and (is_first or not found.keys() >= set(wanted)):
            is_first = False
            # All partitions, back by one window at a time: each feed is on one of them, and we do not know which.
            for partition, (low, end) in marks.items():
                start = max(low, end - window)
                newest = newest_status(self.read_range(topic, partition, start, end), exchange, collector)
                # What an earlier round has found is newer than anything in this one.
                found |= {
                    feed: status
                    for feed, status in newest.items()
                    if feed not in found and (feed in wanted or (dated and _is_of(feed[0], dated)))
                }
                marks[partition] = (low, start)
            window *= WINDOW_GROWTH
        return found

    def close(self) -> None:
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _until(self, start: int, end: int) -> Iterator[Message]:
        """Messages of the one assigned partition up to ``end``, or to its end where the last offsets hold none."""
        following = start
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            # `consume` waits its whole time for as many as it is asked for: never ask for more than there are.
            for raw in self._consumer.consume(min(1000, end - following), 0.5):
                error = raw.error()
                if error and error.code() == KafkaError._PARTITION_EOF:
                    return
                if error:
                    raise BusError(f"Kafka at {self._brokers}: {error.str()}")
                message = as_message(raw)
                if message.offset < end:
                    yield message
                following = message.offset + 1
                if following >= end:
                    return
                deadline = time.monotonic() + TIMEOUT_S
        raise BusError(f"Kafka at {self._brokers} sent nothing for {TIMEOUT_S:g} s, before offset {end}")


class Follower:
    """Follows the ends of topics, each partition from ``tail`` messages before its end on.

    ``datasets``: what its topics' names match, by the name under which their messages are handed over. It assigns
    partitions itself: nothing is committed, and a process that dies leaves no member behind for which a broker would
    hold partitions back.
    """

    def __init__(self, settings: Settings, datasets: Mapping[str, re.Pattern[str]], tail: int, client: str) -> None:
        self._datasets, self._tail = datasets, tail
        self._assigned: dict[Spot, str] = {}  # with the dataset of its topic
        self._consumer = Consumer(follower_config(settings, client), logger=log)

    @property
    def partitions(self) -> int:
        return len(self._assigned)

    def look(self) -> None:
        """Ask the broker for its topics: reads from now on what is new, forgets what is gone. Raises BusError."""
        try:
            listed = self._consumer.list_topics(timeout=ANSWER_S).topics
            found: dict[Spot, str] = {}
            for name, topic in listed.items():
                dataset = next((dataset for dataset, names in self._datasets.items() if names.fullmatch(name)), None)
                if dataset is not None:
                    found |= {(name, partition): dataset for partition in topic.partitions}
            self._forget([spot for spot in self._assigned if spot not in found])
            new = [self._near_end(*spot) for spot in found if spot not in self._assigned]
            if new:
                self._consumer.incremental_assign(new)
        except KafkaException as error:
            raise BusError(error.args[0].str()) from error
        self._assigned = found

    def take(self, seconds: float, most: int, idle_seconds: float | None = None) -> list[tuple[str, Message]]:
        """Messages with their dataset, in order within a partition; see ``batch`` for how many and when."""
        taken = []
        for raw in batch(self._consumer, seconds, most, idle_seconds):
            spot = raw.topic() or "", raw.partition() or 0
            error, dataset = raw.error(), self._assigned.get(spot)
            if error is None:
                if dataset is not None:
                    taken.append((dataset, as_message(raw)))
            elif error.code() in _GONE and dataset is not None:
                self._forget([spot])  # found again by the next look, should the topic come back
            else:
                log.warning("reading %s: %s", spot, error)
        return taken

    def close(self) -> None:
        self._consumer.close()

    def _near_end(self, topic: str, partition: int) -> TopicPartition:
        low, high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_S)
        return TopicPartition(topic, partition, max(low, high - self._tail))

    def _forget(self, spots: list[Spot]) -> None:
        if spots:
            self._consumer.incremental_unassign([TopicPartition(*spot) for spot in spots])
        for spot in spots:
            del self._assigned[spot]


def batch(consumer: Consumer, seconds: float, most: int, idle_seconds: float | None) -> list[RawMessage]:
    """Up to ``most`` messages: what has come when ``seconds`` are over; with ``idle_seconds``, seconds after the first.

    librdkafka waits out its time for a batch that is not full. A reader of short batches would wake as often where
    nothing comes: it gives ``idle_seconds``, for which the first message is awaited.
    """
    if idle_seconds is None:
        return consumer.consume(most, seconds)
    first = consumer.consume(1, idle_seconds)
    return first + consumer.consume(most - 1, seconds) if first else first


def newest_status(messages: Iterable[Message], exchange: str, collector: str = FIRST) -> dict[Feed, FeedStatus]:
    """By (symbol, channel), the interval that reaches furthest of one exchange's collector.

    What cannot be read is passed over.
    """
    passed_over = PassedOver()
    newest: dict[Feed, FeedStatus] = {}
    for message in messages:
        try:
            status = decode_status(message.value)
        except REFUSALS as error:
            passed_over.note(message.topic, error, f"{message.topic}/{message.partition}@{message.offset}")
            continue
        feed = (status.symbol, status.channel)
        if (status.exchange, status.collector) != (exchange, collector):
            continue
        kept = newest.get(feed)
        if (
            kept is not None
            and kept.state == "valid"
            and status.state == "gap"
            and status.started_ns <= kept.started_ns
        ):
            continue  # a gap whose trades were filled since: it was over when the valid interval began
        if kept is None or _reach(status) >= _reach(kept):
            newest[feed] = status
    return newest


def as_message(raw: RawMessage) -> Message:
    """The library's message as ours; a missing key or value is empty."""
    return Message(
        topic=raw.topic() or "",
        partition=raw.partition() or 0,
        offset=raw.offset() or 0,
        timestamp_ms=raw.timestamp()[1],
        key=raw.key() or b"",
        value=raw.value() or b"",
    )


def _is_of(symbol: str, dated: tuple[str, ...]) -> bool:
    """Whether it is a dated contract whose symbol begins so: BTC-USD-20261225."""
    return symbol.startswith(dated) and symbol.rpartition("-")[2].isdecimal()


def _reach(status: FeedStatus) -> tuple[int, int]:
    """Until when the interval is known to have held; of two that end together the later one is the newer."""
    return max(status.started_ns, status.ended_ns or 0), status.started_ns
