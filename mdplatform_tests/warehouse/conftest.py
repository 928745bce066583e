"""A database of its own for each test, on the real engine."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.files import SQL, sql_text, statements
from mdplatform.warehouse.render import placeholders, render
from mdplatform_tests.warehouse.topics import create_topics

Attach = Callable[..., Client]


@pytest.fixture
def empty(database: Settings) -> Settings:
    """Settings of a database that does not exist yet; it is dropped afterwards."""
    return database


@pytest.fixture
def warehouse(database: Settings) -> Iterator[Client]:
    """A migrated database without streams."""
    with connect(database) as client:
        yield client


@pytest.fixture
def streaming(database: Settings, kafka_settings: Settings) -> Settings:
    """Settings of a database and of topics, neither of which exists yet."""
    return dataclasses.replace(
        kafka_settings, clickhouse_url=database.clickhouse_url, clickhouse_database=database.clickhouse_database
    )


@pytest.fixture
def attach(streaming: Settings) -> Iterator[Attach]:
    """Has the named streams read the topics of ``streaming`` into a migrated database; gives a client of it.

    One stream takes a tenth of what all fourteen do, which a test attaches by ``migrate``.
    """
    create_topics(streaming)
    with connect(streaming) as client:
        run: list[str] = []

        def attached(*streams: str) -> Client:
            values = placeholders(streaming)
            run.extend(sql for name in streams for sql in statements(render(sql_text(stream(name)), values)))
            for sql in run:
                client.command(sql)
            return client

        yield attached
        for sql in run:
            if "DROP TABLE IF EXISTS" in sql:  # each begins by taking away what it makes
                client.command(sql)


def stream(name: str) -> Path:
    """The file of the stream of that name."""
    return SQL / "streams" / f"{name}.sql"
