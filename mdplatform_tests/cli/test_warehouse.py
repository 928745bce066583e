"""``doctor`` as a command, about broker and ClickHouse."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mdplatform.core import first_hour
from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform_tests.cli.calling import called
from mdplatform_tests.warehouse.conftest import streaming
from mdplatform_tests.warehouse.rows import HOUR, after, put_books

__all__ = ["streaming"]

NOBODY = "127.0.0.1:1"  # a port where nothing listens


@pytest.fixture
def environ(clickhouse_url: str) -> dict[str, str]:
    settings = Settings(clickhouse_url=clickhouse_url, clickhouse_database="default")
    with connect(settings, database="default") as client:
        client.command(f"CREATE DATABASE IF NOT EXISTS {settings.internal_database}")
    return {"CLICKHOUSE_URL": clickhouse_url, "MDPLATFORM_DATABASE": settings.clickhouse_database}


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


def test_migrate_notes_where_dagsters_hours_begin(streaming: Settings, tmp_path: Path) -> None:
    environ = {f.metadata["variable"]: str(getattr(streaming, f.name)) for f in dataclasses.fields(streaming)}
    environ |= {"MDPLATFORM_DATA_DIR": str(tmp_path), "MDPLATFORM_FIRST_HOUR": ""}
    assert b"Dagster's hours begin with " in called("migrate", environ=environ).stdout
    noted = first_hour.kept(str(tmp_path))
    assert noted is not None
    assert noted <= datetime.now(UTC)
    with connect(streaming) as client:
        put_books(client, {"at": after(10), "sequence": 1})
    assert b"Dagster's hours begin with 2024-08-08 22:00 UTC" in called("migrate", environ=environ).stdout
    assert first_hour.kept(str(tmp_path)) == HOUR
