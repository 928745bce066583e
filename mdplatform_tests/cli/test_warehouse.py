"""``query`` and ``doctor`` as commands."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mdplatform_tests.cli.calling import called, refused

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


def test_a_slip_in_the_statement_is_told_without_the_whole_grammar(environ: dict[str, str]) -> None:
    assert "Expected one of" not in refused(called("query", "SELEC 1", environ=environ))


def test_a_wrong_password_is_one_line_without_it(clickhouse_url: str) -> None:
    address = clickhouse_url.rpartition("@")[2]
    environ = {"CLICKHOUSE_URL": f"http://default:swordfish@{address}", "MDPLATFORM_DATABASE": "default"}
    line = refused(called("query", "SELECT 1", environ=environ))
    assert "refuses this user or password" in line
    assert "swordfish" not in line


def test_a_clickhouse_that_is_away_is_one_line() -> None:
    line = refused(called("query", "SELECT 1", environ={"CLICKHOUSE_URL": f"http://default:swordfish@{NOBODY}"}))
    assert line.startswith(f"ClickHouse at http://default:***@{NOBODY} cannot be reached: Connection refused")


def test_the_doctor_says_what_is_away_and_no_password(tmp_path: Path) -> None:
    environ = {
        "KAFKA_BROKERS": NOBODY,
        "CLICKHOUSE_URL": f"http://reader:swordfish@{NOBODY}",
        "MDPLATFORM_DASHBOARD_TOKEN": "opensesame",
    }
    answer = called("doctor", environ=environ, cwd=tmp_path)
    assert answer.returncode == 1
    lines = answer.stdout.decode().splitlines()
    assert [line.split()[1].rstrip(":") for line in lines if line.startswith("wrong")] == ["Kafka", "ClickHouse"]
    assert any(line.startswith("CLICKHOUSE_URL") and f"http://reader:***@{NOBODY}" in line for line in lines)
    for secret in (b"swordfish", b"opensesame"):
        assert secret not in answer.stdout + answer.stderr


def test_the_doctor_finds_nothing_where_all_is_well(
    environ: dict[str, str], kafka_brokers: str, tmp_path: Path
) -> None:
    answer = called("doctor", environ={**environ, "KAFKA_BROKERS": kafka_brokers}, cwd=tmp_path)
    assert answer.returncode == 0, answer.stdout
    assert b"\nwrong" not in answer.stdout


def test_the_doctor_names_a_setting_of_ingest_that_is_wrong(
    environ: dict[str, str], kafka_brokers: str, tmp_path: Path
) -> None:
    given = {**environ, "KAFKA_BROKERS": kafka_brokers, "MDPLATFORM_INGEST": "mtgox:BTC-USD"}
    answer = called("doctor", environ=given, cwd=tmp_path)
    assert answer.returncode == 1
    assert any(line.startswith("wrong   wanted collectors: ") for line in answer.stdout.decode().splitlines())
