"""Dagster's storage in Postgres, by the configuration of docker-compose: what the pinned versions can do together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from mdplatform_tests.chaos.cluster import Missing
from mdplatform_tests.rehearsal.postgres import running_postgres

ROOT = Path(__file__).parents[1]
PASSWORD = "only-here"
pytestmark = pytest.mark.skipif(
    find_spec("dagster_postgres") is None, reason="dagster-postgres is not installed: pip install -e '.[server]'"
)


def printed(home: Path, script: str) -> str:
    environ = {**os.environ, "DAGSTER_HOME": str(home)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A DAGSTER_HOME with the file of docker-compose, and the Postgres that it names."""
    try:
        with running_postgres(tmp_path, PASSWORD) as port:
            text = (ROOT / "deploy/compose/dagster.yaml").read_text().replace("port: 5432", f"port: {port}")
            (tmp_path / "dagster.yaml").write_text(text.replace("/var/lib/mdplatform", str(tmp_path)))
            values = {"HOST": "127.0.0.1", "USER": "dagster", "DB": "dagster", "PASSWORD": PASSWORD}
            for name, value in values.items():
                monkeypatch.setenv(f"DAGSTER_POSTGRES_{name}", value)
            yield tmp_path
    except Missing as missing:
        pytest.skip(str(missing))


def test_a_run_is_stored_with_its_events(home: Path) -> None:
    script = (
        "import dagster as dg\n"
        "@dg.asset\n"
        "def a() -> None: ...\n"
        "with dg.DagsterInstance.get() as instance:\n"
        "    result = dg.materialize([a], instance=instance)\n"
        "    kinds = {record.event_log_entry.dagster_event_type.value\n"
        "             for record in instance.get_records_for_run(result.run_id).records\n"
        "             if record.event_log_entry.dagster_event_type}\n"
        "    print(type(instance.event_log_storage).__name__, 'ASSET_MATERIALIZATION' in kinds)\n"
    )
    assert printed(home, script) == "PostgresEventLogStorage True"


def test_the_webserver_goes_on_where_postgres_ended_its_connections(home: Path) -> None:
    script = (
        "import os\n"
        "import dagster as dg, psycopg2\n"
        "from mdplatform.defs.webserver import notice_dead_connections\n"
        "notice_dead_connections()\n"
        "with dg.DagsterInstance.get() as instance:\n"
        "    instance.optimize_for_webserver(15_000, 3_600, 20)\n"  # as the webserver does by default
        "    before = instance.get_runs()\n"
        "    with psycopg2.connect(instance.run_storage.postgres_url) as owner, owner.cursor() as cursor:\n"
        "        cursor.execute('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '\n"
        "                       \"WHERE usename = 'dagster' AND pid <> pg_backend_pid()\")\n"
        "        ended = cursor.rowcount\n"
        "    print(ended > 0, instance.get_runs() == before)\n"
    )
    assert printed(home, script) == "True True"


def test_the_daemon_is_healthy_while_each_of_its_threads_gave_a_sign_of_life_within_minutes(home: Path) -> None:
    """By the health check of docker-compose.yml itself."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    asked = [sys.executable, *services["daemon"]["healthcheck"]["test"][2:]]
    port = next(line.split()[-1] for line in (home / "dagster.yaml").read_text().splitlines() if "port:" in line)

    def healthy(**ages_s: float) -> bool:
        beats = "".join(
            f"    instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - {age}, {name!r}, 'one', []))\n"
            for name, age in ages_s.items()
        )
        printed(
            home,
            "import time\nimport dagster as dg\nfrom dagster._daemon.types import DaemonHeartbeat\n"
            f"with dg.DagsterInstance.get() as instance:\n    instance.get_daemon_statuses()\n{beats}",
        )
        done = subprocess.run(asked, env={**os.environ, "PGPORT": port}, check=False, capture_output=True, text=True)
        assert not done.stderr
        return done.returncode == 0

    assert not healthy()
    assert healthy(SENSOR=20, SCHEDULER=30)
    assert not healthy(SENSOR=900)
    assert healthy(SENSOR=0, BACKFILL=200_000)  # of a thread that this version has no longer
