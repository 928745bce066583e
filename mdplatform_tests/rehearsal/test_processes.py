"""The rehearsal's shorter leg, without containers: `pytest -m rehearsal mdplatform_tests/rehearsal`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mdplatform_tests.chaos.cluster import Missing
from mdplatform_tests.rehearsal import local


@pytest.mark.rehearsal
@pytest.mark.timeout(1800)
def test_what_the_image_installs_and_compose_starts_works_together(tmp_path: Path) -> None:
    said: list[str] = []
    try:
        ready, found = local.rehearse(tmp_path, said.append)
    except Missing as missing:
        pytest.skip(str(missing))
    assert ready.keys() == {"postgres", "clickhouse", "webserver"}
    assert [act for act, _ in found] == list(local.ACTS)
