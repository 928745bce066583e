"""The roles of sql/access, on the real engine: each does its work, and nothing beside it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from mdplatform.core.settings import Settings
from mdplatform.warehouse.files import SQL, sql_files, sql_text, statements
from mdplatform.warehouse.render import placeholders, render

VALUES = placeholders(Settings(kafka_brokers="127.0.0.1:1"))
# All that fills and builds the database, in the order of a migration; then what an hour's build does.
BUILDS = [
    *(
        text
        for folder in ("migrations", "streams")
        for path in sql_files(folder)
        for text in statements(render(sql_text(path), VALUES))
    ),
    "CREATE OR REPLACE VIEW marketdata.md_trades AS SELECT * FROM marketdata_internal.md_trades_store FINAL",
    "INSERT INTO md_trades_store (exchange, symbol, id) VALUES ('v', 'S', '1')",
    "ALTER TABLE md_trades_minute_staging DROP PARTITION 2026010100",
    "INSERT INTO md_trades_minute_staging (exchange, symbol, minute) VALUES ('v', 'S', '2026-01-01 00:00:00')",
    "ALTER TABLE md_trades_minute_store REPLACE PARTITION 2026010100 FROM md_trades_minute_staging",
    "ALTER TABLE md_trades_minute_store DROP PARTITION 2026010100",
    "DELETE FROM md_trades_store WHERE exchange = 'v'",
    "SELECT count() FROM system.parts",
    "SELECT count() FROM system.kafka_consumers",
]
READS = [
    "SELECT count() FROM md_trades",
    "SELECT count() FROM md_orderbook_depth",
    "SELECT count() FROM marketdata.md_trades",
]
ELSEWHERE = [
    "CREATE USER eve",
    "CREATE ROLE eve",
    "GRANT SELECT ON *.* TO reader",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM elsewhere.secrets",
    "DROP TABLE elsewhere.secrets",
    "SYSTEM SHUTDOWN",
]
CHANGES = [
    "INSERT INTO md_trades_store (exchange, symbol, id) VALUES ('v', 'S', '1')",
    "TRUNCATE TABLE md_trades_store",
    "ALTER TABLE md_trades_store DELETE WHERE 1",
    "DROP TABLE md_trades_store",
    "CREATE TABLE mine (x UInt8) ENGINE = Memory",
    "SELECT * FROM marketdata.md_orderbook_stream_kafka",  # would take messages away
]
ACCESS_DENIED = 497


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """The error code of each statement, by role."""
    asked = {
        "ready": [
            "CREATE DATABASE marketdata",
            "CREATE DATABASE marketdata_internal",
            "CREATE DATABASE elsewhere",
            "CREATE TABLE elsewhere.secrets (x UInt8) ENGINE = Memory",
        ],
        "marketdata_writer": [*BUILDS, *READS, *ELSEWHERE],
        "marketdata_reader": [*READS, *CHANGES, *ELSEWHERE],
    }
    command = [sys.executable, "-m", "mdplatform_tests.security.roles_probe", str(tmp_path_factory.mktemp("roles"))]
    ran = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True, cwd=SQL.parent)
    found: dict[str, list[int]] = json.loads(ran.stdout)
    return found


def test_the_writer_builds_fills_and_reads_the_whole_database(answers: dict[str, list[int]]) -> None:
    did = zip(BUILDS + READS, answers["marketdata_writer"], strict=False)
    assert [(text, code) for text, code in did if code] == []


def test_the_writer_reaches_nothing_else(answers: dict[str, list[int]]) -> None:
    assert dict(zip(ELSEWHERE, answers["marketdata_writer"][-len(ELSEWHERE) :], strict=True)) == dict.fromkeys(
        ELSEWHERE, ACCESS_DENIED
    )


def test_the_reader_reads(answers: dict[str, list[int]]) -> None:
    assert answers["marketdata_reader"][: len(READS)] == [0] * len(READS)


def test_the_reader_changes_nothing_and_reaches_nothing_else(answers: dict[str, list[int]]) -> None:
    tried = CHANGES + ELSEWHERE
    assert dict(zip(tried, answers["marketdata_reader"][len(READS) :], strict=True)) == dict.fromkeys(
        tried, ACCESS_DENIED
    )


def test_each_limit_of_the_reader_has_a_least_and_a_greatest_value() -> None:
    text = (SQL / "access" / "reader.sql").read_text()
    limits = re.findall(r"(max_\w+) = (\d+)(?: MIN (\d+) MAX (\d+))?", text)
    assert {name for name, *_ in limits} == {"max_execution_time", "max_result_rows", "max_memory_usage"}
    # 0 is no limit at all, so a limit needs a least value as well.
    assert [(least, greatest) for _, value, least, greatest in limits if (least, greatest) != ("1", value)] == []
