"""Everything from a market to the tables, each part a process that can be killed by its handle."""

from __future__ import annotations

import dataclasses
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.reader import Reader
from mdplatform.core.errors import MdplatformError
from mdplatform.core.process import ChildProcess, spawn
from mdplatform.core.settings import Settings
from mdplatform.embedded import clickhouse
from mdplatform.embedded.broker import Broker, start_broker
from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import all_topics_read
from mdplatform_tests.chaos.account import Account, channel_of, reconcile
from mdplatform_tests.chaos.market import Market
from mdplatform_tests.chaos.witness import Acknowledged, read

VENUE = "binance"
SYMBOLS = "BTC-USDT,ETH-USDT,SOL-USDT"
PATIENCE_S = 90.0
NEWEST = "SELECT toInt64(toUnixTimestamp64Nano(max(received_at))) FROM md_orderbook_depth_store"


class Line:
    """A broker, a ClickHouse node, and collectors between a market and them."""

    def __init__(self, directory: Path, market: Market, brokers: str | None) -> None:
        """Starts a node and, unless it is given some, a broker; builds the tables."""
        self.directory, self.market = directory, market
        self._broker = start_broker(directory / "kafka") if brokers is None else None
        self.node: ClickHouseNode = clickhouse.start(directory / "clickhouse")
        self.collectors: list[ChildProcess] = []
        self._witnesses: list[Path] = []
        addresses = {"kafka_brokers": brokers or self.broker.brokers, "clickhouse_url": self.node.url}
        self.settings = Settings(**addresses, data_dir=str(directory))
        Admin(self.settings).ensure([*platform_topics(self.settings, [VENUE]), *all_topics_read(self.settings)])
        migrate(self.settings)

    @property
    def broker(self) -> Broker:
        """The embedded one of this line."""
        assert self._broker is not None, "this line has brokers of somebody else's"
        return self._broker

    def collect(self, letter: str = "A", home: str = "", **replaced: str) -> ChildProcess:
        """Start a collector; its shard's lock is in ``home``. ``replaced`` are settings by their variables."""
        environ = {f.metadata["variable"]: str(getattr(self.settings, f.name)) for f in dataclasses.fields(Settings)}
        environ["MDPLATFORM_DATA_DIR"] = str(self.directory / (home or "home"))
        witness = self.directory / f"{uuid.uuid4().hex[:8]}.acknowledged"
        addresses = [replaced.pop("ws_url", self.market.ws_url), self.market.rest_url]
        command = [sys.executable, "-m", "mdplatform_tests.chaos.witness", str(witness), VENUE, SYMBOLS, *addresses]
        process = spawn([*command, letter], name="collector", log=witness.with_suffix(".log"), env=environ | replaced)
        self._witnesses.append(witness)
        self.collectors.append(process)
        return process

    def step_clock(self, seconds: float) -> None:
        """Of the collectors: what their wall clock is off from now on."""
        for witness in self._witnesses:
            witness.with_suffix(".step").write_text(str(seconds))

    def restart_broker(self) -> None:
        self._broker = start_broker(self.directory / "kafka", self.broker.port)

    def restart_node(self) -> None:
        port = urllib.parse.urlsplit(self.node.address).port or 0
        self.node = clickhouse.start(self.directory / "clickhouse", port)

    def client(self) -> Client:
        return connect(self.settings)

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Rows; none while ClickHouse is away."""
        try:
            with self.client() as client:
                return [tuple(row) for row in client.query(sql).result_rows]
        except (MdplatformError, ClickHouseError):
            return []

    def until_newer(self, than_ns: int | None = None, seconds: float = PATIENCE_S) -> float:
        """Wait for a book that was received later, by default than now; how many seconds that took."""
        than_ns = time.time_ns() if than_ns is None else than_ns
        return until(lambda: (self.ask(NEWEST) or [(0,)])[0][0] > than_ns, seconds)  # type: ignore[operator]

    def acknowledged(self) -> list[Acknowledged]:
        """What all collectors know to be acknowledged."""
        return [message for path in self._witnesses for message in read(path)]

    def settled(self, seconds: float = PATIENCE_S) -> Account:
        """End the collectors; what there is once everything has been read, or the time is over."""
        for collector in self.collectors:
            collector.stop(30.0)
        acknowledged, log = self.acknowledged(), served(self.settings)
        deadline = time.monotonic() + seconds
        while True:
            with self.client() as client:
                account = reconcile(client, acknowledged, log)
            if account.is_whole or time.monotonic() > deadline:
                return account
            time.sleep(1.0)

    def close(self) -> None:
        for collector in self.collectors:
            collector.kill()
        self.node.kill()
        if self._broker is not None:
            self._broker.kill()


@contextmanager
def running(directory: Path, market: Market, brokers: str | None = None) -> Iterator[Line]:
    """A line whose parts are ended at the end, however they are."""
    line = Line(directory, market, brokers)
    try:
        yield line
    finally:
        line.close()


def served(settings: Settings) -> list[Acknowledged]:
    """Books and trades as the broker gives them to whoever reads."""
    admin = Admin(settings)
    topics = [topic for topic in admin.topics() if channel_of(topic)]
    with Reader(settings) as reader:
        return [
            Acknowledged(topic, partition, message.offset, message.value)
            for (topic, partition), (low, high) in admin.watermarks(topics).items()
            for message in reader.read_range(topic, partition, low, high)
        ]


def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> float:
    """Wait until it holds; how long that took. Raises TimeoutError."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"waited {seconds:g} s in vain")
        time.sleep(0.1)
    return time.monotonic() - began
