"""``query`` as a command."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mdplatform.core.settings import Settings
from mdplatform.terminal.prompt import Completer
from mdplatform_tests.cli.calling import called, refused
from mdplatform_tests.warehouse.copied import Copies

ROWS = "SELECT number AS n, toString(number) || ',' AS text FROM numbers(3) ORDER BY n"
NOBODY = "127.0.0.1:1"  # a port where nothing listens


@pytest.fixture
def environ(clickhouse_url: str) -> dict[str, str]:
    return {"CLICKHOUSE_URL": clickhouse_url, "MDPLATFORM_DATABASE": "default"}


def said(sql: str, environ: dict[str, str], *options: str, given: bytes = b"") -> str:
    answer = called("query", *options, sql, environ=environ, given=given)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.decode()


def test_rows_come_as_a_table(environ: dict[str, str]) -> None:
    assert "│ 2 │ 2,   │" in said(ROWS, environ)


def test_rows_come_as_json_lines(environ: dict[str, str]) -> None:
    rows = [json.loads(line) for line in said(ROWS, environ, "--format", "json").splitlines()]
    assert [int(row["n"]) for row in rows] == [0, 1, 2]


def test_rows_come_as_csv(environ: dict[str, str]) -> None:
    text = said(ROWS, environ, "--format", "csv")
    assert list(csv.reader(text.splitlines())) == [["n", "text"], ["0", "0,"], ["1", "1,"], ["2", "2,"]]


def test_rows_come_as_tsv(environ: dict[str, str]) -> None:
    assert said(ROWS, environ, "--format", "tsv") == "n\ttext\n0\t0,\n1\t1,\n2\t2,\n"


def test_a_format_in_the_statement_is_the_one_taken(environ: dict[str, str]) -> None:
    assert said("SELECT 1 FORMAT TSV", environ, "--format", "json") == "1\n"


def test_the_statement_may_come_from_standard_input(environ: dict[str, str]) -> None:
    assert said("-", environ, "--format", "tsv", given=b"SELECT 7 AS n") == "n\n7\n"


def test_what_clickhouse_refuses_is_one_line(environ: dict[str, str]) -> None:
    assert "nosuch" in refused(called("query", "SELECT * FROM nosuch", environ=environ))


def test_a_slip_in_the_statement_is_reported_without_the_whole_grammar(environ: dict[str, str]) -> None:
    assert "Expected one of" not in refused(called("query", "SELEC 1", environ=environ))


def test_a_file_has_the_format_that_its_name_says(environ: dict[str, str], tmp_path: Path) -> None:
    assert said(ROWS, environ, "--output", str(tmp_path / "rows.parquet")) == ""
    assert pq.read_table(tmp_path / "rows.parquet").to_pydict() == {"n": [0, 1, 2], "text": ["0,", "1,", "2,"]}
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_query_that_fails_leaves_no_file(environ: dict[str, str], tmp_path: Path) -> None:
    sql = "SELECT throwIf(number = 500000, 'late') FROM numbers(1000000)"
    assert "late" in refused(called("query", "--output", str(tmp_path / "rows.csv"), sql, environ=environ))
    assert list(tmp_path.iterdir()) == []


def test_parquet_is_not_sent_to_a_terminal(environ: dict[str, str]) -> None:
    master, slave = pty.openpty()
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "mdplatform", "query", "--format", "parquet", "SELECT 1"],
            env={**os.environ, **environ},
            stdin=slave,
            stdout=slave,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(slave)
        os.close(master)
    assert answer.returncode == 1
    assert answer.stderr == b"mdplatform: Parquet is not for a terminal: give --output FILE or a pipe\n"


def test_a_picture_has_bars_for_text_and_lines_for_times(environ: dict[str, str]) -> None:
    bars = said("SELECT 'a' AS venue, 0.005 AS bps UNION ALL SELECT 'b', 0.01 ORDER BY 1", environ, "--format", "plot")
    short, long = (line.split() for line in bars.splitlines()[1:])
    assert (short[:2], long[:2]) == (["a", "0.005"], ["b", "0.01"])
    assert 2 * len(short[2]) - len(long[2]) in (0, 1)
    timed = "SELECT toDateTime('2024-08-08 10:00:00', 'UTC') + number AS at, number AS mid, 1000 + number AS size"
    picture = said(f"{timed} FROM numbers(60)", environ, "--format", "plot")
    assert "10:00:59" in picture
    assert [line.split()[-2] for line in picture.splitlines() if "⢕⢕" in line] == ["mid", "size"]


def test_only_reading_is_meant_unless_it_is_said(environ: dict[str, str]) -> None:
    create = "CREATE TABLE written_by_query (n UInt8) ENGINE = Memory"
    assert refused(called("query", create, environ=environ)).endswith("`query` is read-only without --write")
    said(create, environ, "--write")
    said("DROP TABLE written_by_query", environ, "--write")


def test_the_reader_is_who_asks(environ: dict[str, str], clickhouse_reader_url: str) -> None:
    who = said("SELECT currentUser()", {**environ, "CLICKHOUSE_READER_URL": clickhouse_reader_url}, "--format", "tsv")
    assert who.splitlines()[1] == "reader"


def test_parameters_are_bound_and_named_questions_listed(environ: dict[str, str]) -> None:
    assert said("SELECT {n:UInt8} + 1 AS n", environ, "--param", "n=41", "--format", "tsv") == "n\n42\n"
    listed = called("query", "--list").stdout.decode().splitlines()
    assert "spread_by_venue" in listed
    assert "    seconds=60  length of a bar" in listed


def test_a_table_is_described_with_units(empty: Settings, copies: Copies) -> None:
    copies.make(empty)
    environ = {"CLICKHOUSE_URL": empty.clickhouse_url, "MDPLATFORM_DATABASE": empty.clickhouse_database}
    answer = called("query", "--describe", "md_top_of_book", environ=environ)
    assert "spread_bps Nullable(Float64) bps spread / mid * 10000; NULL while a side is empty" in [
        " ".join(line.split()) for line in answer.stdout.decode().splitlines()
    ]
    line = refused(called("query", "--describe", "md_ticks", environ=environ))
    assert line.startswith(f"there is no table 'md_ticks' in {empty.clickhouse_database}; views: md_agg_trades, ")


def test_a_statement_and_a_name_at_once_are_wrong_usage() -> None:
    for arguments in (
        ["SELECT 1", "--name", "ohlcv"],
        [],
        ["SELECT 1", "--param", "n"],
        ["SELECT 1", "--describe", "md_trades"],
    ):
        assert called("query", *arguments).returncode == 2


def test_a_wrong_password_is_one_line_without_it(clickhouse_url: str) -> None:
    address = clickhouse_url.rpartition("@")[2]
    environ = {"CLICKHOUSE_URL": f"http://default:swordfish@{address}", "MDPLATFORM_DATABASE": "default"}
    line = refused(called("query", "SELECT 1", environ=environ))
    assert "refuses this user or password" in line
    assert "swordfish" not in line


def test_a_clickhouse_that_is_away_is_one_line() -> None:
    line = refused(called("query", "SELECT 1", environ={"CLICKHOUSE_URL": f"http://default:swordfish@{NOBODY}"}))
    assert line.startswith(f"ClickHouse at http://default:***@{NOBODY} cannot be reached: Connection refused")


def at_a_terminal(environ: dict[str, str], typed: bytes) -> str:
    """What a terminal shows when this is typed into `query` without a statement."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, **environ, "TERM": "dumb"}
    asking = subprocess.Popen(
        [sys.executable, "-m", "mdplatform", "query"], stdin=theirs, stdout=theirs, stderr=theirs, env=variables
    )
    os.close(theirs)
    shown = b""
    while b"default> " not in shown:
        shown += os.read(ours, 4096)
    os.write(ours, typed)
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # the other end is closed
        pass
    assert asking.wait(60) == 0
    os.close(ours)
    return shown.decode()


