"""From an event to its message on the bus."""

from __future__ import annotations

from msgspec.structs import replace

from mdplatform.bus import Bus
from mdplatform.core.clock import Clock
from mdplatform.core.codec import encode
from mdplatform.core.events import Event, FeedStats, FeedStatus
from mdplatform.core.shards import FIRST
from mdplatform.core.topics import Topics

_OURS = (FeedStatus, FeedStats)  # what no frame brings: it is as old as it is published


class EventPublisher:
    """Encodes events and hands them to the bus. For one exchange: a topic is looked up once a kind of event.

    ``collector``: the letter that its statuses bear.
    """

    def __init__(self, bus: Bus, topics: Topics, clock: Clock, collector: str = FIRST) -> None:
        self.bus, self.clock = bus, clock
        self._collector = collector
        self._topics = topics
        self._names: dict[type, str] = {}

    def publish(self, event: Event) -> None:
        """Raises BusError when the bus is broken for good."""
        name = self._names.get(type(event))
        if name is None:
            name = self._names[type(event)] = self._topics.of(event)
        if isinstance(event, _OURS):
            return self._publish_ours(name, event)
        key, value = encode(event)
        self.bus.publish(name, key, value, event.received_ns)

    def _publish_ours(self, name: str, event: FeedStatus | FeedStats) -> None:
        if isinstance(event, FeedStatus) and self._collector != FIRST:
            event = replace(event, collector=self._collector)
        key, value = encode(event)
        self.bus.publish(name, key, value, self.clock.now_ns())
