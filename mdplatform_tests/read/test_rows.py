"""Frames from ClickHouse and from the archive: the same answer, and errors that say what to change."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from mdplatform import read
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.publish import publish
from mdplatform.archive.verify import batches
from mdplatform.core.errors import ArchiveError, ConfigError, MdplatformError, WarehouseError
from mdplatform.core.events import Book, Event, Trade
from mdplatform.core.settings import Settings
from mdplatform_tests.archive.s3 import S3Server
from mdplatform_tests.read.conftest import HOURS
from mdplatform_tests.read.recorded import END, START, numbers

FIRST, LAST = HOURS[0], END
MINUTE = datetime(2024, 8, 8, 23, 55, tzinfo=UTC)


@pytest.mark.parametrize("dataset", DATASETS)
def test_both_sources_give_the_same_rows_columns_and_types(market: Settings, archive: Path, dataset: str) -> None:
    live = read.table(dataset, start=FIRST, end=LAST, settings=market)
    kept = read.table(dataset, start=FIRST, end=LAST, source=archive)
    assert live.schema == kept.schema
    columns = DATASETS[dataset].schema
    assert pa.schema(list(live.schema)[: len(columns)]) == columns  # behind them what follows from best prices
    assert live.num_rows > 0
    assert live.equals(kept)


@pytest.mark.parametrize("dataset", ["books", "trades", "statuses", "funding"])
def test_both_sources_give_the_same_frame_of_a_part(market: Settings, archive: Path, dataset: str) -> None:
    """Other venues and symbols left out, and a range that begins and ends within an hour."""
    part = {
        "start": FIRST + timedelta(seconds=10),
        "end": MINUTE + timedelta(seconds=10),
        "venues": ["okx", "binance-usdm", "binance"],
        "symbols": ("BTC-USDT", "ETH-USDT-PERP"),
    }
    live = read.frame(dataset, settings=market, **part)  # type: ignore[arg-type]
    kept = read.frame(dataset, source=str(archive), **part)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(live, kept)
    assert len(live) > 0
    assert set(live["symbol"]) <= {"BTC-USDT", "ETH-USDT-PERP"}
    assert "binance-usdm" not in set(live["exchange"])


def test_trades_are_those_that_were_recorded(recorded: dict[str, list[Event]], market: Settings) -> None:
    frame = read.frame("trades", venues="binance", start=START, end=END, settings=market)
    trades = [event for event in recorded["binance"] if isinstance(event, Trade)]
    expected = sorted((trade.venue_ns, trade.id, float(trade.price), float(trade.size), trade.side) for trade in trades)
    times = frame["venue_time"].astype("int64")
    columns = (times, frame["id"], frame["price"], frame["qty"], frame["side"])
    assert list(zip(*columns, strict=True)) == expected


def test_levels_of_a_book_are_arrays(recorded: dict[str, list[Event]], market: Settings) -> None:
    frame = read.frame("books", venues="binance-usdm", start=START, end=END, settings=market)
    last = [event for event in recorded["binance-usdm"] if isinstance(event, Book)][-1]
    row = frame.set_index("sequence").loc[last.sequence]
    assert row["b"].tolist() == numbers(last.bid_prices)
    assert row["av"].tolist() == numbers(last.ask_sizes)


def test_times_are_in_utc_and_whole_numbers_stay_whole(market: Settings) -> None:
    types = read.frame("books", venues="okx", start=START, end=END, settings=market).dtypes
    assert (str(types["timestamp"]), str(types["received_time"])) == ("datetime64[ms, UTC]", "datetime64[ns, UTC]")
    assert (str(types["previous_sequence"]), str(types["_partition"])) == ("Int64", "Int32")


def test_an_interval_that_began_before_the_range_is_seen(market: Settings, archive: Path) -> None:
    at = {"start": MINUTE + timedelta(seconds=20), "end": MINUTE + timedelta(seconds=21), "venues": "binance"}
    for source in ({"settings": market}, {"source": archive}):
        states = read.frame("statuses", **at, **source)  # type: ignore[arg-type]
        assert "valid" in set(states.loc[states["channel"] == "book", "state"])


def test_the_reader_is_who_asks(reader: Settings) -> None:
    # The embedded node lets its reader see the database of a platform, not that of a test.
    with pytest.raises(WarehouseError, match="reader: Not enough privileges"):
        read.table("trades", start=START, end=END, settings=reader)


def test_nobody_writes_by_asking(market: Settings) -> None:
    with pytest.raises(WarehouseError, match="readonly mode"):
        read.sql(f"TRUNCATE TABLE {market.internal_database}.md_trades_store", market)


def test_an_archive_without_an_hour_says_which(archive: Path) -> None:
    with pytest.raises(
        ArchiveError, match=r"lacks 2 of 3 hours of the range: trades/exchange=okx/.*/hour=01 and later"
    ):
        read.table("trades", venues="okx", start=END - timedelta(hours=1), end=END + timedelta(hours=2), source=archive)


def test_an_archive_in_an_object_store_is_read_by_its_address(archive: Path, s3_server: S3Server) -> None:
    address, at = s3_server.bucket(), Partition("trades", "binance-coinm", START)
    publish(address, at, batches(archive, at), Origin(query="export_trades", code_version="test"))
    asked = {"start": START, "end": START + timedelta(hours=1), "venues": "binance-coinm"}
    found = read.table("trades", source=address, **asked)  # type: ignore[arg-type]
    assert found.num_rows == 152
    assert found.equals(read.table("trades", source=archive, **asked))  # type: ignore[arg-type]


def test_what_an_archive_has_can_be_read_nevertheless(archive: Path) -> None:
    longer = {"start": START, "end": END + timedelta(hours=2), "venues": "binance"}
    found = read.table("trades", **longer, source=archive, partial=True)  # type: ignore[arg-type]
    assert found.num_rows == 9757


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"dataset": "ticks"}, "no dataset 'ticks'; there are books, "),
        ({"venues": "mtgox"}, "no venue 'mtgox'; there are binance, "),
        ({"start": END, "end": START}, "the range is empty: it starts at 2024-08-09T01:00"),
        ({"start": datetime(2024, 8, 8)}, "start must be a datetime with a time zone, not datetime"),
        ({"end": "2024-08-08"}, "end must be a datetime with a time zone, not '2024-08-08'"),
        ({"source": "clickhose"}, "source must be 'clickhouse', 'archive' or an archive's path or address"),
        ({"source": "/nowhere/at/all"}, "the archive at /nowhere/at/all holds no trades"),
    ],
)
def test_what_cannot_be_read_is_one_line(asked: dict[str, object], problem: str) -> None:
    with pytest.raises(MdplatformError) as raised:
        read.table(**{"dataset": "trades", "start": START, "end": END, **asked})  # type: ignore[arg-type]
    assert str(raised.value).startswith(problem)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, ConfigError | ArchiveError)


def test_importing_the_platform_imports_no_frames() -> None:
    code = "import sys, mdplatform; sys.exit(bool({'pandas', 'pyarrow', 'clickhouse_connect'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
