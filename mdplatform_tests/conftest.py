"""Fixtures for the whole suite: real parts on loopback, started once, ended by their handles."""

import dataclasses
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from hypothesis import HealthCheck, settings

from mdplatform.core.settings import Settings
from mdplatform.embedded.broker import start_broker
from mdplatform.embedded.clickhouse import ClickHouseNode, start
from mdplatform.warehouse.client import connect
from mdplatform_tests.archive.s3 import s3_server
from mdplatform_tests.warehouse.copied import Copies, drop, unused

__all__ = ["s3_server"]

# A shell that runs the tests in the background has them ignore Ctrl-C; Dagster then has SIGTERM ignored as well, and
# every process that a test starts inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Recorded hours are of 2024. A stack that ran in this checkout has noted a later first hour.
os.environ["MDPLATFORM_FIRST_HOUR"] = "2024-08-01"

# A busy machine makes examples slow, which says nothing about the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def clickhouse_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseNode]:
    """The embedded ClickHouse node of this test run, with both users."""
    with start(tmp_path_factory.mktemp("clickhouse"), password="all: rights", reader_password="read@only") as node:
        yield node


@pytest.fixture(scope="session")
def clickhouse_url(clickhouse_node: ClickHouseNode) -> str:
    """Its URL, with the credentials of the user who may do everything."""
    return clickhouse_node.url


@pytest.fixture(scope="session")
def clickhouse_reader_url(clickhouse_node: ClickHouseNode) -> str:
    """The same with those of the user who may only read."""
    return clickhouse_node.reader_url


@pytest.fixture(scope="session")
def copies(clickhouse_url: str) -> Iterator[Copies]:
    """What makes migrated databases on that node."""
    with connect(Settings(clickhouse_url=clickhouse_url), database="default") as client:
        yield Copies(client)


@pytest.fixture
def database(request: pytest.FixtureRequest, clickhouse_url: str) -> Iterator[Settings]:
    """Settings of the database of a test: a migrated and empty one where it asks for that, else one not there yet."""
    settings = Settings(clickhouse_url=clickhouse_url, clickhouse_database=unused())
    if {"warehouse", "attach"}.isdisjoint(request.fixturenames):
        yield settings
        drop(settings)
        return
    copies = request.getfixturevalue("copies")
    settings = copies.lend(settings)
    yield settings
    copies.take_back(settings)


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


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded frames beside the repository; tests that need it are skipped where it is not."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded frames at {folder}")
    return folder
