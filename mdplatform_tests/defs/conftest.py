"""Definitions on a migrated database of the real engine and an archive of their own."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from mdplatform.core.settings import Settings
from mdplatform.defs.resources import Platform
from mdplatform_tests.warehouse.conftest import empty, warehouse

__all__ = ["empty", "warehouse"]


@pytest.fixture
def platform(empty: Settings, tmp_path: Path) -> Platform:
    """The resource as a run would get it; broker and collectors are not there."""
    return Platform(
        overrides={
            "CLICKHOUSE_URL": empty.clickhouse_url,
            "MDPLATFORM_DATABASE": empty.clickhouse_database,
            "MDPLATFORM_DATA_DIR": str(tmp_path),
            "MDPLATFORM_ARCHIVE_DIR": "",
        }
    )


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
