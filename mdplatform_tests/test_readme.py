"""The README is true: its settings table, its commands and its links are compared with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mdplatform.cli import COMMANDS, cli
from mdplatform.core.settings import table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_settings_table_is_the_one_of_the_code() -> None:
    shown = README.partition("<!-- settings:")[2].partition("-->\n")[2].partition("<!-- /settings -->")[0]
    assert shown.strip() == table().strip()


def test_every_command_named_exists() -> None:
    named = set(re.findall(r"mdplatform ([a-z]+)", "\n".join(re.findall(r"```sh\n(.*?)```|`([^`]*)`", README)[0])))
    assert named <= set(COMMANDS)


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+(?:-[a-z]+)*)", README)) <= targets


def test_every_file_linked_exists() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_shows_an_example(command: str) -> None:
    answer = CliRunner().invoke(cli, [command, "--help"])
    assert answer.exit_code == 0
    assert f"Example: mdplatform {command}" in answer.output
