"""The processes of an embedded stack: how each is started and how one knows that it is ready."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mdplatform.embedded.ports import LOOPBACK
from mdplatform.embedded.process import ChildProcess, spawn

DAGSTER_READY_SECONDS = 120.0
DAGSTER_GRACE_SECONDS = 25.0
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


class DagsterProcess:
    """``dagster dev``: a parent whose children (webserver, daemon, code server, runs) must end with it."""

    def __init__(self, child: ChildProcess) -> None:
        self._child = child
        self.pid = child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    def stop(self) -> int:
        """SIGINT to the whole group, as Ctrl-C does: TERM to the parent alone would leave the runs behind."""
        self._signal(signal.SIGINT)
        deadline = time.monotonic() + DAGSTER_GRACE_SECONDS
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


def start_dagster(home: Path, port: int, env: dict[str, str], log: Path) -> DagsterProcess:
    """Webserver and daemon on loopback, with state in ``home``; ready when the code location is loaded."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copy(INSTANCE_CONFIG, home / "dagster.yaml")
    command = [sys.executable, "-m", "dagster", "dev", "-m", "mdplatform.definitions", "-h", LOOPBACK, "-p", str(port)]
    child = spawn(command, name="dagster", log=log, env={**env, "DAGSTER_HOME": str(home)})
    try:
        child.wait_until_ready(lambda: _location_is_loaded(port), DAGSTER_READY_SECONDS)
    except BaseException:
        DagsterProcess(child).stop()
        raise
    return DagsterProcess(child)


def start_command(name: str, arguments: list[str], ready_url: str, env: dict[str, str], log: Path) -> ChildProcess:
    """One of our own commands as a service; ready when ``ready_url`` answers with 200."""
    child = spawn([sys.executable, "-m", "mdplatform", *arguments], name=name, log=log, env=env)
    child.wait_until_ready(lambda: _get(ready_url) is not None)
    return child


def _get(url: str, data: bytes | None = None) -> bytes | None:
    """The body of a 200 answer from loopback; None for any other outcome."""
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy would not reach our loopback
    try:
        with opener.open(request, timeout=5) as answer:
            body: bytes = answer.read()
            return body
    except OSError:
        return None


def _location_is_loaded(port: int) -> bool:
    query = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"}
    body = _get(f"http://{LOOPBACK}:{port}/graphql", json.dumps(query).encode())
    if body is None:
        return False
    found = json.loads(body).get("data", {}).get("repositoriesOrError", {})
    return bool(found.get("nodes"))
