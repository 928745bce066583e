"""SQL typed at a terminal, statement by statement: lines are edited, remembered between runs, and completed by Tab."""

from __future__ import annotations

import contextlib
import re
import readline
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from mdplatform.core.errors import MdplatformError
from mdplatform.core.legible import legible_lines
from mdplatform.core.private import private_file

MOST_REMEMBERED = 1000
# fmt: off
KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP", "BY", "ORDER", "LIMIT", "HAVING", "WITH", "AS", "ASOF", "JOIN", "LEFT", "INNER",
    "USING", "ON", "AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "INTERVAL", "DESC", "ASC", "DISTINCT", "OVER",
    "PARTITION", "SETTINGS", "FINAL", "UNION", "ALL", "SHOW", "TABLES", "DESCRIBE", "EXPLAIN",
)
# fmt: on
ENDS = ("exit", "quit", "\\q")


def ask(run: Callable[[str], None], words: Iterable[str], history: Path | None, prompt: str) -> None:
    """Give each statement, which ends with a semicolon, to ``run`` until the input ends. What ``run`` raises as an
    error of ours is shown in a line; Ctrl-C forgets the statement that is being typed."""
    _prepare(Completer(words), history)
    try:
        lines: list[str] = []
        while True:
            try:
                line = input(f"{prompt}> " if not lines else f"{'':>{len(prompt)}}- ")
            except EOFError:
                click.echo()
                return
            except KeyboardInterrupt:
                click.echo()
                lines = []
                continue
            if not lines and line.strip().rstrip(";") in ENDS:
                return
            lines += [line] if line.strip() else []
            if line.rstrip().endswith(";"):
                _run(run, "\n".join(lines).rstrip().rstrip(";"))
                lines = []
    finally:
        _remember(history)


class Completer:
    """The words that begin as what was typed; of keywords in the case in which they are typed."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(set(words))
        self._found: list[str] = []

    def __call__(self, text: str, state: int) -> str | None:
        if state == 0:
            self._found = self.beginning(text)
        return self._found[state] if state < len(self._found) else None

    def beginning(self, text: str) -> list[str]:
        keywords = [word.lower() if text.islower() else word for word in KEYWORDS]
        found = [word for word in self._words if word.startswith(text)]
        return found + [word for word in keywords if text and word.startswith(text)]


def _run(run: Callable[[str], None], statement: str) -> None:
    if not re.search(r"\S", statement):
        return
    try:
        run(statement)
    except MdplatformError as error:
        click.echo(legible_lines(str(error)), err=True)
    except KeyboardInterrupt:
        click.echo("ended", err=True)


def _prepare(completer: Completer, history: Path | None) -> None:
    readline.set_completer(completer)
    readline.set_completer_delims(" \t\n,()=<>+-*/;")
    # libedit, which stands in for readline on macOS, has a syntax of its own.
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    readline.set_history_length(MOST_REMEMBERED)
    if history is not None:
        with contextlib.suppress(OSError):
            readline.read_history_file(history)


def _remember(history: Path | None) -> None:
    """For this user alone: a statement may say what nobody else should know."""
    if history is None:
        return
    with contextlib.suppress(OSError):
        count = readline.get_current_history_length()
        lines = [readline.get_history_item(number) for number in range(max(1, count - MOST_REMEMBERED + 1), count + 1)]
        with private_file(history) as file:
            file.write("".join(f"{line}\n" for line in lines if line).encode())
