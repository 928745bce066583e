"""No secret is ever shown: not by a command, not in a log, not to Dagster, not on a command line."""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest

from mdplatform.bus import admin
from mdplatform.cli import main
from mdplatform.core.settings import Settings
from mdplatform.defs.ingest.sensors import ingest_supervisor
from mdplatform.defs.resources import Platform

WORD = "sw0rdf1sh"
SECRETS = {f.metadata["variable"] for f in dataclasses.fields(Settings) if f.metadata["secret"]}
# Each secret setting with a secret in it, and nobody listening where they lead.
GIVEN = {
    **dict.fromkeys(SECRETS, WORD),
    "CLICKHOUSE_URL": f"http://writer:{quote(WORD + '/@?#', safe='')}@127.0.0.1:1",
    "CLICKHOUSE_READER_URL": f"http://reader:{WORD}@127.0.0.1:1",
    "MDPLATFORM_ALERT_WEBHOOK": f"http://127.0.0.1:1/services/{WORD}?key={WORD}",
    "MDPLATFORM_ALERTS": f"error@okx=json://127.0.0.1:1/{WORD}?key={WORD}",
    "MDPLATFORM_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "MDPLATFORM_KAFKA_SASL_USERNAME": "collector",
    "MDPLATFORM_CLICKHOUSE_PASSWORD": WORD,
    "MDPLATFORM_CLICKHOUSE_READER_PASSWORD": WORD,
    "KAFKA_BROKERS": "127.0.0.1:1",
    "LOG_LEVEL": "DEBUG",
}
ELSEWHERE = ("--rest-url", f"http://u:{WORD}@127.0.0.1:1", "--ws-url", f"ws://u:{WORD}@127.0.0.1:1")


def test_every_setting_that_reads_like_a_secret_is_one() -> None:
    telling = ("PASSWORD", "SECRET", "TOKEN", "WEBHOOK", "ALERTS", "CLIENT_ID", "CLICKHOUSE_URL", "READER_URL")
    named = {f.metadata["variable"] for f in dataclasses.fields(Settings) if f.metadata["variable"].endswith(telling)}
    assert named == SECRETS


@pytest.mark.parametrize(
    "arguments",
    [
        ["doctor"],
        ["doctor", "--json"],
        ["alerts", "test"],
        ["query", "SELECT 1"],
        ["migrate"],
        ["lag"],
        ["collect", "--venue", "deribit", "--symbols", "BTC-USD-PERP"],
        ["record", "--venue", "binance", "--symbols", "BTC-USDT", *ELSEWHERE, "--seconds", "0.5", "tape"],
    ],
)
def test_a_command_that_fails_prints_no_secret(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(admin, "TIMEOUT_S", 0.3)
    monkeypatch.chdir(tmp_path)
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["mdplatform", *arguments])
    with caplog.at_level(logging.DEBUG), pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code
    told = capfd.readouterr()
    assert WORD not in told.out + told.err + caplog.text


def test_dagster_stores_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    wanted = {"MDPLATFORM_INGEST": "deribit:BTC-USD-PERP", "MDPLATFORM_DATA_DIR": str(tmp_path)}
    with (
        dg.instance_for_test(temp_dir=str(tmp_path)) as instance,
        dg.build_sensor_context(instance=instance, resources={"platform": Platform(overrides=wanted)}) as context,
    ):
        result = ingest_supervisor(context)
    assert isinstance(result, dg.SensorResult)
    (asked,) = result.run_requests or []
    assert WORD not in json.dumps([asked.run_config, dict(asked.tags)], default=str)


def test_settings_in_a_traceback_or_a_log_show_no_secret() -> None:
    settings = Settings(**{f.name: WORD for f in dataclasses.fields(Settings) if f.metadata["secret"]})
    assert WORD not in f"{settings!r} {settings} {settings.shown()}"