def test_a_terminal_is_asked_for_statements_with_history(environ: dict[str, str], tmp_path: Path) -> None:
    environ = {**environ, "MDPLATFORM_DATA_DIR": str(tmp_path)}
    shown = at_a_terminal(environ, b"SELECT 41 +\n1 AS answer;\nSELECT nosuch;\nSELECT 7 AS n;\nquit\n")
    assert all(
        cell in shown for cell in ("│     42 │", "nosuch", "│ 7 │")
    )  # an error ends one statement, not the asking
    history = tmp_path / "query_history"
    assert history.read_text().splitlines()[-3:] == ["SELECT nosuch;", "SELECT 7 AS n;", "quit"]
    assert history.stat().st_mode & 0o777 == 0o600
    assert "│ 7 │" in at_a_terminal(environ, b"\x1b[A\x1b[A\n\x04")  # up, up: the statement before `quit`


def test_words_are_completed_as_they_are_typed() -> None:
    completer = Completer(["md_trades", "md_trades_minute", "mid"])
    assert completer.beginning("md_t") == ["md_trades", "md_trades_minute"]
    assert (completer.beginning("sel"), completer.beginning("SEL")) == (["select"], ["SELECT"])
    assert [completer("mi", state) for state in (0, 1)] == ["mid", None]
