"""What a venue calls an instrument, and whoever writes to a topic, never reaches a terminal as more than text."""

from __future__ import annotations

import io
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest
from rich.console import Console

from mdplatform.bus.admin import Lag
from mdplatform.core.codec import encode
from mdplatform.core.legible import LegibleFormatter, LegibleStream, legible
from mdplatform.terminal import lag, watch
from mdplatform.terminal.topofbook import TopOfBook
from mdplatform_tests.cli.calling import called
from mdplatform_tests.security.hostile import NOW_NS, event

NAMES = ("\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "[/red][bold]", "\u202eTDSU", "nul\0", "a\rb", "\u2028", "x\x7f")
HARMFUL = ("\x1b]", "\x1b[2J", "\x9b", "\u202e", "\0", "\x07", "a\rb", "\x7f", "\u2028")
# The same in SQL, without a character of them in it.
SELECTED = "SELECT concat(unhex('1B5D303B6F776E656407C29B33316DE280AE'), 'USDT') AS symbol, 1 AS bid"


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_becomes_characters_to_look_at(name: str) -> None:
    assert legible(name).isprintable()


def test_a_name_without_harm_stays_as_it_is() -> None:
    assert legible("日本-ÜSDT-PERP (é)") == "日本-ÜSDT-PERP (é)"


def test_an_endless_name_is_cut() -> None:
    assert len(legible("A" * 1_000_000)) == 200


def test_bytes_of_a_character_may_come_apart() -> None:
    target = io.BytesIO()
    stream = LegibleStream(target)
    for byte in "é\x9b\n".encode():
        stream.write(bytes([byte]))
    assert target.getvalue().decode() == "é\\x9b\n"


def on_terminal(*arguments: str, environ: dict[str, str]) -> str:
    """What the command writes to a terminal."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mdplatform", *arguments],
        env={**os.environ, **environ, "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=subprocess.DEVNULL,
    ):
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:  # the other end is closed
            pass
    os.close(master)
    return shown.decode()


@pytest.mark.parametrize("form", ["table", "csv", "tsv", "json", "plot"])
def test_rows_on_a_terminal_hold_no_escape_sequence(form: str, clickhouse_url: str) -> None:
    environ = {"CLICKHOUSE_URL": clickhouse_url, "MDPLATFORM_DATABASE": "default"}
    shown = on_terminal("query", "--format", form, SELECTED, environ=environ)
    assert "USDT" in shown
    assert [harm for harm in HARMFUL if harm in shown] == []


def test_rows_in_a_pipe_are_as_they_are_stored(clickhouse_url: str) -> None:
    environ = {"CLICKHOUSE_URL": clickhouse_url, "MDPLATFORM_DATABASE": "default"}
    answer = called("query", "--format", "csv", SELECTED, environ=environ)
    assert '"\x1b]0;owned\x07\x9b31m\u202eUSDT",1' in answer.stdout.decode()


def drawn(draw: Callable[[Console], None]) -> str:
    """What is drawn on a terminal, without the codes by which rich itself draws."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=400)
    draw(console)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_table_of_best_prices_shows_names_as_text(name: str) -> None:
    state = TopOfBook()
    state.take(encode(event("books", symbol=name))[1])
    (row,) = state.rows()
    shown = drawn(lambda console: console.print(watch.table(state, NOW_NS))) + watch.line(row, NOW_NS)
    assert [harm for harm in HARMFUL if harm in shown] == []
    assert name in shown or "\\" in shown


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_table_of_lag_shows_groups_as_text(name: str) -> None:
    rows = [lag.Trend(Lag(name, "trades.okx", 0, 1, 2, 1), 0.0)]
    shown = drawn(lambda console: console.print(lag.table(rows))) + "\n".join(lag.lines(rows))
    assert [harm for harm in HARMFUL if harm in shown] == []
    assert name in shown or "\\" in shown


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_log_line_is_one_line_of_text(name: str) -> None:
    record = logging.LogRecord("mdplatform", logging.INFO, "", 0, "%s price_move\n%s", (name, name), None)
    assert LegibleFormatter("%(message)s").format(record).isprintable()


def test_an_error_keeps_its_lines_and_loses_its_codes() -> None:
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        record = logging.LogRecord("mdplatform", logging.ERROR, "", 0, "failed", (), sys.exc_info())
    text = LegibleFormatter("%(message)s").format(record)
    assert len(text.splitlines()) > 2
    assert "\x1b" not in text
