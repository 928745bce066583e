"""Dagster's processes of an embedded stack: one by one, so that one that dies takes no other along."""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

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


async def test_a_killed_code_server_is_known_to_have_failed_and_is_found_again_where_it_was(
    dagster: tuple[int, dict[str, Service]],
) -> None:
    port, services = dagster
    server = services["code server"]
    assert server.running is not None
    os.kill(server.running.pid, signal.SIGKILL)
    await eventually(lambda: server.failed, 10)
    assert not services["daemon"].failed
    assert not services["dagster"].failed
    server.start()
    await eventually(lambda: "ingest_supervisor" in sensors(port), 60)
