"""Fixtures for the whole suite: real parts on loopback, started once, ended by their handles."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform.embedded.clickhouse import ClickHouseNode, start


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
def shared_data() -> Path:
    """The folder of recorded frames beside the repository; tests that need it are skipped where it is not."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded frames at {folder}")
    return folder
