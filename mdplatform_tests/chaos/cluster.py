"""Apache Kafka itself, without ZooKeeper (KRaft): as many nodes as wanted, each a broker and a controller."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from mdplatform.core.process import ChildProcess, spawn
from mdplatform.embedded.ports import LOOPBACK, choose

POM = Path(__file__).with_name("pom.xml")
CLUSTER_ID = "bWRwbGF0Zm9ybS10ZXN0cw"
HEAP = ("-Xms96m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
READY_S = 120.0


class Missing(Exception):
    """What Kafka needs and this machine has not."""


class Node:
    """One broker; ``start`` after ``kill`` goes on with its log."""

    def __init__(self, number: int, directory: Path, jars: Path) -> None:
        self.number, self.directory = number, directory
        self.port, self.controller_port = choose(), choose()
        self._classpath = f"{jars}/*"
        self._process: ChildProcess | None = None

    def prepare(self, nodes: list[Node]) -> None:
        """Write its configuration and format its log."""
        self.directory.mkdir(parents=True)
        self._config.write_text("\n".join(f"{name}={value}" for name, value in self._properties(nodes).items()))
        format_log = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._config)]
        subprocess.run(self._java(*format_log), check=True, capture_output=True, timeout=READY_S)

    def start(self) -> None:
        log = self.directory / "node.log"
        self._process = spawn(self._java("kafka.Kafka", str(self._config)), name=f"kafka {self.number}", log=log)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(60.0)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    @property
    def _config(self) -> Path:
        return self.directory / "server.properties"

    def _java(self, *arguments: str) -> list[str]:
        return ["java", *HEAP, "-cp", self._classpath, *arguments]

    def _properties(self, nodes: list[Node]) -> dict[str, object]:
        copies = min(3, len(nodes))
        return {
            "process.roles": "broker,controller",
            "node.id": self.number,
            "controller.quorum.voters": ",".join(f"{n.number}@{LOOPBACK}:{n.controller_port}" for n in nodes),
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{self.port}",
            "log.dirs": self.directory / "log",
            "default.replication.factor": copies,
            "min.insync.replicas": max(1, copies - 1),
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": max(1, copies - 1),
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "broker.session.timeout.ms": 6000,
        }


class Cluster:
    """A context manager: prepared, started and answering inside of the block."""

    def __init__(self, directory: Path, jars: Path, size: int) -> None:
        self.nodes = [Node(number, directory / f"kafka{number}", jars) for number in range(1, size + 1)]

    @property
    def brokers(self) -> str:
        return ",".join(f"{LOOPBACK}:{node.port}" for node in self.nodes)

    def until_ready(self) -> None:
        """Wait until every node is known as a broker. Raises TimeoutError."""
        deadline = time.monotonic() + READY_S
        while self._living() < len(self.nodes):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._living()} of {len(self.nodes)} Kafka nodes answer after {READY_S:g} s")
            time.sleep(0.5)

    def __enter__(self) -> Self:
        try:
            for node in self.nodes:
                node.prepare(self.nodes)
                node.start()
            self.until_ready()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._kill()

    def _kill(self) -> None:
        for node in self.nodes:
            node.kill()

    def _living(self) -> int:
        try:
            return len(AdminClient({"bootstrap.servers": self.brokers, "log_level": 0}).list_topics(timeout=3).brokers)
        except KafkaException:
            return 0


def jars(directory: Path) -> Path:
    """Where Kafka's jars are, having fetched them with Maven if need be. Raises Missing."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise Missing(f"Kafka itself needs {tool}, which is not on the PATH")
    ready = directory / "ready"
    if not ready.exists():
        fetch = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
        done = subprocess.run([*fetch, f"-DoutputDirectory={directory}"], capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stdout.splitlines() if "ERROR" in line]
            raise Missing(f"Maven cannot fetch Kafka: {errors[0] if errors else done.returncode}")
        ready.touch()
    return directory
