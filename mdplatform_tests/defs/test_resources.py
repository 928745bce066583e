"""Runs that are launched from a shell find the running stack as commands do: its passwords are in no setting."""

from pathlib import Path

import pytest

from mdplatform.core import stack_state
from mdplatform.core.stack_state import StackState
from mdplatform.defs.resources import Platform

OWNER, READER = "http://default:made@127.0.0.1:1", "http://reader:made@127.0.0.1:1"


def test_a_run_from_a_shell_finds_the_running_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BROKERS", "CLICKHOUSE_URL", "CLICKHOUSE_READER_URL", "MDPLATFORM_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    platform = Platform(overrides={"MDPLATFORM_DATA_DIR": str(tmp_path)})
    with stack_state.held(tmp_path):
        stack_state.write(StackState(1, str(tmp_path), kafka="127.0.0.1:2", clickhouse=OWNER, clickhouse_reader=READER))
        settings = platform.settings()
    assert (settings.kafka_brokers, settings.clickhouse_url) == ("127.0.0.1:2", OWNER)
    assert platform.settings().clickhouse_url != OWNER
