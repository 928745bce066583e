"""Bybit's files reach the tables through Dagster: trades beside the live ones, and whole books at any instant."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform import read
from mdplatform.defs.resources import Platform
from mdplatform_tests.defs.history.test_assets import failure, load, loaded, select, wanting
from mdplatform_tests.history.published import Archive, served
from mdplatform_tests.warehouse.rows import put_trades

DAY = date(2024, 12, 1)
SYMBOL = "XRP-USDT-PERP"
RECORDED = "bybit/nautilus_2024-12-01_XRPUSDT_ob500.data.jsonl"  # a real file, its first 4.8 s
BOOK_PATH = "orderbook/linear/XRPUSDT/2024-12-01_XRPUSDT_ob500.data.zip"
TRADES_PATH = "trading/XRPUSDT/XRPUSDT2024-12-01.csv.gz"
HEADER = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"  # until 2025
)
NOON = 1733054400
Side = dict[float, float]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with served(tmp_path / "published") as archive:
        yield archive


@pytest.fixture
def loading(platform: Platform, archive: Archive) -> Platform:
    overrides = {**platform.overrides, "MDPLATFORM_HISTORY_URLS": f"bybit={archive.url}"}
    return wanting(Platform(overrides=overrides), f"bybit:{SYMBOL}=XRPUSDT")


@pytest.fixture
def frames(shared_data: Path) -> list[bytes]:
    return (shared_data / RECORDED).read_bytes().splitlines()


def publish(archive: Archive, path: str, body: bytes) -> None:
    file = archive.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)


def publish_book(archive: Archive, frames: Sequence[bytes], path: str = BOOK_PATH) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(path.rpartition("/")[2].removesuffix(".zip"), b"\n".join(frames) + b"\n")
    publish(archive, path, buffer.getvalue())


def publish_trades(archive: Archive, *rows: str, header: str = HEADER) -> None:
    publish(archive, TRADES_PATH, gzip.compress("\n".join([header, *rows, ""]).encode()))


def row(at: str, id: str, side: str = "Buy", size: str = "12") -> str:
    return f"{at},XRPUSDT,{side},{size},1.95,PlusTick,{id},1,{size},23.4"


def rebuilt(frames: Sequence[bytes]) -> Iterator[tuple[int, list[tuple[float, float]], list[tuple[float, float]]]]:
    """(sequence, bids, asks) after each frame, by nothing but what the frames say."""
    bids: Side = {}
    asks: Side = {}
    for frame in map(msgspec.json.decode, frames):
        if frame["type"] == "snapshot":
            bids, asks = {}, {}
        for side, levels in ((bids, frame["data"]["b"]), (asks, frame["data"]["a"])):
            side.update((float(price), float(size)) for price, size in levels)
            for price in [price for price, size in side.items() if not size]:
                del side[price]
        yield frame["data"]["u"], sorted(bids.items(), reverse=True), sorted(asks.items())


def sent_at(frame: bytes) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=msgspec.json.decode(frame)["ts"])


def run(loading: Platform, instance: dg.DagsterInstance, asset: str, again: bool = False) -> dg.ExecuteInProcessResult:
    return load(loading, instance, asset, first=DAY, last=DAY, again=again)


def test_the_book_after_each_frame_of_a_real_file_is_an_independent_reconstruction(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance, frames: list[bytes]
) -> None:
    publish_book(archive, frames)
    result = run(loading, instance, "book_increments_history")
    assert result.success
    assert loaded(result) == {("book_increments_history", str(DAY)): len(frames)}
    settings = loading.settings()
    for frame, (sequence, bids, asks) in zip(frames, rebuilt(frames), strict=True):
        book = read.book("bybit", SYMBOL, sent_at(frame), depth=1000, settings=settings)
        assert (book.source, book.sequence, book.bids, book.asks) == ("increments", sequence, bids, asks)


def test_a_book_file_that_is_loaded_twice_changes_nothing(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance, frames: list[bytes]
) -> None:
    publish_book(archive, frames)
    run(loading, instance, "book_increments_history")
    rows = "SELECT * EXCEPT (inserted_at) FROM md_book_increments ORDER BY sequence, kind"
    before, asked = select(warehouse, rows), len(archive.requests)
    assert len(before) == len(frames)
    assert loaded(run(loading, instance, "book_increments_history")) == {("book_increments_history", str(DAY)): 50}
    assert len(archive.requests) == asked
    assert run(loading, instance, "book_increments_history", again=True).success
    assert len(archive.requests) > asked
    assert select(warehouse, rows) == before
    assert select(warehouse, "SELECT DISTINCT provenance FROM md_book_increments") == [("archive",)]


def test_where_there_is_no_file_of_500_levels_that_of_200_is_taken(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance, frames: list[bytes]
) -> None:
    path = BOOK_PATH.replace("ob500", "ob200")
    publish_book(archive, [frame.replace(b"orderbook.500", b"orderbook.200") for frame in frames], path)
    assert run(loading, instance, "book_increments_history").success
    assert select(warehouse, "SELECT path FROM md_history_files") == [(path,)]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda frames: [*frames[:20], *frames[21:]], "line 21 does not follow the one before"),
        (lambda frames: frames[1:], "does not begin with a snapshot"),
        (lambda frames: [*frames[:9], frames[9].replace(b'"b"', b'"bids"')], "line 10 is not understood"),
        (lambda frames: [*frames[:9], b"{}"], "line 10 has no time"),
    ],
)
def test_a_book_file_that_proves_nothing_is_named(
    warehouse: Client,
    loading: Platform,
    archive: Archive,
    instance: dg.DagsterInstance,
    frames: list[bytes],
    damage: Any,
    reason: str,
) -> None:
    publish_book(archive, damage(frames))
    result = run(loading, instance, "book_increments_history")
    assert reason in failure(result)
    assert select(warehouse, "SELECT count() FROM md_history_files") == [(0,)]


def test_a_day_whose_book_was_collected_live_is_left_alone(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance, frames: list[bytes]
) -> None:
    at = datetime(2024, 12, 1, 12, tzinfo=UTC)
    columns = ["exchange", "symbol", "kind", "sequence", "timestamp", "venue_time", "received_at"]
    warehouse.insert("md_book_increments_store", [["bybit", SYMBOL, "snapshot", 7, at, at, at]], columns)
    publish_book(archive, frames)
    assert "1 changes of this book were collected live" in failure(run(loading, instance, "book_increments_history"))
    assert select(warehouse, "SELECT count() FROM md_book_increments") == [(1,)]


def test_trades_have_the_ids_of_the_live_ones_and_are_one_with_them(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    live = {"exchange": "bybit", "symbol": SYMBOL, "at": NOON * 10**9 + 686_000_000, "id": "a-1", "qty": 12.0}
    put_trades(warehouse, live)
    publish_trades(archive, row(f"{NOON}.6864", "a-1"), row(f"{NOON}.7", "b-2", "Sell"), row(f"{NOON + 1}", "c-3"))
    result = run(loading, instance, "trades_history")
    assert result.success
    assert loaded(result) == {("trades_history", str(DAY)): 3}
    rows = select(warehouse, "SELECT id, side, qty, toString(venue_time), provenance FROM md_trades ORDER BY id")
    assert rows == [
        ("a-1", "buy", 12.0, "2024-12-01 12:00:00.686000000", "live"),
        ("b-2", "sell", 12.0, "2024-12-01 12:00:00.700000000", "archive"),
        ("c-3", "buy", 12.0, "2024-12-01 12:00:01.000000000", "archive"),
    ]


def test_a_column_that_is_new_in_the_middle_does_no_harm_and_one_that_is_missing_is_named(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    publish_trades(
        archive, row(f"{NOON}", "a-1").replace(",Buy,", ",0,Buy,"), header=HEADER.replace("side", "RPI,side")
    )
    assert run(loading, instance, "trades_history").success
    publish_trades(archive, row(f"{NOON}", "a-1"), header=HEADER.replace("trdMatchID", "id"))
    assert "trdMatchID" in failure(run(loading, instance, "trades_history", again=True))


def test_a_file_that_is_cut_is_fetched_again_the_next_time(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    publish_trades(archive, *(row(f"{NOON}", f"a-{n}") for n in range(50)))
    file = archive.root / TRADES_PATH
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    assert "does not read as documented" in failure(run(loading, instance, "trades_history"))
    file.write_bytes(whole)
    assert run(loading, instance, "trades_history").success
    assert select(warehouse, "SELECT count() FROM md_trades") == [(50,)]
