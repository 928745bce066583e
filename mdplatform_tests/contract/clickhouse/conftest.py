"""What the contract runs on: any server by CLICKHOUSE_URL (and CLICKHOUSE_READER_URL), else the embedded node.

CLICKHOUSE_URL=http://default:secret@127.0.0.1:8123 pytest mdplatform_tests/contract/clickhouse
"""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import clickhouse_connect
import pytest

from mdplatform.embedded.clickhouse import ClickHouseNode

Client = Any
Table = Callable[[str], str]


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest) -> str:
    return os.environ.get("CLICKHOUSE_URL") or str(request.getfixturevalue("clickhouse_url"))


@pytest.fixture(scope="session")
def reader_url(request: pytest.FixtureRequest) -> str:
    """A user with SELECT on `marketdata` and `system`, and readonly=2."""
    if "CLICKHOUSE_URL" not in os.environ:
        node: ClickHouseNode = request.getfixturevalue("clickhouse_node")
        return node.reader_url
    if "CLICKHOUSE_READER_URL" not in os.environ:
        pytest.skip("CLICKHOUSE_URL is set and CLICKHOUSE_READER_URL is not")
    return os.environ["CLICKHOUSE_READER_URL"]


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False) as client:
        yield client


@pytest.fixture
def table(client: Client) -> Iterator[Table]:
    """Creates a table of its own with these columns, dropped at the end."""
    names: list[str] = []

    def create(columns: str) -> str:
        names.append(f"contract_{uuid.uuid4().hex}")
        client.command(f"CREATE TABLE {names[-1]} ({columns}) ENGINE = MergeTree ORDER BY tuple()")
        return names[-1]

    yield create
    for name in names:
        client.command(f"DROP TABLE {name}")
