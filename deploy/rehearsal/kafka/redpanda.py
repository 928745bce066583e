#!/usr/bin/env python3
"""`redpanda start ...` by Apache Kafka: the listeners of its command line, the properties of its .bootstrap.yaml."""

import os
import re
import subprocess
import sys
from pathlib import Path

DATA = Path("/var/lib/redpanda/data/kafka")
CONFIG = Path("/etc/redpanda/server.properties")
BOOTSTRAP = Path("/etc/redpanda/.bootstrap.yaml")
KAFKA_NAMES = {"auto_create_topics_enabled": "auto.create.topics.enable"}
CLUSTER_ID = "bWRwbGF0Zm9ybS1yZWhlYXI"
JAVA = ["java", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", "/opt/kafka/*"]


def option(name: str) -> str:
    (value,) = (a.partition("=")[2] for a in sys.argv if a.startswith(f"--{name}="))
    return re.sub(r"(\w+)://", lambda found: f"{found[1].upper()}://", value)


def bootstrap() -> dict[str, str]:
    """Cluster properties under Kafka's names. Raises KeyError for one that has none here."""
    lines = re.findall(r"^(\w+): *(\S+)", BOOTSTRAP.read_text(), re.MULTILINE)
    return {KAFKA_NAMES[name]: value for name, value in lines}


def properties() -> dict[str, object]:
    listeners = option("kafka-addr")
    names = [*re.findall(r"(\w+)://", listeners), "CONTROLLER"]
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": "1@127.0.0.1:9093",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:9093",
        "advertised.listeners": option("advertise-kafka-addr"),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in names),
        "inter.broker.listener.name": names[0],
        "log.dirs": DATA,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        **bootstrap(),
    }


CONFIG.write_text("".join(f"{name}={value}\n" for name, value in properties().items()))
format_log = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID, "-c", str(CONFIG)]
subprocess.run([*JAVA, *format_log], check=True)
os.execvp("java", [*JAVA, "kafka.Kafka", str(CONFIG)])
