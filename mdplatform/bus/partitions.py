"""Notices that a broker came back without some of its partitions: librdkafka waits for them silently, without end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from confluent_kafka import KafkaException, Producer

from mdplatform.core.errors import BrokenBus

LOOK_S = 10.0
ANSWER_S = 5.0


async def watch_partitions(
    producer: Producer, waited_for: Callable[[], Collection[str]], since_ns: Callable[[], int | None]
) -> None:
    """Look regularly while messages wait for topics; an unreachable broker is asked again later.

    Raises BrokenBus when one of these topics has fewer partitions than before: what was sent to the others is lost.
    """
    before, whole_ns = await _partitions(producer), time.time_ns()
    while True:
        await asyncio.sleep(LOOK_S)
        topics = waited_for()
        now = await _partitions(producer) if topics else {}
        if not now:
            continue
        gone = [topic for topic in sorted(topics) if now.get(topic, 0) < before.get(topic, 0)]
        if gone:
            named = ", ".join(f"{topic} has {now.get(topic, 0)} of {before[topic]}" for topic in gone[:3])
            raise BrokenBus(f"the broker has lost partitions of {len(gone)} topics: {named}", since_ns() or whole_ns)
        before, whole_ns = now, time.time_ns()


async def _partitions(producer: Producer) -> dict[str, int]:
    """How many there are of each topic; empty when the broker does not answer."""
    try:
        found = await asyncio.to_thread(producer.list_topics, timeout=ANSWER_S)
    except KafkaException:
        return {}
    return {name: len(topic.partitions) for name, topic in found.topics.items()}
