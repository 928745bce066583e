"""Definitions on a migrated database of the real engine and an archive of their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform.defs.resources import Platform
from mdplatform.warehouse.client import connect
from mdplatform_tests.warehouse.conftest import empty, warehouse
from mdplatform_tests.warehouse.copied import Copies

__all__ = ["empty", "warehouse"]


def platform_on(settings: Settings, home: Path) -> Platform:
    """The resource as a run would get it; broker and collectors are not there."""
    return Platform(
        overrides={
            "CLICKHOUSE_URL": settings.clickhouse_url,
            "MDPLATFORM_DATABASE": settings.clickhouse_database,
            "MDPLATFORM_DATA_DIR": str(home),
            "MDPLATFORM_ARCHIVE_DIR": "",
        }
    )


@pytest.fixture
def platform(empty: Settings, tmp_path: Path) -> Platform:
    return platform_on(empty, tmp_path)


class Stage(NamedTuple):
    """What runs on one migrated database. ``home`` holds its archive."""

    warehouse: Client
    platform: Platform
    instance: dg.DagsterInstance
    home: Path


@pytest.fixture(scope="module")
def stage(clickhouse_url: str, copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """That of all tests of a file which only read what was built on it once."""
    settings = copies.lend(Settings(clickhouse_url=clickhouse_url))
    home = tmp_path_factory.mktemp("stage")
    with connect(settings) as client, dg.DagsterInstance.ephemeral() as instance:
        yield Stage(client, platform_on(settings, home), instance, home)
    copies.take_back(settings)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def lasting(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """As a schedule needs one: it opens the instance again."""
    home = tmp_path / "dagster"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        yield instance


@pytest.fixture
def shipped_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance on disk with the settings that we ship."""
    settings = Path(__file__).parents[2] / "deploy" / "dagster" / "dagster.yaml"
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(settings.read_text())
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        yield instance
