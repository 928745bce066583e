"""The same commands as processes of this machine, where there can be no containers.

Python packages from requirements.lock in an environment of their own, Debian's Postgres and Prometheus, the embedded
broker and ClickHouse; everything of ours by the commands of docker-compose.yml. Nothing is killed, nothing backed up.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import yaml

from mdplatform.core import stack_state
from mdplatform.core.process import ChildProcess, spawn
from mdplatform.embedded.ports import choose
from mdplatform_tests.chaos.cluster import Missing
from mdplatform_tests.rehearsal import acts
from mdplatform_tests.rehearsal.deployment import INGEST, Front, seconds_until
from mdplatform_tests.rehearsal.engine import ROOT
from mdplatform_tests.rehearsal.postgres import running_postgres

COMPOSE = ROOT / "deploy" / "compose"
EMBEDDED = ("chdb-core", "clickhouse-cityhash", "httptools", "noida-db", "python-multipart")
COMMANDS = ("code", "daemon", "webserver", "dashboard", "metrics")
PROMETHEUS = ROOT / "deploy" / "prometheus"


# Where each job of deploy/prometheus is found here.
PROMETHEUS_JOBS = {
    "collectors": "METRICS_PORT",
    "dagster": "DAGSTER_PORT",
    "page": "DASHBOARD_PORT",
    "clickhouse": "CLICKHOUSE_PORT",
    "prometheus": "PROMETHEUS_PORT",
}
ACTS: dict[str, Callable[[Front], str]] = {
    "collect": acts.collect,
    "build and archive the hour": acts.build_hour,
    "ask as the reader": acts.read_as_the_reader,
    "look at the pages": acts.look_at_the_page,
    "ask Prometheus": acts.ask_prometheus,
}


class Local(Front):
    """The server's commands in a directory; a context manager that ends what it started."""

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        super().__init__()
        self._directory, self._say = directory, say
        self.ports["METRICS_PORT"] = choose()
        self._bin = directory / "venv" / "bin"
        self._ending = ExitStack()
        self._environ = {
            **os.environ,
            **self.secrets,
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "PYTHONPATH": "",
            "MDPLATFORM_INGEST": INGEST,
            "MDPLATFORM_CLICKHOUSE_PASSWORD": self.secrets["CLICKHOUSE_PASSWORD"],
            "MDPLATFORM_CLICKHOUSE_READER_PASSWORD": self.secrets["CLICKHOUSE_READER_PASSWORD"],
            "DAGSTER_HOME": str(directory / "home"),
        }

    def install(self) -> None:
        """As the image does, and the embedded broker and engine."""
        pip = [str(self._bin / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if not self._bin.exists():
            self._call(sys.executable, "-m", "venv", str(self._bin.parent))
        self._call(*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements.lock"))
        self._call(*pip, "--no-deps", "-c", str(ROOT / "constraints.txt"), *EMBEDDED)
        self._call(*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT))

    def start(self) -> dict[str, float]:
        """Seconds after which each part was ready, from the first one's start."""
        began, ready = time.monotonic(), dict[str, float]()
        port = self._ending.enter_context(
            running_postgres(self._directory / "postgres", self.secrets["DAGSTER_POSTGRES_PASSWORD"])
        )
        ready["postgres"] = time.monotonic() - began
        data = self._directory / "data"
        base = ["--only", "broker,clickhouse,simulator,signals", "--data-dir", str(data)]
        self._call("mdplatform", "up", "--detach", "--json", *base)
        found = stack_state.read(data)
        assert found is not None  # `up` wrote it
        self._ending.callback(self._call, "mdplatform", "down", "--data-dir", str(data))
        self.ports["CLICKHOUSE_PORT"] = int(re.findall(r":(\d+)", str(found.clickhouse))[-1])
        password = self.secrets["CLICKHOUSE_PASSWORD"]
        ready["clickhouse"] = time.monotonic() - began
        simulated = {name: str(found.simulator) for name in ("binance", "coinbase")}
        self._environ |= {
            "KAFKA_BROKERS": str(found.kafka),
            "CLICKHOUSE_URL": f"http://default:{password}@127.0.0.1:{self.ports['CLICKHOUSE_PORT']}",
            "MDPLATFORM_DATA_DIR": str(data),
            "MDPLATFORM_REST_URLS": ";".join(f"{name}={url}/{name}" for name, url in simulated.items()),
            "MDPLATFORM_WS_URLS": ";".join(f"{name}=ws{url[4:]}/{name}" for name, url in simulated.items()),
            "DAGSTER_POSTGRES_HOST": "127.0.0.1",
            "DAGSTER_POSTGRES_USER": "dagster",
            "DAGSTER_POSTGRES_DB": "dagster",
        }
        self._configure(port)
        self._say("dagster instance info: " + self._call("dagster", "instance", "info").split("\n")[0])
        for name in COMMANDS:
            self._spawn(name)
        self._start_prometheus()
        seconds_until(lambda: self.graphql("{ version }"))
        ready["webserver"] = time.monotonic() - began
        return ready

    def run(self, *arguments: str) -> str:
        """`docker compose exec -T SERVICE ...`, without its first three words."""
        return self._call(*arguments[3:])

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def _configure(self, postgres_port: int) -> None:
        """deploy/compose with this machine's directories and ports."""
        home = self._directory / "home"
        home.mkdir(exist_ok=True)
        instance = (COMPOSE / "dagster.yaml").read_text().replace("port: 5432", f"port: {postgres_port}")
        (home / "dagster.yaml").write_text(instance.replace("/var/lib/mdplatform", str(self._directory / "data")))
        workspace = (COMPOSE / "workspace.yaml").read_text().replace("host: code", "host: 127.0.0.1")
        (home / "workspace.yaml").write_text(workspace.replace("port: 4000", f"port: {self._code_port}"))

    def _start_prometheus(self) -> None:
        """With deploy/prometheus, and the ports that things have here. Raises Missing."""
        program = shutil.which("prometheus")
        if program is None:
            raise Missing("no Prometheus is installed (on Debian: apt-get install prometheus)")
        config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        jobs = {job["job_name"]: job for job in config["scrape_configs"]}
        for name, job in jobs.items():
            job["static_configs"] = [{"targets": [f"127.0.0.1:{self.ports[PROMETHEUS_JOBS[name]]}"]}]
        token = self._directory / "page_token"
        token.write_text(self.secrets["MDPLATFORM_DASHBOARD_TOKEN"])
        jobs["page"]["authorization"]["credentials_file"] = str(token)
        reader = {"username": "reader", "password": self.secrets["CLICKHOUSE_READER_PASSWORD"]}
        jobs["clickhouse"]["basic_auth"] = reader  # an embedded node has but one port, and asks who it is
        config["rule_files"] = [str(PROMETHEUS / "rules" / "*.yml")]
        file = self._directory / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        storage = f"--storage.tsdb.path={self._directory / 'prometheus'}"
        listen = f"--web.listen-address=127.0.0.1:{self.ports['PROMETHEUS_PORT']}"
        self._child("prometheus", [program, f"--config.file={file}", storage, listen])

    @property
    def _code_port(self) -> int:
        return self.ports["REDPANDA_PORT"]  # which is free: the broker has chosen its own

    def _spawn(self, name: str) -> None:
        words = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][name]["command"]
        here = {"0.0.0.0": "127.0.0.1", "=4000": f"={self._code_port}", "=3000": f"={self.ports['DAGSTER_PORT']}"}
        here["=3001"] = f"={self.ports['DASHBOARD_PORT']}"
        here["=9464"] = f"={self.ports['METRICS_PORT']}"
        here["/opt/dagster"] = str(self._directory / "home")
        for there, local in here.items():
            words = [word.replace(there, local) for word in words]
        self._child(name, [str(self._bin / words[0]), *words[1:]])

    def _child(self, name: str, program: list[str]) -> None:
        child: ChildProcess = spawn(program, name=name, log=self._directory / f"{name}.log", env=self._environ)
        self._ending.callback(child.stop)

    def _call(self, *command: str) -> str:
        with (self._directory / "rehearsal.log").open("a") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                check=True,
                env=self._environ,
                cwd=self._directory,
            )
        return done.stdout.strip()


def rehearse(directory: Path, say: Callable[[str], None]) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """When each part was ready, and what the acts found. Raises Missing without Postgres or Prometheus, and what an act
    raises."""
    directory.mkdir(parents=True, exist_ok=True)
    with Local(directory, say) as local:
        say("installing requirements.lock")
        local.install()
        say("starting everything")
        ready = local.start()
        found = []
        for name, act in ACTS.items():
            say(name)
            found.append((name, act(local)))
    return ready, found
