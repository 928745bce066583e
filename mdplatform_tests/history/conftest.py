"""An archive of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform_tests.history.published import Archive, served


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with served(tmp_path / "published") as archive:
        yield archive
