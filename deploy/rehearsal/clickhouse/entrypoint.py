"""The embedded node in clickhouse-server's place: what of config.d and users.d it can do, it is given.

It knows one owner, `default`, whose password is CLICKHOUSE_PASSWORD, and the user `reader`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

ETC = Path("/etc/clickhouse-server")
PLATFORM = ("kafka", "merge_tree", "backups", "background_message_broker_schedule_pool_size")


def settings() -> Iterator[tuple[str, str]]:
    """Names with dots and values of config.d, of the parts that the engine and our streams need."""
    for file in sorted((ETC / "config.d").glob("*.xml")):
        for part in ElementTree.parse(file).getroot():
            if part.tag in PLATFORM:
                yield from ((f"{part.tag}.{leaf.tag}", leaf.text or "") for leaf in part)
                if not len(part):
                    yield part.tag, part.text or ""


def reader_limits() -> Iterator[tuple[str, str]]:
    for file in sorted((ETC / "users.d").glob("*.xml")):
        for limit in ElementTree.parse(file).iterfind("profiles/reader/constraints/*"):
            yield limit.tag, limit.findtext("max", "")


options = ["--data-dir", "/var/lib/clickhouse", "--host", "0.0.0.0", "--port", "8123", "--allow-host", "clickhouse"]
for name, value in settings():
    kind = "--kafka" if name.startswith("kafka.") else "--server"
    options += [kind, f"{name.removeprefix('kafka.')}={value}"]
if "kafka.group_instance_id" not in dict(settings()):
    options += ["--kafka", "group_instance_id="]  # which the embedded broker needs, and therefore the node sets
for name, value in reader_limits():
    options += ["--reader-limit", f"{name}={value}"]
# The server's endpoint for Prometheus: a port of its own, without a login.
subprocess.Popen([sys.executable, str(Path(__file__).with_name("clickhouse-metrics.py"))])
os.environ["MDPLATFORM_CLICKHOUSE_PASSWORD"] = os.environ.pop("CLICKHOUSE_PASSWORD")
os.environ["MDPLATFORM_CLICKHOUSE_READER_PASSWORD"] = os.environ.pop("CLICKHOUSE_READER_PASSWORD")
os.execv(sys.executable, [sys.executable, "-m", "mdplatform.embedded.clickhouse", *options])
