"""A ClickHouse node from the pip package chdb-core: the real engine, behind ClickHouse's HTTP protocol.

`start` spawns it as a process of its own; `python -m mdplatform.embedded.clickhouse` is that process.
"""

import http.client
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from mdplatform.core.private import private_directory
from mdplatform.core.process import ChildProcess, spawn

ENDPOINT_FILE = "endpoint.json"
ASKED_FILE = "asked"
MODULE = "mdplatform.embedded.clickhouse"
PASSWORD, READER_PASSWORD = "MDPLATFORM_CLICKHOUSE_PASSWORD", "MDPLATFORM_CLICKHOUSE_READER_PASSWORD"
KAFKA_PASSWORD = "MDPLATFORM_CLICKHOUSE_KAFKA_PASSWORD"
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|_KEY\b|CLICKHOUSE_URL", re.IGNORECASE)  # names of variables


class ClickHouseNode:
    """A running node. As a context manager it is stopped on leaving the block."""

    def __init__(self, process: ChildProcess, address: str, password: str, reader_password: str) -> None:
        self.process = process
        self.address = address  # without credentials
        self._password, self._reader_password = password, reader_password

    @property
    def url(self) -> str:
        """For CLICKHOUSE_URL: the address with the credentials of the user `default`."""
        return _with_credentials(self.address, "default", self._password)

    @property
    def reader_url(self) -> str:
        """The same for the user `reader`, who may only read."""
        return _with_credentials(self.address, "reader", self._reader_password)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.alive

    def stop(self, grace_seconds: float = 30.0) -> int:
        """End it cleanly: Kafka tables stop, files are closed. Returns the exit code."""
        return self.process.stop(grace_seconds)

    def kill(self) -> int:
        """End it as a crash would."""
        return self.process.kill()

    def __enter__(self) -> "ClickHouseNode":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def asked_file(data_dir: Path) -> Path:
    """The file of the node of `data_dir` whose time says when it was last asked about market data."""
    return data_dir / ASKED_FILE


def start(
    data_dir: Path,
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    password: str = "",
    reader_password: str = "",
    kafka: Mapping[str, str] | None = None,
    kafka_password: str = "",
    server: Mapping[str, str] | None = None,
    reader_limits: Mapping[str, str] | None = None,
    allowed_hosts: Sequence[str] = (),
    log: Path | None = None,
    die_with_parent: bool = True,
    ready_seconds: float = 60.0,
) -> ClickHouseNode:
    """Start a node on `data_dir` and wait until it answers. Port 0 takes a free one. Raises ProcessError.

    `kafka` are librdkafka options with _ for ., `kafka_password` its sasl_password, which is on no command line;
    `server` are server settings, `reader_limits` the reader's greatest values, `allowed_hosts` what the Host header may
    name beside loopback.
    """
    private_directory(data_dir)
    endpoint = data_dir / ENDPOINT_FILE
    command = [sys.executable, "-m", MODULE, "--data-dir", str(data_dir), "--host", host, "--port", str(port)]
    for option, pairs in (("--kafka", kafka), ("--server", server), ("--reader-limit", reader_limits)):
        for name, value in (pairs or {}).items():
            command += [option, f"{name}={value}"]
    for name in allowed_hosts:
        command += ["--allow-host", name]
    given = {PASSWORD: password, READER_PASSWORD: reader_password, KAFKA_PASSWORD: kafka_password}
    with _pipe(json.dumps(given).encode()) as secrets:
        process = spawn(
            [*command, "--secrets-fd", str(secrets)],
            name="ClickHouse",
            log=log or data_dir / "clickhouse.log",
            env=_environment(),
            die_with_parent=die_with_parent,
            pass_fds=(secrets,),
        )
    process.wait_until_ready(lambda: _answers(endpoint, process.pid), ready_seconds)
    return ClickHouseNode(process, str(json.loads(endpoint.read_text())["url"]), password, reader_password)


@contextmanager
def _pipe(content: bytes) -> Iterator[int]:
    """The reading end of a pipe that holds `content`: some hundred bytes, so that nobody has to wait."""
    reading, writing = os.pipe()
    try:
        os.write(writing, content)
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _environment() -> dict[str, str]:
    # The child must find this package also where it is not installed but only on the parent's path.
    root = str(Path(__file__).parents[3])
    return {
        # Of the secrets of our environment it needs none.
        **{name: "" for name in os.environ if SECRET.search(name)},
        "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))),
    }


def _answers(endpoint: Path, pid: int) -> bool:
    """Whether the process with this pid announced an address, and answers there."""
    try:
        announced = json.loads(endpoint.read_text())
    except ValueError:
        return False
    if announced["pid"] != pid:  # left over from one that was killed
        return False
    address = urlsplit(announced["url"])
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    finally:
        connection.close()


def _with_credentials(address: str, user: str, password: str) -> str:
    scheme, _, rest = address.partition("://")
    return (
        f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"
        if password
        else f"{scheme}://{user}@{rest}"
    )
