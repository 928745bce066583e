"""A database of its own for each test, on the real engine."""

import dataclasses
import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform_tests.warehouse.copied import Copies


@pytest.fixture
def empty(clickhouse_url: str) -> Iterator[Settings]:
    """Settings of a database that does not exist yet; it is dropped afterwards."""
    settings = Settings(clickhouse_url=clickhouse_url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}")
    yield settings
    drop(settings)


@pytest.fixture
def warehouse(empty: Settings, copies: Copies) -> Iterator[Client]:
    """A migrated database without streams."""
    copies.make(empty)
    with connect(empty) as client:
        yield client


@pytest.fixture
def streaming(clickhouse_url: str, kafka_settings: Settings) -> Iterator[Settings]:
    """Settings of a database and of topics, neither of which exists yet."""
    settings = dataclasses.replace(
        kafka_settings, clickhouse_url=clickhouse_url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}"
    )
    yield settings
    drop(settings)


def drop(settings: Settings) -> None:
    # Kafka tables first: a consumer must not go on reading for tables that are being dropped.
    with connect(settings, database="default") as client:
        both = [settings.clickhouse_database, settings.internal_database]
        kafka = client.query(
            "SELECT database, name FROM system.tables WHERE database IN {both:Array(String)} AND engine = 'Kafka'",
            parameters={"both": both},
        )
        for database, name in kafka.result_rows:
            client.command(f"DROP TABLE `{database}`.`{name}`")
        for database in both:
            client.command(f"DROP DATABASE IF EXISTS `{database}`")
