"""A Kafka broker on loopback from the pip package ``noida-db``, for a machine without Docker.

It saves its state to disk every few seconds, so a kill can lose the last ones: for trying out and for tests, not for
data that nobody can get again. It answers an idle consumer at once, forever: clients reach it through a relay
(``longpoll``). It keeps everything unless a topic's retention is set, sends a whole backlog in one response whatever
the fetch limits (clients need a large ``receive.message.max.bytes``) and never expires a dead group member (consumers
need a ``group.instance.id``): ``bus/config.py`` and ``bus/admin.py`` see to these three.
"""

import json
import logging
import os
import signal
import socket
import sys
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from mdplatform.core.errors import ConfigError
from mdplatform.core.private import private_directory
from mdplatform.core.process import ChildProcess, ProcessError, spawn

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
RELAY = "mdplatform.embedded.fetch_relay"
READY_S = 30.0
# On SIGTERM it writes all it holds; gigabytes take seconds.
STOP_GRACE_S = 60.0
PORT_ATTEMPTS = 5


class Broker:
    """A running broker. As a context manager it is stopped on leaving the block."""

    def __init__(self, port: int, process: ChildProcess, relay: ChildProcess) -> None:
        self.port = port
        self.process = process
        self.relay = relay

    @property
    def brokers(self) -> str:
        """What KAFKA_BROKERS should say."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.alive and self.relay.alive

    def stop(self, grace_seconds: float = STOP_GRACE_S) -> int:
        """Let it save its data and end; SIGKILL after the grace period. Returns the exit code."""
        self.resume()  # a frozen process would not see the SIGTERM
        self.relay.stop()
        return self.process.stop(grace_seconds)

    def kill(self) -> int:
        """SIGKILL: what was written in the last seconds is lost. Returns the exit code."""
        self.relay.kill()
        return self.process.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)
        # The signal alone leaves its threads a moment to answer in; without WNOWAIT an exit code would be taken away.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Undo ``pause``."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process.alive:
            os.kill(self.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def start_broker(
    data_dir: Path | str, port: int = 0, die_with_parent: bool = True, asked_file: Path | None = None
) -> Broker:
    """Start a broker on loopback and wait until it answers a metadata request.

    ``port`` 0 takes a free one. ``asked_file``: of the ClickHouse node that reads from here, which then gets messages
    every three seconds while nobody asks it anything. The log is ``data_dir/broker.log``. Raises ConfigError when the
    package is not installed and ProcessError, with the end of the log, when the broker does not come up.
    """
    binary, directory = _binary(), Path(data_dir)
    private_directory(directory)
    for attempt in range(PORT_ATTEMPTS):
        try:
            return _start_on(binary, directory, port or _free_port(), die_with_parent, asked_file)
        except ProcessError:
            # Between our look and its bind somebody else may have taken the free port; a port asked for is final.
            if port or attempt == PORT_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _start_on(binary: Path, directory: Path, port: int, die_with_parent: bool, asked_file: Path | None) -> Broker:
    behind = _free_port()
    command = [str(binary), "start", "--only", "kafka", "--kafka-port", str(behind), "--data-dir", str(directory)]
    log_file = directory / "broker.log"
    # Beside its data it keeps the token by which it is controlled.
    process = spawn(command, name="broker", log=log_file, die_with_parent=die_with_parent, umask=0o077)
    pid_file = directory / "relay.pid"
    options = ["--port", str(port), "--broker-port", str(behind), "--pid-file", str(pid_file)]
    options += ["--asked-file", str(asked_file)] if asked_file is not None else []
    relay = spawn(
        [sys.executable, "-m", RELAY, *options],
        name="broker relay",
        log=directory / "relay.log",
        die_with_parent=die_with_parent,
    )
    broker = Broker(port, process, relay)
    try:
        process.wait_until_ready(lambda: _is_ours(directory, process.pid), READY_S)
        # By its pid: on a taken port somebody else's broker would answer.
        relay.wait_until_ready(lambda: pid_file.read_text() == str(relay.pid), READY_S)
        relay.wait_until_ready(lambda: _answers(broker.brokers), READY_S)
    except BaseException:
        broker.kill()
        raise
    return broker


def _binary() -> Path:
    """The program itself: the package's console script would put a Python process between us and its pid."""
    try:
        path = Path(str(files("noida_db"))) / "noida-db"
    except ModuleNotFoundError:
        raise ConfigError("the embedded broker needs the package noida-db (pip install mdplatform[embedded])") from None
    if not os.access(path, os.X_OK):  # not every installer keeps the bit
        path.chmod(0o755)
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_ours(directory: Path, pid: int) -> bool:
    """Whether the broker of this directory is our child: on a taken port somebody else's would answer for it."""
    try:
        return bool(json.loads((directory / "noida.control.json").read_bytes())["pid"] == pid)
    except ValueError:  # being written
        return False


def _answers(brokers: str) -> bool:
    try:
        AdminClient({"bootstrap.servers": brokers}, logger=log).list_topics(timeout=2)
    except KafkaException:
        return False
    return True
