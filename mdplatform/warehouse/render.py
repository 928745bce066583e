"""Fills the placeholders of migrations and streams: cluster and engine, databases, brokers, topics and group."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mdplatform.core.errors import ConfigError
from mdplatform.core.event_kinds import STORED
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.venues import venue_ids

DATASETS = tuple(kind.name for kind in STORED)

# For how long a stream collects messages into a block and pauses when none came, and for how long it waits for the next
# message, in ms. Shorter ones show rows sooner and cost the server a part of a table each.
FLUSH_MS, POLL_MS = 500, 100
URGENT_FLUSH_MS, URGENT_POLL_MS = 100, 50

# The server's pool of 32 threads (deploy/clickhouse/mdplatform.xml) must hold one for each consumer of every stream.
MOST_CONSUMERS = 4

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_CLUSTER = re.compile(r"[\w.-]+")
_DATABASE = re.compile(r"[\w.-]+")
_BROKERS = re.compile(r"[\w.:\[\], -]+")


def placeholders(settings: Settings) -> dict[str, str]:
    """What each placeholder stands for; raises ConfigError when a setting could not stand in SQL."""
    cluster = settings.clickhouse_cluster
    if cluster and not _CLUSTER.fullmatch(cluster):
        raise ConfigError(f"MDPLATFORM_CLUSTER is not a cluster name: {cluster!r}")
    brokers = settings.brokers_for_clickhouse()
    if not _BROKERS.fullmatch(brokers):
        raise ConfigError(f"KAFKA_BROKERS is not a list of host:port: {brokers!r}")
    if not 1 <= settings.kafka_consumers <= MOST_CONSUMERS:
        raise ConfigError(f"MDPLATFORM_KAFKA_CONSUMERS must be 1 to {MOST_CONSUMERS}, not {settings.kafka_consumers}")
    # It stands in the name of the consumer group.
    if not _DATABASE.fullmatch(settings.clickhouse_database):
        raise ConfigError(f"MDPLATFORM_DATABASE is not a database name: {settings.clickhouse_database!r}")
    return {
        "cluster": f"ON CLUSTER '{cluster}'" if cluster else "",
        "engine": "Replicated" if cluster else "",
        "readers": f"`{settings.clickhouse_database}`",
        "internal": f"`{settings.internal_database}`",
        "brokers": brokers,
        # Two databases that read one broker must each get every message.
        "group": f"mdplatform.{settings.clickhouse_database}",
        **{f"topics_{dataset}": ",".join(topics_read(settings, dataset)) for dataset in DATASETS},
        **{f"consumers_{kind.name}": str(settings.kafka_consumers if kind.is_busy else 1) for kind in STORED},
        **{f"flush_ms_{kind.name}": str(URGENT_FLUSH_MS if kind.is_urgent else FLUSH_MS) for kind in STORED},
        **{f"poll_ms_{kind.name}": str(URGENT_POLL_MS if kind.is_urgent else POLL_MS) for kind in STORED},
    }


def topics_read(settings: Settings, dataset: str) -> list[str]:
    """The topics from which the tables of ``dataset`` are filled."""
    return Topics.from_settings(settings).expand(dataset, venue_ids())


def all_topics_read(settings: Settings) -> list[str]:
    """Every topic from which the warehouse reads: they should exist before its streams do."""
    return list(dict.fromkeys(topic for dataset in DATASETS for topic in topics_read(settings, dataset)))


def render(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its placeholders filled; raises ConfigError at one that has no value."""

    def fill(match: re.Match[str]) -> str:
        try:
            return values[match[1]]
        except KeyError:
            raise ConfigError(f"unknown placeholder {match[0]} in SQL; known: {', '.join(values)}") from None

    return _PLACEHOLDER.sub(fill, text)
