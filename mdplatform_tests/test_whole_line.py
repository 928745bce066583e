"""Recorded truth down the whole line: venue -> collector -> broker -> ClickHouse -> hour -> Parquet, all real parts."""

from __future__ import annotations

import asyncio
import bisect
import dataclasses
import json
import threading
import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.collector import CollectorConfig, CollectorReport, collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.events import FeedStats
from mdplatform.core.settings import Settings
from mdplatform.recordings.tape import read_lines
from mdplatform.venues import venue_ids
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import all_topics_read
from mdplatform_tests.replay_server import RECORDED, Replay, binance, coinbase, replaying
from mdplatform_tests.warehouse.copied import drop

SPOT = RECORDED / "binance" / "hft_spot_btcusdt_20240808.txt.gz"
NEXT_DAY = RECORDED / "binance" / "hft_spot_btcusdt_20240809.first20s.txt.gz"
EXPECTED = RECORDED / "binance" / "expected" / "hft_spot_btcusdt_20240808+20240809.first20s.book.json"
EXCHANGE = RECORDED / "coinbase" / "cryptofeed_COINBASE.ws.28.0.part.gz"
PRODUCTS = RECORDED / "coinbase" / "cryptofeed_COINBASE.0"
EXCHANGE_CHANNELS = ("level2_batch", "matches", "heartbeat")
COINBASE_SYMBOLS = ("YFI-BTC", "BAND-BTC", "DASH-BTC", "NMR-EUR", "SKL-USD")
VISIBLE_S = 60.0

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not beside this checkout")


@pytest.fixture
def line(clickhouse_url: str, kafka_settings: Settings) -> Iterator[Settings]:
    """Topics and a database of this test alone, with streams between them."""
    settings = dataclasses.replace(
        kafka_settings, clickhouse_url=clickhouse_url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}"
    )
    Admin(settings).ensure([*platform_topics(settings, venue_ids()), *all_topics_read(settings)])
    migrate(settings)
    yield settings
    drop(settings)


def collected(
    settings: Settings, replay: Replay, venue: str, symbols: tuple[str, ...], channels: tuple[str, ...] = ()
) -> CollectorReport:
    """The last words of a collector that was sent the whole recording and then asked to stop."""

    async def run() -> CollectorReport:
        stop = asyncio.Event()
        async with replaying(replay) as server:

            def on_stats(stats: FeedStats) -> None:
                if server.finished.is_set() and stats.frames > server.sent:  # every frame and the acknowledgement
                    stop.set()

            config = CollectorConfig(
                venue=venue, symbols=symbols, channels=channels, ws_url=server.ws_url, rest_url=server.rest_url
            )
            with KafkaBus(settings) as bus:
                async with asyncio.timeout(60):
                    return await collect(config, settings, bus, SystemClock(), stop, on_stats=on_stats)

    return asyncio.run(run())


def visible(client: Client, table: str, rows: int) -> None:
    """Wait until ClickHouse shows so many rows; then they are all there, or it fails saying how many are."""
    deadline, seen = time.monotonic() + VISIBLE_S, -1
    pause = threading.Event()
    while seen < rows and time.monotonic() < deadline:
        pause.wait(0.1)
        seen = client.query(f"SELECT count() FROM {table}").result_rows[0][0]
    assert seen == rows


def consumed(settings: Settings, table: str) -> None:
    """Wait until this Kafka table has read, stored and committed all that is in its topics."""
    group, admin = f"mdplatform.{settings.clickhouse_database}.{table}", Admin(settings)
    deadline, pause = time.monotonic() + VISIBLE_S, threading.Event()
    while (behind := sum(row.lag for row in admin.lag(group))) and time.monotonic() < deadline:
        pause.wait(0.1)
    assert behind == 0


def rows(client: Client, sql: str) -> list[dict[str, Any]]:
    return list(client.query(sql).named_results())


