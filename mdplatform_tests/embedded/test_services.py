"""Dagster's processes of an embedded stack: one that dies takes no other along, and whoever is ended its children."""

import json
import os
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform.core.process import spawn
from mdplatform.embedded.ports import LOOPBACK, choose
from mdplatform.embedded.services import Dagster, Service
from mdplatform_tests.eventually import eventually


@pytest.fixture
def dagster(tmp_path: Path) -> Iterator[tuple[int, dict[str, Service]]]:
    """The port of the web page, and the started services by name. Nothing is to be collected."""
    port = choose()
    environ = {"MDPLATFORM_INGEST": "", "MDPLATFORM_DATA_DIR": str(tmp_path), "DAGSTER_DISABLE_TELEMETRY": "yes"}
    services = {s.name: s for s in Dagster(tmp_path / "dagster", port, choose(), environ, tmp_path / "logs").services()}
    try:
        for service in services.values():
            service.start()
        yield port, services
    finally:
        for service in reversed(services.values()):
            service.stop()


def sensors(port: int) -> set[str]:
    """Names of the sensors that the web page knows, which it asks the code server for; empty while it has none."""
    query = {"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { sensors { name } } } } }"}
    request = urllib.request.Request(
        f"http://{LOOPBACK}:{port}/graphql", json.dumps(query).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        nodes = json.load(answer)["data"]["repositoriesOrError"].get("nodes", [])
    return {sensor["name"] for node in nodes for sensor in node["sensors"]}


def only_child(pid: int) -> int:
    """0 while it has none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if pid else []
    return int(children[0]) if children else 0


async def test_a_killed_code_server_is_known_to_have_failed_and_is_found_again_where_it_was(
    dagster: tuple[int, dict[str, Service]],
) -> None:
    port, services = dagster
    server = services["code server"]
    assert server.running is not None
    os.kill(only_child(server.running.pid), signal.SIGKILL)
    await eventually(lambda: server.failed, 10)
    assert not services["daemon"].failed
    assert not services["dagster"].failed
    server.start()
    await eventually(lambda: "ingest_supervisor" in sensors(port), 60)


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_what_ends_as_a_group_takes_children_along_that_would_outlive_it(tmp_path: Path) -> None:
    # A server that waits for its child forever, as Dagster's does for a run.
    server = """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "600"]).wait()
"""
    command = [sys.executable, "-m", "mdplatform.embedded.process_group", sys.executable, "-c", server]
    with spawn(command, name="group", log=tmp_path / "log") as group:
        await eventually(lambda: only_child(only_child(group.pid)), 30)
        sleeping = only_child(only_child(group.pid))
        group.stop()
    await eventually(lambda: not lives(sleeping), 10)
