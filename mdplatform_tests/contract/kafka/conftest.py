"""What every claim about a broker needs: a topic of its own, and many messages in it."""

import time
from collections.abc import Callable

import pytest

from mdplatform.bus import Message
from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.subscription import Subscription
from mdplatform.core.settings import Settings

Fill = Callable[[int], None]


@pytest.fixture
def topic(kafka_settings: Settings) -> str:
    """An empty topic of 4 partitions."""
    Admin(kafka_settings).ensure([kafka_settings.topic_books])
    return kafka_settings.topic_books


@pytest.fixture
def fill(kafka_settings: Settings, topic: str) -> Fill:
    """Publish so many acknowledged messages under 20 keys; the value is the message's number."""

    def send(count: int) -> None:
        with KafkaBus(kafka_settings) as bus:
            for n in range(count):
                bus.publish(topic, b"S%d" % (n % 20), b"%d" % n, time.time_ns())
            assert bus.flush(60) == 0

    return send


def take(subscription: Subscription, count: int) -> list[Message]:
    """At least ``count`` messages, or what has come within 60 s."""
    taken: list[Message] = []
    deadline = time.monotonic() + 60
    while len(taken) < count and time.monotonic() < deadline:
        taken += subscription.take(0.2, most=count - len(taken))
    return taken