def test_binance_as_recorded_is_in_clickhouse_as_expected(line: Settings) -> None:
    expected = json.loads(EXPECTED.read_text())
    report = collected(line, binance(SPOT, NEXT_DAY), "binance", ("BTC-USDT",))
    assert (report.failed, report.left, report.dead_letters) == (0, 0, 0)
    with connect(line) as client:
        visible(client, "md_orderbook_depth", expected["diffs_applied"])
        visible(client, "md_trades", expected["trades"])
        books = rows(client, "SELECT sequence, b, bv, a, av FROM md_orderbook_depth ORDER BY sequence")
        trades = rows(client, "SELECT id, toString(qty) AS qty FROM md_trades ORDER BY timestamp, toUInt64(id)")
        top = rows(client, "SELECT sequence, bid_price, bid_size, ask_price, ask_size FROM md_top_of_book")
        days = rows(
            client,
            "SELECT DISTINCT partition FROM system.parts "
            "WHERE database = currentDatabase() AND table = 'md_orderbook_depth_store' AND active",
        )
    assert [levels(books[-1], *side)[:20] for side in (("b", "bv"), ("a", "av"))] == [
        [(float(price), float(size)) for price, size in expected["final"][side][:20]] for side in ("bids", "asks")
    ]
    first, last = expected["trade_id_range"]
    assert [int(trade["id"]) for trade in trades] == list(range(first, last + 1))
    assert sum(Decimal(trade["qty"]) for trade in trades) == Decimal(expected["trade_qty_sum"])
    assert {day["partition"] for day in days} == {"2024-08-08", "2024-08-09"}
    told = book_tickers(SPOT) | book_tickers(NEXT_DAY)
    agreed = [tuple(row.values())[1:] == best_at(told, row["sequence"]) for row in top]
    assert [agreed.count(True), agreed.count(False)] == expected["bookTicker_agreement"]


def test_coinbase_as_recorded_is_in_clickhouse(line: Settings) -> None:
    replay = coinbase(EXCHANGE, PRODUCTS)
    report = collected(line, replay, "coinbase", COINBASE_SYMBOLS, EXCHANGE_CHANNELS)
    assert (report.failed, report.left, report.dead_letters) == (0, 0, 0)
    kinds = [json.loads(frame)["type"] for frame in replay.frames]
    with connect(line) as client:
        visible(client, "md_orderbook_depth", kinds.count("l2update") + kinds.count("snapshot"))
        visible(client, "md_trades", kinds.count("match") + kinds.count("last_match"))
        crossed = rows(client, "SELECT * FROM md_top_of_book WHERE bid_price >= ask_price")
        symbols = rows(client, "SELECT DISTINCT symbol FROM md_orderbook_depth")
    assert crossed == []
    assert {row["symbol"] for row in symbols} == set(COINBASE_SYMBOLS)


def test_a_recording_collected_twice_is_seen_once(line: Settings) -> None:
    for _ in range(2):
        collected(line, binance(SPOT), "binance", ("BTC-USDT",))
    with connect(line) as client:
        consumed(line, "md_orderbook_stream_kafka")
        consumed(line, "md_trades_stream_kafka")
        visible(client, "md_orderbook_depth", 3449)
        visible(client, "md_top_of_book", 3449)
        visible(client, "md_trades", 9757)


def levels(book: dict[str, Any], price: str, size: str) -> list[tuple[float, float]]:
    return list(zip(book[price], book[size], strict=True))


def book_tickers(tape: Path) -> dict[int, tuple[float, ...]]:
    """Best bid and ask as Binance itself sent them, by update id."""
    frames = (json.loads(line.split(b" ", 1)[1])["data"] for line in read_lines(tape) if b"@bookTicker" in line)
    return {frame["u"]: tuple(float(frame[name]) for name in ("b", "B", "a", "A")) for frame in frames}


def best_at(told: dict[int, tuple[float, ...]], sequence: int) -> tuple[float, ...]:
    """What the venue last sent up to this update: it sends each change of the best levels."""
    updates = list(told)  # in order: update ids only grow
    return told[updates[bisect.bisect_right(updates, sequence) - 1]]
