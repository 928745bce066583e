"""Dagster's daemon is killed, and the collector that it had started."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform.core import stack_state
from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect
from mdplatform_tests.chaos.account import reconcile
from mdplatform_tests.chaos.conftest import Enter
from mdplatform_tests.chaos.line import NEWEST, served, until
from mdplatform_tests.cli.calling import called

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]
PARTS = "broker,clickhouse,simulator,dagster"
DAEMON, COLLECTOR = "dagster._daemon", "mdplatform\0collect"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Settings]:
    """A stack whose Dagster keeps a collector of one symbol alive; ended at the end."""
    on = ["--data-dir", str(tmp_path)]
    answer = called(
        "up", "--only", PARTS, "--detach", "--json", *on, seconds=240, environ={"MDPLATFORM_INGEST": "binance:BTC-USDT"}
    )
    try:
        assert answer.returncode == 0, answer.stderr
        at = stack_state.read(tmp_path)
        assert at is not None
        yield Settings(kafka_brokers=str(at.kafka), clickhouse_url=str(at.clickhouse), data_dir=str(tmp_path))
    finally:
        called("down", *on, seconds=120)


def running(home: str, what: str) -> set[int]:
    """Processes of this stack whose command line names ``what``."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_it = what.encode() in (entry / "cmdline").read_bytes()
            if is_it and f"DAGSTER_HOME={home}/".encode() in (entry / "environ").read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def newest(settings: Settings) -> int:
    with connect(settings) as client:
        return int(client.query(NEWEST).result_rows[0][0])


def test_a_daemon_that_is_killed_comes_back_and_so_does_its_collector(stack: Settings, enter: Enter) -> None:
    home = stack.data_dir
    until(lambda: newest(stack) > 0, 120)
    daemons, collectors = running(home, DAEMON), running(home, COLLECTOR)
    for pid in daemons | collectors:
        os.kill(pid, signal.SIGKILL)
    killed_ns = time.time_ns()
    recovered_s = until(lambda: running(home, DAEMON) - daemons and newest(stack) > killed_ns, 150)
    [collector] = until_one(home, collectors)
    os.kill(collector, signal.SIGTERM)  # drains
    until(lambda: collector not in running(home, COLLECTOR), 30)
    log = served(stack)  # what it acknowledged, since it was not ended
    with connect(stack) as client:
        until(lambda: reconcile(client, log, log).is_whole, 60)
        account = reconcile(client, log, log)
    enter("Dagster's daemon and collector killed", account, recovered_s)
    assert account.is_whole
    assert account.gaps


def until_one(home: str, before: set[int]) -> set[int]:
    until(lambda: len(running(home, COLLECTOR) - before) == 1)
    return running(home, COLLECTOR) - before
