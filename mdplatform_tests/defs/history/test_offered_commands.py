"""What ``coverage`` prints for what venues publish runs on a shell as it is printed, and loads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.core.settings import Settings
from mdplatform_tests.cli.calling import called
from mdplatform_tests.defs.history.test_assets import DAY, MIDNIGHT, file, select, trades
from mdplatform_tests.history.published import served
from mdplatform_tests.warehouse.rows import ns, put_status

CHECKOUT = Path(__file__).parents[3]
DAYS = (DAY, DAY + timedelta(days=1), DAY + timedelta(days=3))  # of which nothing was collected


def put_feed(client: Client) -> None:
    """Collected, so that its instrument is listed; proven all the while but on DAYS."""
    columns = ["exchange", "symbol", "venue_symbol", "base", "quote", "kind", "version"]
    client.insert("md_instruments_store", [["binance", "BTC-USDT", "BTCUSDT", "BTC", "USDT", "spot", 1]], columns)
    at = [ns(MIDNIGHT + timedelta(days=number)) for number in range(-1, 5)]
    for state, begin, end in (("valid", 0, 1), ("gap", 1, 3), ("valid", 3, 4), ("gap", 4, 5)):
        put_status(client, state, at[begin], at[end], channel="trades")


@pytest.fixture
def environ(warehouse: Client, empty: Settings, tmp_path: Path) -> dict[str, str]:
    put_feed(warehouse)
    return {
        "CLICKHOUSE_URL": empty.clickhouse_url,
        "MDPLATFORM_DATABASE": empty.clickhouse_database,
        "MDPLATFORM_DATA_DIR": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT),
    }


def printed(environ: dict[str, str], form: str) -> str:
    span = ("--venue", "binance", "--from", str(DAY - timedelta(days=1)), "--to", str(DAYS[-1] + timedelta(days=1)))
    answer = called("coverage", *span, "--format", form, environ=environ)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.decode()


def test_the_printed_commands_load_the_days_that_were_not_proven(
    warehouse: Client, environ: dict[str, str], tmp_path: Path
) -> None:
    commands = [line.strip() for line in printed(environ, "table").splitlines() if "dagster asset materialize" in line]
    assert [command.rpartition("--partition")[2] for command in commands] == [
        f"-range {DAYS[0]}...{DAYS[1]}",
        f" {DAYS[2]}",
    ]
    assert [unescape(code) for code in re.findall("<code>(.*?)</code>", printed(environ, "html"))] == commands
    with served(tmp_path / "published") as archive:
        for number, day in enumerate(DAYS):
            archive.publish(file("trades", day=day), trades(day, first=100 + 10 * number))
        urls = {"MDPLATFORM_HISTORY_URLS": f"binance={archive.url}"}
        for command in commands:
            run = subprocess.run(
                ["bash", "-c", command],
                env={**os.environ, **environ, **urls},
                cwd=tmp_path,
                capture_output=True,
                timeout=150,
                check=False,
            )
            assert run.returncode == 0, run.stderr[-4000:]
    assert loaded(warehouse) == [(day, 6) for day in DAYS]


def loaded(client: Client) -> list[tuple[date, int]]:
    rows = select(
        client, "SELECT toDate(timestamp), count() FROM md_trades WHERE exchange = 'binance' GROUP BY 1 ORDER BY 1"
    )
    return [
        (day if isinstance(day, date) else datetime.fromisoformat(day).replace(tzinfo=UTC).date(), n) for day, n in rows
    ]
