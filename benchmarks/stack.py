"""A broker and a ClickHouse node on loopback with every table and stream, for as long as a benchmark lasts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mdplatform.bus.admin import Admin
from mdplatform.core.settings import Settings
from mdplatform.embedded import clickhouse
from mdplatform.embedded.broker import start_broker
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import all_topics_read

PATIENCE_S = 240.0  # on a machine that does much else


@contextmanager
def warehouse() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        with start_broker(data / "broker") as broker, clickhouse.start(data / "clickhouse") as node:
            settings = Settings(kafka_brokers=broker.brokers, clickhouse_url=node.url)
            Admin(settings).ensure(all_topics_read(settings))
            migrate(settings)
            yield settings


def until(reached: Callable[[], bool], every_s: float = 0.02) -> float:
    """Monotonic time at which it was so; raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S:g} s in vain")
        time.sleep(every_s)
    return time.monotonic()
