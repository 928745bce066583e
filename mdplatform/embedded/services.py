"""The processes of an embedded stack: how each is started and how one knows that it is ready."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mdplatform.core.private import private_directory
from mdplatform.core.process import ChildProcess, spawn
from mdplatform.embedded.ports import LOOPBACK
from mdplatform.embedded.process_group import GRACE_S

DAGSTER_READY_S = 120.0
DEFINITIONS = "mdplatform.definitions"
LOCATION = "mdplatform"  # what the UI calls the code location; as in workspace.yaml
WEBSERVER = "mdplatform.defs.webserver"  # Dagster's own, behind our guard
INSTANCE_CONFIG = Path(__file__).parents[2] / "deploy" / "dagster" / "dagster.yaml"


class Running(Protocol):
    """What every started service can be asked."""

    @property
    def pid(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    def stop(self) -> int: ...


class Service:
    """A service that is started, looked after and ended. ``start`` returns once it answers."""

    def __init__(self, name: str, start: Callable[[], Running]) -> None:
        self.name = name
        self._start = start
        self.running: Running | None = None

    @property
    def failed(self) -> bool:
        return self.running is None or not self.running.alive

    def start(self) -> None:
        # What died may have had several processes: the others would keep its port.
        self.stop()
        self.running = self._start()

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()
            self.running = None


class CodeServer:
    """Dagster's code server: the runs that it starts are its children, and end with it."""

    def __init__(self, child: ChildProcess) -> None:
        self._child = child
        self.pid = child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    def stop(self) -> int:
        """SIGINT to the whole group, as Ctrl-C does: TERM to the parent alone would leave the runs behind."""
        self._signal(signal.SIGINT)
        deadline = time.monotonic() + GRACE_S
        while self._group_lives() and time.monotonic() < deadline:
            _ = self._child.alive  # reaps the leader, which would otherwise keep the group alive as a zombie
            time.sleep(0.1)
        self._signal(signal.SIGKILL)
        return self._child.stop()

    def _group_lives(self) -> bool:
        return self._signal(0)

    def _signal(self, number: int) -> bool:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return False
        return True


class Dagster:
    """Three processes that are started and looked after one by one: whichever dies, the others go on.

    ``dagster dev`` would be one command for all, but ends with any of them, and stays without a code server forever
    when that dies. State is in ``home``; all listen on loopback.
    """

    def __init__(self, home: Path, port: int, code_port: int, env: dict[str, str], logs: Path) -> None:
        self._home, self._port, self._code_port, self._logs = home, port, code_port, logs
        self._env = {**env, "DAGSTER_HOME": str(home)}

    def services(self) -> tuple[Service, ...]:
        """In the order in which they start; the last one is ready when the code location is loaded."""
        return (
            Service("code server", self._start_code_server),
            Service("daemon", self._start_daemon),
            Service("dagster", self._start_webserver),
        )

    @property
    def _workspace(self) -> Path:
        return self._home / "workspace.yaml"

    def _start_code_server(self) -> CodeServer:
        private_directory(self._home)
        if not (self._home / "dagster.yaml").exists():
            shutil.copy(INSTANCE_CONFIG, self._home / "dagster.yaml")
        address = {"host": LOOPBACK, "port": self._code_port, "location_name": LOCATION}
        # JSON is YAML.
        self._workspace.write_text(json.dumps({"load_from": [{"grpc_server": address}]}))
        arguments = ["-h", LOOPBACK, "-p", str(self._code_port), "-m", DEFINITIONS]
        # It would let its runs go on forever where the stack is killed.
        together = ["mdplatform.embedded.process_group", sys.executable, "-m"]
        child = self._spawn("code server", [*together, "dagster", "api", "grpc", *arguments])
        server = CodeServer(child)
        try:
            child.wait_until_ready(lambda: _listens(self._code_port), DAGSTER_READY_S)
        except BaseException:
            server.stop()
            raise
        return server

    def _start_daemon(self) -> ChildProcess:
        # At level info, each look of each sensor is a line: 40 MB a day.
        return self._spawn("daemon", ["dagster._daemon", "run", "-w", str(self._workspace), "--log-level", "warning"])

    def _start_webserver(self) -> ChildProcess:
        arguments = ["-h", LOOPBACK, "-p", str(self._port), "-w", str(self._workspace)]
        child = self._spawn("dagster", [WEBSERVER, *arguments])
        try:
            child.wait_until_ready(lambda: _location_is_loaded(self._port), DAGSTER_READY_S)
        except BaseException:
            child.stop()
            raise
        return child

    def _spawn(self, name: str, module: list[str]) -> ChildProcess:
        log = self._logs / f"{name.replace(' ', '-')}.log"
        return spawn([sys.executable, "-m", *module], name=name, log=log, env=self._env)


def start_command(name: str, env: dict[str, str], logs: Path) -> ChildProcess:
    """One of our own commands as a service that nobody asks anything: it is ready when it runs."""
    return spawn([sys.executable, "-m", "mdplatform", name], name=name, log=logs / f"{name}.log", env=env)


def start_server(
    name: str, arguments: list[str], ready_url: str, env: dict[str, str], log: Path, token: str = ""
) -> ChildProcess:
    """One of our own commands as a service; ready when ``ready_url``, which may want a token, answers with 200."""
    child = spawn([sys.executable, "-m", "mdplatform", *arguments], name=name, log=log, env=env)
    child.wait_until_ready(lambda: _get(ready_url, token=token) is not None)
    return child


def _get(url: str, data: bytes | None = None, token: str = "") -> bytes | None:
    """The body of a 200 answer from loopback; None for any other outcome."""
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy would not reach our loopback
    try:
        with opener.open(request, timeout=5) as answer:
            body: bytes = answer.read()
            return body
    except OSError:
        return None


def _listens(port: int) -> bool:
    """A code server listens once it has loaded its code."""
    with socket.create_connection((LOOPBACK, port), timeout=5):
        return True


def _location_is_loaded(port: int) -> bool:
    query = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"}
    body = _get(f"http://{LOOPBACK}:{port}/graphql", json.dumps(query).encode())
    if body is None:
        return False
    found = json.loads(body).get("data", {}).get("repositoriesOrError", {})
    return bool(found.get("nodes"))
