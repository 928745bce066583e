"""docker-compose.yml as it runs here: brought up, asked from this machine through its published ports, taken down."""

from __future__ import annotations

import json
import os
import re
import resource
import secrets
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from mdplatform.embedded.ports import choose
from mdplatform_tests.rehearsal.engine import ROOT, STAND_INS, Engine

PROJECT = "mdplatform-rehearsal"
PORTS = (
    "REDPANDA_PORT",
    "CLICKHOUSE_PORT",
    "POSTGRES_PORT",
    "DAGSTER_PORT",
    "DASHBOARD_PORT",
    "PROMETHEUS_PORT",
)
INGEST = "binance:BTC-USDT,ETH-USDT;coinbase:BTC-USD,ETH-USD"
NOT_REHEARSED = ("console", "grafana")
PATIENCE_S = 1800.0  # a busy machine is slow, and that is no failure
FILES = 262_144  # what docker-compose.yml asks for
STATE = (
    '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} '
    "{{if .State.Health}}{{.State.Health.Status}}{{end}}"
)


class Front:
    """What a running server publishes on this machine's loopback; ``ports`` by the variable that sets them."""

    def __init__(self) -> None:
        example = (ROOT / ".env.example").read_text()
        self.secrets = {name: secrets.token_hex(12) for name in re.findall(r"^(\w+)=", example, re.MULTILINE)}
        self.ports = {name: choose() for name in PORTS}

    def run(self, *arguments: str) -> str:
        """What `docker compose ...` prints, or the same without containers."""
        raise NotImplementedError

    def get(self, port: str, path: str, headers: dict[str, str] | None = None, data: bytes | None = None) -> bytes:
        """Raises OSError, HTTPError among them."""
        url = f"http://127.0.0.1:{self.ports[port]}{path}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(url, data, headers or {}), timeout=15) as answer:
            body: bytes = answer.read()
        return body

    def read(self, sql: str) -> str:
        """As the user `reader`. Raises OSError."""
        login = {"X-ClickHouse-User": "reader", "X-ClickHouse-Key": self.secrets["CLICKHOUSE_READER_PASSWORD"]}
        return self.get("CLICKHOUSE_PORT", "/?database=marketdata", login, sql.encode()).decode().strip()

    def graphql(self, query: str, **variables: Any) -> Any:
        """Dagster's answer. Raises OSError, or ValueError with what Dagster objects to."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = json.loads(self.get("DAGSTER_PORT", "/graphql", {"Content-Type": "application/json"}, body))
        if "errors" in answer:
            raise ValueError(answer["errors"][0]["message"])
        return answer["data"]


class Deployment(Front):
    """One project of containers; ``volumes`` outlive ``down``."""

    def __init__(self, engine: Engine, directory: Path) -> None:
        super().__init__()
        self._engine, self._directory = engine, directory
        given = {name: str(port) for name, port in self.ports.items()}
        files = min(FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        given["NOFILE"] = str(files)
        self._environ = {**os.environ, **self.secrets, **given, "MDPLATFORM_INGEST": INGEST, "DOCKER_BUILDKIT": "0"}
        self._compose = self._command()

    @cached_property
    def services(self) -> list[str]:
        """Those that last, in the order of the file, and the simulator."""
        named = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        return [name for name in (*named, "simulator") if name not in (*NOT_REHEARSED, "migrate")]

    def run(self, *arguments: str, input_file: Path | None = None, output_file: Path | None = None) -> str:
        """`docker compose ...`. Raises CalledProcessError; what it says is in the rehearsal's log."""
        with (
            (self._directory / "rehearsal.log").open("a") as log,
            (input_file or Path(os.devnull)).open("rb") as stdin,
            (output_file or self._directory / "answer").open("wb") as stdout,
        ):
            log.write(f"$ docker compose {' '.join(arguments)}\n")
            log.flush()
            command = [*self._compose, *arguments]
            subprocess.run(command, stdin=stdin, stdout=stdout, stderr=log, check=True, env=self._environ, cwd=ROOT)
        return "" if output_file else (self._directory / "answer").read_text(errors="replace").strip()

    def up(self) -> dict[str, float]:
        """Bring everything up; seconds after which each service was healthy. Raises TimeoutError naming the others."""
        began, healthy = time.monotonic(), dict[str, float]()
        with (self._directory / "rehearsal.log").open("a") as log:
            command = [*self._compose, "up", "--detach", "--no-build"]
            rising = subprocess.Popen(command, stdout=log, stderr=log, env=self._environ, cwd=ROOT)
            try:
                while len(healthy) < len(self.services):
                    passed = time.monotonic() - began
                    if rising.poll() or passed > PATIENCE_S:
                        missing = ", ".join(sorted(set(self.services) - healthy.keys()))
                        raise TimeoutError(f"not healthy after {passed:.0f} s: {missing}")
                    for service, state in self.states().items():
                        if state == "healthy":
                            healthy.setdefault(service, passed)
                    time.sleep(0.5)
            finally:
                rising.terminate()  # all are up, or it would start more while others are taken down
                rising.wait()
        return healthy

    def down(self, *options: str) -> None:
        self.run("down", *options)

    def states(self) -> dict[str, str]:
        """healthy, starting, unhealthy or what else Docker says, by service."""
        of_project = f"label=com.docker.compose.project={PROJECT}"
        names = self._engine.docker("ps", "--all", "--quiet", "--no-trunc", "--filter", of_project).split()
        lines = self._engine.docker("inspect", "--format", STATE, *names).splitlines() if names else []
        rows = [line.split() for line in lines]
        return {row[0]: row[-1] for row in rows if row[0] in self.services}

    def started(self, service: str) -> str:
        """When its container was started last."""
        return self._engine.docker("inspect", "--format", "{{.State.StartedAt}}", self.run("ps", "--quiet", service))

    def forget(self, *volumes: str) -> None:
        """Delete what was stored in them."""
        self._engine.docker("volume", "rm", *(f"{PROJECT}_{name}" for name in volumes))

    def kill(self, service: str) -> None:
        """SIGKILL to the service's first process, from outside, as the kernel does it when memory is out."""
        os.kill(self._first_process(service), signal.SIGKILL)

    def collector(self, venue: str) -> int | None:
        """The process that collects from the venue, by its number outside of its container; None where none does."""
        lines = self._engine.docker("top", self.run("ps", "--quiet", "code"), "-eo", "pid,args").splitlines()
        found = [line.split()[0] for line in lines if f" collect --venue {venue} " in line]
        return int(found[0]) if found else None

    def confinement(self, service: str) -> list[str]:
        """User, whether its root is read-only, the rights it dropped, its first process."""
        fields = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Init}}"
        return self._engine.docker("inspect", "--format", fields, self.run("ps", "--quiet", service)).split()

    def exit_code(self, service: str) -> int:
        """Of its container, which has ended."""
        named = self.run("ps", "--all", "--quiet", service)
        return int(self._engine.docker("inspect", "--format", "{{.State.ExitCode}}", named))

    def logs(self) -> None:
        """Keep what all containers have said in the rehearsal's directory."""
        self.run("logs", "--no-color", output_file=self._directory / "containers.log")

    def _first_process(self, service: str) -> int:
        return int(self._engine.docker("inspect", "--format", "{{.State.Pid}}", self.run("ps", "--quiet", service)))

    def _command(self) -> list[str]:
        """Of the compose that is there. 1.x does not know the file's `name`, which -p gives in any case."""
        file, program = ROOT / "docker-compose.yml", ["docker", "compose"]
        if subprocess.run([*program, "version"], capture_output=True, check=False).returncode:
            program = [shutil.which("docker-compose") or "docker-compose"]
            text = re.sub(r"^name: .*$", "", file.read_text(), flags=re.MULTILINE)
            file = self._directory / "docker-compose.yml"
            file.write_text(text)
        files = ["-f", str(file), "-f", str(STAND_INS / "docker-compose.yml")]
        return [*program, "--project-directory", str(ROOT), "-p", PROJECT, *files]


def seconds_until(condition: Callable[[], object], since: float | None = None, patience_s: float = PATIENCE_S) -> float:
    """Seconds until it holds; an OSError means not yet. Raises TimeoutError."""
    began = time.monotonic() if since is None else since
    while not _holds(condition):
        if time.monotonic() - began > patience_s:
            raise TimeoutError(
                f"{getattr(condition, '__doc__', None) or condition} did not come true in {patience_s:g} s"
            )
        time.sleep(0.25)
    return time.monotonic() - began


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except (OSError, ValueError):
        return False
