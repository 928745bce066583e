"""Debian's Postgres as a process of this machine, on loopback, in a directory of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mdplatform.embedded.ports import LOOPBACK, choose
from mdplatform_tests.chaos.cluster import Missing

INSTALLED = Path("/usr/lib/postgresql")


def programs() -> Path:
    """Where initdb and pg_ctl of the newest version are. Raises Missing."""
    versions = sorted(INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise Missing("no Postgres is installed (on Debian: apt-get install postgresql)")
    return versions[-1].parent


@contextmanager
def running_postgres(directory: Path, password: str) -> Iterator[int]:
    """The port of a new server with the database and user `dagster`. Raises Missing."""
    found, port = programs(), choose()
    with tempfile.TemporaryDirectory(prefix="postgres-") as place:
        data, secret = Path(place) / "data", Path(place) / "password"
        secret.write_text(password)
        owner = _owner()
        for path in (Path(place), secret):
            shutil.chown(path, owner)
        directory.mkdir(parents=True, exist_ok=True)

        def run(*command: str) -> None:
            with (directory / "postgres.log").open("a") as log:
                subprocess.run(command, check=True, user=owner, stdout=log, stderr=log, cwd=place)

        run(str(found / "initdb"), "-D", str(data), "-U", "dagster", f"--pwfile={secret}", "--auth=scram-sha-256")
        options = f"-c listen_addresses={LOOPBACK} -p {port} -k {place}"
        control = [str(found / "pg_ctl"), "-D", str(data), "--wait"]
        run(*control, "-o", options, "-l", f"{place}/server.log", "start")
        try:
            environ = {**os.environ, "PGPASSWORD": password}
            create = [str(found / "createdb"), "-h", LOOPBACK, "-p", str(port), "-U", "dagster", "dagster"]
            subprocess.run(create, check=True, env=environ, capture_output=True)
            yield port
        finally:
            run(*control, "--mode=fast", "stop")


def _owner() -> str:
    """Postgres does not run as root."""
    return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
