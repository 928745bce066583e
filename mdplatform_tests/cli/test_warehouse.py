"""``doctor`` as a command, about broker and ClickHouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from mdplatform_tests.cli.calling import called

NOBODY = "127.0.0.1:1"  # a port where nothing listens


@pytest.fixture
def environ(clickhouse_url: str) -> dict[str, str]:
    return {"CLICKHOUSE_URL": clickhouse_url, "MDPLATFORM_DATABASE": "default"}


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
    assert any(line.startswith("wrong   configured feeds: ") for line in answer.stdout.decode().splitlines())
