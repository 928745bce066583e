"""OKX's files reach the tables through Dagster: a day of UTC from two files of trades, and books at any instant."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform import read
from mdplatform.defs.resources import Platform
from mdplatform_tests.defs.history.test_assets import failure, load, loaded, select, wanting
from mdplatform_tests.history.published import Archive, served

DAY = date(2025, 9, 2)
BEGIN_MS = round(datetime(2025, 9, 2, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000
LIST = "api/v5/public/market-data-history"
CHINESE = "trade_id/撮合id,side/交易方向,size/数量,price/价格,created_time/成交时间"
ENGLISH = "instrument_name,trade_id,side,price,size,created_time"
Sides = tuple[dict[float, float], dict[float, float]]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with served(tmp_path / "published") as archive:
        archive.calls[LIST] = lambda asked: listing(archive, asked)
        yield archive


@pytest.fixture
def loading(platform: Platform, archive: Archive) -> Platform:
    overrides = {**platform.overrides, "MDPLATFORM_HISTORY_URLS": f"okx={archive.url}"}
    return wanting(Platform(overrides=overrides), "okx:BTC-USDT-PERP=BTC-USDT-SWAP")


def listing(archive: Archive, asked: dict[str, str]) -> bytes:
    """What is published, of all days and contracts of a family, as the venue nests it."""
    assert (asked["instType"], asked["instFamilyList"]) == ("SWAP", "BTC-USDT")
    assert int(asked["begin"]) <= BEGIN_MS < int(asked["end"])
    files = [file for file in archive.root.rglob("*") if file.is_file()]
    of_module = [file for file in files if ("trades" in file.name) == (asked["module"] == "1")]
    rows = [
        {"filename": file.name, "url": f"https://static.okx.com/{file.relative_to(archive.root)}", "dateTs": "0"}
        for file in of_module
    ]
    return json.dumps({"code": "0", "msg": "", "data": [{"details": [{"groupDetails": rows}]}]}).encode()


def publish(archive: Archive, name: str, body: bytes) -> None:
    file = archive.root / "cdn" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)


def publish_trades(archive: Archive, day: date, *rows: str, header: str = ENGLISH) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(f"BTC-USDT-SWAP-trades-{day}.csv", "\n".join([header, *rows, ""]).encode("gbk"))
    publish(archive, f"BTC-USDT-SWAP-trades-{day}.zip", buffer.getvalue())


def publish_books(archive: Archive, lines: list[dict[str, Any]]) -> None:
    body, buffer = "".join(f"{json.dumps(line)}\n" for line in lines).encode(), io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        member = tarfile.TarInfo(f"BTC-USDT-SWAP-L2orderbook-400lv-{DAY}.data")
        member.size = len(body)
        made.addfile(member, io.BytesIO(body))
    publish(archive, f"BTC-USDT-SWAP-L2orderbook-400lv-{DAY}.tar.gz", buffer.getvalue())


def trade(number: int, at_ms: int, size: str = "3") -> str:
    return f"BTC-USDT-SWAP,{number},{'buy' if number % 2 else 'sell'},108000.1,{size},{at_ms}"


def run(loading: Platform, instance: dg.DagsterInstance, asset: str, again: bool = False) -> dg.ExecuteInProcessResult:
    return load(loading, instance, asset, first=DAY, last=DAY, again=again)


def test_a_day_of_utc_is_cut_out_of_two_files_of_utc_plus_eight(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    edge = BEGIN_MS + 16 * HOUR_MS  # midnight in UTC+8
    publish_trades(archive, DAY, trade(1, BEGIN_MS - 1), trade(2, BEGIN_MS), trade(3, edge - 1, "7.5"))
    publish_trades(
        archive,
        DAY + timedelta(days=1),
        trade(4, edge),
        trade(5, BEGIN_MS + 24 * HOUR_MS - 1),
        trade(6, edge + 8 * HOUR_MS),
    )
    result = run(loading, instance, "trades_history")
    assert loaded(result) == {("trades_history", str(DAY)): 4}
    rows = select(warehouse, "SELECT id, side, price, qty, raw_size, provenance FROM md_trades ORDER BY id")
    assert rows == [
        ("2", "sell", 108000.1, 0.03, 3.0, "archive"),
        ("3", "buy", 108000.1, 0.075, 7.5, "archive"),
        ("4", "sell", 108000.1, 0.03, 3.0, "archive"),
        ("5", "buy", 108000.1, 0.03, 3.0, "archive"),
    ]
    asked = len(archive.requests)
    assert run(loading, instance, "trades_history").success
    assert len(archive.requests) == asked


def test_headers_in_two_languages_are_read_by_their_english_half(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    publish_trades(archive, DAY, f"11,BUY,2,108000.1,{BEGIN_MS + 5}", header=CHINESE)
    publish_trades(archive, DAY + timedelta(days=1), trade(12, BEGIN_MS + 17 * HOUR_MS))
    assert run(loading, instance, "trades_history").success
    assert select(warehouse, "SELECT id, side, qty FROM md_trades ORDER BY id") == [
        ("11", "buy", 0.02),
        ("12", "sell", 0.03),
    ]


def test_a_day_whose_second_file_is_not_there_yet_stays_open(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    publish_trades(archive, DAY, trade(1, BEGIN_MS))
    assert f"the venue has not published BTC-USDT-SWAP-trades-{DAY}.zip" in failure(
        run(loading, instance, "trades_history")
    )
    assert select(warehouse, "SELECT count() FROM md_trades") == [(0,)]


def lines(count: int, snapshot_each: int) -> list[dict[str, Any]]:
    """A book of 20 levels a side that moves, as a file states it; its snapshots hold what the updates made."""
    bids = {100.0 - level: 5.0 + level for level in range(20)}
    asks = {101.0 + level: 4.0 + level for level in range(20)}
    made: list[dict[str, Any]] = []
    for n in range(count):
        changed = [(100.0 - n % 7, float(n % 5)), (101.0 + n % 9, float((n + 3) % 4))]
        if n % snapshot_each:
            for side, (price, size) in zip((bids, asks), changed, strict=True):
                side[price] = size
                if not size:
                    del side[price]
            rows = [[change] for change in changed]
        else:
            rows = [sorted(bids.items(), reverse=True), sorted(asks.items())]
        texts = [[[str(price), f"{size:g}", "1"] for price, size in side] for side in rows]
        said = {"instId": "BTC-USDT-SWAP", "action": "update" if n % snapshot_each else "snapshot"}
        made.append(said | {"ts": str(BEGIN_MS + n // 2 * 10), "bids": texts[0], "asks": texts[1]})
    return made


def rebuilt(made: list[dict[str, Any]]) -> Iterator[tuple[int, Sides]]:
    """(ms, the sides) after the last line of each ms, by nothing but what the lines say."""
    sides: Sides = ({}, {})
    for n, line in enumerate(made):
        if line["action"] == "snapshot":
            sides = ({}, {})
        for side, name in zip(sides, ("bids", "asks"), strict=True):
            side.update((float(price), round(float(size) / 100, 10)) for price, size, _ in line[name])
            for price in [price for price, size in side.items() if not size]:
                del side[price]
        if n + 1 == len(made) or made[n + 1]["ts"] != line["ts"]:
            yield int(line["ts"]), sides


def test_the_book_after_each_line_is_an_independent_reconstruction(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance
) -> None:
    made = lines(60, snapshot_each=25)
    publish_books(archive, made)
    result = run(loading, instance, "book_increments_history")
    assert loaded(result) == {("book_increments_history", str(DAY)): 60}
    for at_ms, (bids, asks) in rebuilt(made):
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        book = read.book("okx", "BTC-USDT-PERP", at, depth=100, settings=loading.settings())
        wanted = (sorted(bids.items(), reverse=True), sorted(asks.items()))
        assert (book.source, (book.bids, book.asks)) == ("increments", wanted), at_ms
    rows = "SELECT * EXCEPT (inserted_at) FROM md_book_increments ORDER BY sequence"
    before = select(warehouse, rows)
    assert run(loading, instance, "book_increments_history", again=True).success
    assert select(warehouse, rows) == before


def test_a_snapshot_that_is_not_what_the_updates_made_is_counted(
    warehouse: Client,
    loading: Platform,
    archive: Archive,
    instance: dg.DagsterInstance,
) -> None:
    made = lines(60, snapshot_each=25)
    publish_books(archive, [*made[:46], *made[50:]])  # four updates are missing
    result = run(loading, instance, "book_increments_history")
    (event,) = result.asset_materializations_for_node("history")
    assert "1 of 2 snapshots differ" in str(event.metadata["remarks"].value)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda made: made[1:], "does not begin with a snapshot"),
        (lambda made: [made[0], made[1] | {"instId": "ETH-USDT-SWAP"}], "a line of ETH-USDT-SWAP"),
        (lambda made: [made[0], made[1] | {"action": "patch"}], "does not read as documented"),
        (lambda made: [made[0], made[1] | {"ts": "1"}], "does not follow one at"),
    ],
)
def test_a_file_of_books_that_is_not_as_documented_is_named(
    warehouse: Client, loading: Platform, archive: Archive, instance: dg.DagsterInstance, damage: Any, reason: str
) -> None:
    publish_books(archive, damage(lines(5, snapshot_each=25)))
    told = failure(run(loading, instance, "book_increments_history"))
    assert reason in told
    assert f"BTC-USDT-SWAP-L2orderbook-400lv-{DAY}.tar.gz" in told
    assert select(warehouse, "SELECT count() FROM md_history_files") == [(0,)]


def test_a_file_of_another_host_is_not_fetched() -> None:
    from mdplatform.core.errors import ArchiveError
    from mdplatform.history.okx import BASE_URL, _address

    assert _address("https://static.okx.com/cdn/a.zip", BASE_URL) == "https://static.okx.com/cdn/a.zip"
    for stated in ("http://static.okx.com/a.zip", "https://okx.com.evil.example/a.zip", "https://fakeokx.com/a.zip"):
        with pytest.raises(ArchiveError, match="another host"):
            _address(stated, BASE_URL)
