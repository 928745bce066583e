"""Commands and notebooks find a stack that runs on the data directory, and its reader, without any setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform.core import stack_state
from mdplatform.core.environment import environment
from mdplatform.core.stack_state import StackState

OWNER, READER = "http://default@127.0.0.1:1", "http://reader@127.0.0.1:1"
NAMES = ("KAFKA_BROKERS", "CLICKHOUSE_URL", "CLICKHOUSE_READER_URL")


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data directory of a stack that is held as running, named by the environment."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MDPLATFORM_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with stack_state.held(tmp_path):
        stack_state.write(StackState(1, str(tmp_path), kafka="127.0.0.1:2", clickhouse=OWNER, clickhouse_reader=READER))
        yield tmp_path


def found() -> list[str | None]:
    return [environment().get(name) for name in NAMES]


def test_a_running_stack_is_found_with_its_reader(running: Path) -> None:
    assert found() == ["127.0.0.1:2", OWNER, READER]


def test_of_another_server_the_reader_is_not_taken_from_the_stack(running: Path) -> None:
    (running / ".env").write_text("CLICKHOUSE_URL=http://default@elsewhere:8123\n")
    assert found() == ["127.0.0.1:2", "http://default@elsewhere:8123", None]


def test_the_environment_comes_before_the_stack(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_READER_URL", "http://ann@127.0.0.1:3")
    assert found() == ["127.0.0.1:2", OWNER, "http://ann@127.0.0.1:3"]
