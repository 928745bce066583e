"""From an event to its message on the bus."""

from __future__ import annotations

from msgspec.structs import replace

from mdplatform.bus import Bus
from mdplatform.core.clock import Clock
from mdplatform.core.codec import Encoder, encode, encoder_of
from mdplatform.core.events import Event, FeedStats, FeedStatus
from mdplatform.core.shards import FIRST
from mdplatform.core.topics import Topics

_OURS = (FeedStatus, FeedStats)  # what no frame brings: it is as old as it is published


class EventPublisher:
    """Encodes events and hands them to the bus. For one exchange: topic and encoder are looked up once a kind of event.

    ``collector``: the letter that its statuses bear.
    """

    def __init__(self, bus: Bus, topics: Topics, clock: Clock, collector: str = FIRST) -> None:
        self.bus, self.clock = bus, clock
        self._collector = collector
        self._topics = topics
        self._routes: dict[type, tuple[str, Encoder]] = {}  # of the events that frames bring

    def publish(self, event: Event) -> None:
        """Raises BusError when the bus is broken for good."""
        route = self._routes.get(type(event))
        if route is None:
            if isinstance(event, _OURS):
                return self._publish_ours(event)
            route = self._routes[type(event)] = self._topics.of(event), encoder_of(type(event))
        name, encoded = route
        key, value = encoded(event)
        self.bus.publish(name, key, value, event.received_ns)  # type: ignore[union-attr]

    def _publish_ours(self, event: FeedStatus | FeedStats) -> None:
        if isinstance(event, FeedStatus) and self._collector != FIRST:
            event = replace(event, collector=self._collector)
        key, value = encode(event)
        self.bus.publish(self._topics.of(event), key, value, self.clock.now_ns())
