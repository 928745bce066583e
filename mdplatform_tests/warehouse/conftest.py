"""A database of its own for each test, on the real engine."""

import dataclasses
import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate


@pytest.fixture
def empty(clickhouse_url: str) -> Iterator[Settings]:
    """Settings of a database that does not exist yet; it is dropped afterwards."""
    settings = Settings(clickhouse_url=clickhouse_url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}")
    yield settings
    drop(settings)


@pytest.fixture
def warehouse(empty: Settings) -> Iterator[Client]:
    """A migrated database without streams."""
    migrate(empty, streams=False)
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
        database = {"database": settings.clickhouse_database}
        kafka = client.query(
            "SELECT name FROM system.tables WHERE database = {database:String} AND engine = 'Kafka'",
            parameters=database,
        )
        for (name,) in kafka.result_rows:
            client.command("DROP TABLE {database:Identifier}.{name:Identifier}", parameters={**database, "name": name})
        client.command("DROP DATABASE IF EXISTS {database:Identifier}", parameters=database)
