"""How we connect to Kafka, in one place: every client is configured from here."""

import os

from mdplatform.bus.security import security_options
from mdplatform.core.codec import LARGEST_MESSAGE_BYTES
from mdplatform.core.settings import Settings

# A broker may send a whole backlog in one response whatever the fetch limits say; above this size librdkafka gives
# up on the connection for good. Just under its own maximum of 2 GiB.
LARGEST_RESPONSE_BYTES = 2_000_000_000
UNUSED_GROUP = "mdplatform-reader"

Config = dict[str, str | int | float | bool]


def client_config(settings: Settings) -> Config:
    """What producers, consumers and admin clients share. Raises ConfigError for a certificate that cannot be used."""
    return {
        "bootstrap.servers": settings.kafka_brokers,
        "client.id": "mdplatform",
        # A broker that comes back is found within a second, not librdkafka's ten.
        "reconnect.backoff.max.ms": 1000,
        "receive.message.max.bytes": LARGEST_RESPONSE_BYTES,
        # Its errors reach us through callbacks and results; its own log would repeat each of them every second.
        "log_level": 2,
        **security_options(settings),
    }


def producer_config(settings: Settings) -> Config:
    """Idempotent and compressed, in small batches. A message waits for its broker as long as it takes."""
    return {
        **client_config(settings),
        "enable.idempotence": True,  # implies acks=all and an order that retries do not break
        # On books zstd packs 5-8 to 1 where lz4 does 3-4.5, for 2 us more a message on librdkafka's thread.
        "compression.type": "zstd",
        "linger.ms": 5,
        "message.max.bytes": LARGEST_MESSAGE_BYTES,
        # No expiry: the bounded queue stops the sockets long before a message is given up.
        "message.timeout.ms": 0,
        # Above our own bound (which is soft by the events of one frame), so that `publish` does not meet a full buffer.
        "queue.buffering.max.messages": 2 * settings.queue_messages + 10_000,
        "queue.buffering.max.kbytes": 1024 * 1024,
        # The hash of the Java clients: other people's tools find a key on the partition where they expect it.
        "partitioner": "murmur2_random",
    }


def reader_config(settings: Settings) -> Config:
    """For reading at given offsets without joining a group."""
    return {
        **client_config(settings),
        "group.id": UNUSED_GROUP,  # librdkafka requires one; nothing is ever committed to it
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
    }


def follower_config(settings: Settings, client: str) -> Config:
    """For following the ends of topics without joining a group; ``client`` is the name that the broker shows."""
    return {
        **client_config(settings),
        "client.id": client,
        "group.id": client,  # librdkafka requires one; it is never joined
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # A broker that lost its last seconds is behind our position: go on with what it writes next.
        "auto.offset.reset": "latest",
        # Messages are sent as they come; this is how often an idle follower asks in vain.
        "fetch.wait.max.ms": 1000,
        "queued.max.messages.kbytes": 16_384,
    }


def consumer_config(settings: Settings, group: str, instance: str | None = None, start: str = "latest") -> Config:
    """For a member of ``group`` that commits what it has finished with; ``start`` where nothing is committed yet.

    ``instance`` names the member across restarts (static membership), so that one that died is replaced at once; two
    living members must not share it. Default: the group and the host's name, hence one member of a group on a host.
    """
    return {
        **passing_config(settings, group, start),
        "group.instance.id": instance or f"{group}-{os.uname().nodename}",
    }


def passing_config(settings: Settings, group: str, start: str = "latest") -> Config:
    """For a member that comes and goes: it leaves the group on closing, which a static one does not."""
    return {
        **client_config(settings),
        "group.id": group,
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 2_000,
        "enable.auto.commit": False,
        "auto.offset.reset": start,
        # A topic that appears later is found within seconds, not librdkafka's five minutes.
        "topic.metadata.refresh.interval.ms": 5_000,
    }
