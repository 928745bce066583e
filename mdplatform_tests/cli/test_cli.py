"""The front door: exit codes and one-line errors, whatever the command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mdplatform import cli
from mdplatform.cli import COMMANDS
from mdplatform_tests.cli.calling import called, refused

ROOT = Path(cli.__file__).parents[2]


@pytest.mark.parametrize("command", ["collect --symbols X", "record --symbols X tape", "normalize", "replay tape"])
def test_an_unknown_venue_is_one_line(command: str, tmp_path: Path) -> None:
    name, *rest = command.split()
    environ = {"KAFKA_BROKERS": "127.0.0.1:1"}  # nobody: it is found out without asking
    assert "'mtgox'" in refused(called(name, "--venue", "mtgox", *rest, cwd=tmp_path, environ=environ))


@pytest.mark.parametrize(
    "arguments",
    [
        ["normalize", "--no-such-option"],
        ["normalize"],
        ["nosuchcommand"],
        ["query", "--format", "xml", "SELECT 1"],
        ["replay", "--venue", "binance", "--speed", "-1", "tape"],
        ["simulate", "--port", "99999"],
        ["dashboard", "--port", "-1"],
        ["record", "--venue", "binance", "--symbols", "BTC-USDT", "--seconds", "0", "tape"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert called(*arguments).returncode == 2


def test_each_query_that_is_shown_names_the_venue_beside_the_symbol() -> None:
    """Rows of one symbol at several venues would look alike."""
    shown = [*Path(cli.__file__).parent.glob("*.py"), ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    selects = [found for path in shown for found in re.findall(r"SELECT ([^*;\n]*?) FROM md_", path.read_text())]
    assert len(selects) > 5
    assert [found for found in selects if "symbol" in found and "exchange" not in found] == []


def test_without_a_command_all_are_listed() -> None:
    answer = called()
    assert answer.returncode == 0
    assert set(re.findall(r"^  ([a-z]+) ", answer.stdout.decode(), re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("MDPLATFORM_DEPTH", "many", "MDPLATFORM_DEPTH must be a whole number"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be DEBUG"),
        ("CLICKHOUSE_URL", "localhost", "CLICKHOUSE_URL must start with http"),
    ],
)
def test_a_setting_that_does_not_fit_is_one_line(variable: str, value: str, problem: str) -> None:
    assert problem in refused(called("query", "SELECT 1", environ={variable: value}))


def test_settings_of_the_working_directory_are_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MDPLATFORM_DEPTH=many\n")
    assert "MDPLATFORM_DEPTH" in refused(called("migrate", cwd=tmp_path))


def test_the_environment_comes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=LOUD\n")
    line = refused(called("query", "SELECT 1", cwd=tmp_path, environ={"LOG_LEVEL": "SILENT"}))
    assert "'SILENT'" in line


def test_a_broker_that_is_away_is_one_line_to_who_looks_once() -> None:
    answer = called("topofbook", "--once", environ={"KAFKA_BROKERS": "127.0.0.1:1"})
    assert answer.returncode == 1
    assert answer.stderr.decode().splitlines()[-1].startswith("mdplatform: Kafka at 127.0.0.1:1")
