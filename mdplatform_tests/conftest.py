"""Fixtures for the whole suite: real parts on loopback, started once, ended by their handles."""

import dataclasses
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from mdplatform.embedded.broker import start_broker
from mdplatform.embedded.clickhouse import start
from mdplatform.settings import Settings


@pytest.fixture(scope="session")
def clickhouse_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ClickHouse node of this test run, by its URL with credentials."""
    data_dir: Path = tmp_path_factory.mktemp("clickhouse")
    with start(data_dir, password="test password") as node:
        yield node.url


@pytest.fixture(scope="session")
def kafka_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The brokers of KAFKA_BROKERS where it is set, else an embedded one of this test run."""
    if given := os.environ.get("KAFKA_BROKERS"):
        yield given
        return
    with start_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.brokers


@pytest.fixture
def kafka_settings(kafka_brokers: str) -> Iterator[Settings]:
    """Settings on ``kafka_brokers`` whose topics nobody else has; they are deleted afterwards."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    templates = {f.name: prefix + str(f.default) for f in dataclasses.fields(Settings) if f.name.startswith("topic_")}
    yield Settings(kafka_brokers=kafka_brokers, kafka_partitions=4, **templates)
    client = AdminClient({"bootstrap.servers": kafka_brokers})
    made = [topic for topic in client.list_topics(timeout=10).topics if topic.startswith(prefix)]
    for future in client.delete_topics(made).values() if made else ():
        future.result(10)
