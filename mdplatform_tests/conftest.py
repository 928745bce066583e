"""Fixtures for the whole suite: real parts on loopback, started once, ended by their handles."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform.embedded.clickhouse import start


@pytest.fixture(scope="session")
def clickhouse_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ClickHouse node of this test run, by its URL with credentials."""
    data_dir: Path = tmp_path_factory.mktemp("clickhouse")
    with start(data_dir, password="test password") as node:
        yield node.url
