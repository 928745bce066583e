"""The recordings in a database of the real engine, once for all tests of this folder."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export
from mdplatform.core.events import Event
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.rollups import build_spread_hourly
from mdplatform_tests.archive.stored import EXCHANGE, fill
from mdplatform_tests.read.recorded import END, START, TAPES, events, store
from mdplatform_tests.warehouse.copied import Copies, drop

INVENTED = ("funding", "increments", "index", "liquidations", "open_interest", "options", "statuses")
HOURS = (START.replace(hour=22), START, END.replace(hour=0))


@pytest.fixture(scope="session")
def recorded(shared_data: Path) -> dict[str, list[Event]]:
    """The events of each venue."""
    return {exchange: events(shared_data, exchange) for exchange, _ in TAPES}


@pytest.fixture(scope="session")
def market(clickhouse_node: ClickHouseNode, copies: Copies, recorded: dict[str, list[Event]]) -> Iterator[Settings]:
    """Settings of a database with the recordings, and with an invented hour before them of what they have none of."""
    settings = Settings(clickhouse_url=clickhouse_node.url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}")
    copies.make(settings)
    with connect(settings) as client:
        for found in recorded.values():
            store(client, found)
        fill(client, 20, 0, *INVENTED)
        for hour in HOURS[1:]:
            build_spread_hourly(client, hour)
    yield settings
    drop(settings)


@pytest.fixture(scope="session")
def archive(market: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows as the archive holds them."""
    root = tmp_path_factory.mktemp("archive")
    with connect(market) as client:
        for hour in HOURS:
            for name in DATASETS:
                for exchange in (EXCHANGE, *(exchange for exchange, _ in TAPES)):
                    rows = stream(client, export(name), exchange=exchange, hour=hour)
                    publish(root, Partition(name, exchange, hour), rows, Origin(query=name, code_version="test"))
    return root


@pytest.fixture(scope="session")
def reader(market: Settings, clickhouse_node: ClickHouseNode) -> Settings:
    """The same for the user who may only read."""
    return dataclasses.replace(
        market, clickhouse_url="http://nobody@127.0.0.1:1", clickhouse_reader_url=clickhouse_node.reader_url
    )
