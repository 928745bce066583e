"""Recordings in ClickHouse and in an archive, and the tools that must read what is written, where installed."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.open_store import store_at
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export as export_statement
from mdplatform.core.events import BookChange, Event
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform.export.source import Source
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect
from mdplatform_tests.archive.stored import EXCHANGE, fill
from mdplatform_tests.read.recorded import store
from mdplatform_tests.venues.recordings_digest import recorded
from mdplatform_tests.venues.test_book_changes import played
from mdplatform_tests.warehouse.copied import Copies, drop
from mdplatform_tests.warehouse.test_book_at import put_changes

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-exports" / "bin" / "python"
FEEDS = {("binance-usdm", "BTC-USDT-PERP"): "binance/hft_usdm_btcusdt", ("binance", "BTC-USDT"): "binance/hft_spot"}
START, END = datetime(2024, 8, 8, 22, tzinfo=UTC), datetime(2024, 8, 9, tzinfo=UTC)
DATASETS = ("books", "increments", "trades", "quotes", "statuses", "funding", "liquidations", "open_interest")

Call = Callable[..., Any]


class Market(NamedTuple):
    settings: Settings
    archive: Path
    events: dict[tuple[str, str], list[Event]]

    def source(self, name: str) -> Source:
        return Source(self.settings, None if name == "clickhouse" else store_at(self.archive))

    def changes(self, feed: tuple[str, str]) -> list[BookChange]:
        return [event for event in self.events[feed] if isinstance(event, BookChange)]


@pytest.fixture(scope="session")
def market(
    clickhouse_node: ClickHouseNode, copies: Copies, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Market]:
    """Two feeds with their changes, trades and quotes, and an invented hour of funding and liquidations."""
    settings = Settings(clickhouse_url=clickhouse_node.url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}")
    found = Market(settings, tmp_path_factory.mktemp("archive"), {})
    copies.make(settings)
    with connect(settings) as client:
        for feed, name in FEEDS.items():
            events = [event for event in played(feed[0], recorded(name)[1], 20) if event.symbol == feed[1]]  # type: ignore[union-attr]
            found.events[feed] = events
            store(client, events)
            put_changes(client, found.changes(feed))
        fill(client, 20, 0, "funding", "liquidations", "open_interest")
        for hour in (START, START + timedelta(hours=1)):
            for dataset in DATASETS:
                for venue in {*(venue for venue, _ in FEEDS), EXCHANGE}:
                    rows = stream(client, export_statement(dataset), exchange=venue, hour=hour)
                    publish(found.archive, Partition(dataset, venue, hour), rows, Origin(query="", code_version=""))
    yield found
    drop(settings)


@pytest.fixture
def reader() -> Call:
    """Runs one of ``readers/*.py`` by the tools' own Python, and gives what it printed as JSON."""
    if not PYTHON.exists():
        pytest.skip("hftbacktest and nautilus_trader are not installed: `make exports-venv`")

    def call(name: str, *arguments: object) -> Any:
        script = Path(__file__).parent / "readers" / f"{name}.py"
        done = subprocess.run(
            [PYTHON, script, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=170
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return call
