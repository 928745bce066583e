"""An hour held against a replay of its raw frames: a real collector, broker and engine."""

import asyncio
import logging
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.collector import collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.definitions import defs
from mdplatform.defs.hours.replays import REPLAY_SPEC, compare_replay
from mdplatform.defs.hours.topic_lag import unread
from mdplatform.defs.partitions import key_of
from mdplatform.defs.resources import Platform
from mdplatform.venues import venue_ids
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import all_topics_read
from mdplatform_tests.collector.rig import shard, simulated
from mdplatform_tests.eventually import eventually
from mdplatform_tests.warehouse.conftest import empty, streaming, warehouse
from mdplatform_tests.warehouse.copied import Copies
from mdplatform_tests.warehouse.rows import HOUR

__all__ = ["empty", "streaming", "warehouse"]

LOG = logging.getLogger(__name__)
LONGEST_S = 60.0
# One whose books need a REST snapshot, one that sends its snapshots, one whose sizes are contracts.
FEEDS = {"binance": ("BTC-USDT",), "coinbase": ("BTC-USD",), "okx": ("BTC-USDT-PERP",)}


@pytest.fixture
def kept(streaming: Settings, copies: Copies) -> Settings:
    """Settings under which raw frames are kept, of topics and a database that are there; nothing reads the topics."""
    settings = replace(streaming, keep_raw=True)
    Admin(settings).ensure([*platform_topics(settings, venue_ids()), *all_topics_read(settings)])
    copies.make(settings)
    return settings


async def collected(settings: Settings, client: Client) -> tuple[list[Shard], datetime]:
    """Some seconds of all FEEDS, stored; the collectors' shards, and the hour."""

    def least(table: str) -> int:
        counts = client.query(f"SELECT count() FROM {table} GROUP BY exchange").result_rows
        return min(count for (count,) in counts) if len(counts) == len(FEEDS) else 0

    if (left_s := 3600 - time.time() % 3600) < LONGEST_S:
        await asyncio.sleep(left_s)  # all of it is to be in one hour
    stop = asyncio.Event()
    async with simulated(venues=tuple(FEEDS), symbols=("BTC",)) as simulator:
        configs = [shard(simulator, venue, symbols=symbols, keep_raw=True) for venue, symbols in FEEDS.items()]
        with ExitStack() as stack:
            buses = [stack.enter_context(KafkaBus(settings)) for _ in configs]
            runs = zip(configs, buses, strict=True)
            tasks = [asyncio.create_task(collect(config, settings, bus, SystemClock(), stop)) for config, bus in runs]
            await eventually(lambda: least("md_orderbook_depth") > 30 and least("md_trades") > 10, LONGEST_S)
            stop.set()
            reports = await asyncio.gather(*tasks)
    assert [(report.failed, report.left) for report in reports] == [(0, 0)] * len(FEEDS)
    last = client.query("SELECT max(timestamp) FROM md_orderbook_depth", tz_mode="aware").result_rows[0][0]
    hour = last.replace(minute=0, second=0, microsecond=0)
    await eventually(lambda: not unread(settings, hour), LONGEST_S)
    return [Shard(config.venue, config.symbols) for config in configs], hour


def judged(client: Client, settings: Settings, shards: list[Shard], hour: datetime) -> dict[str, Any]:
    """The check's metadata, and whether it passed."""
    finding = compare_replay(client, settings, shards, hour, hour + timedelta(hours=1), LOG)
    return {**finding.metadata, "passed": finding.passed}


async def test_an_hour_is_what_its_raw_frames_give(kept: Settings) -> None:
    migrate(kept)
    with connect(kept) as client:
        shards, hour = await collected(kept, client)
        found = judged(client, kept, shards, hour)
        assert (found["passed"], found["bad_rows"]) == (True, 0)
        covered = queries.run(client, "replay_coverage", hour=hour)
        assert {(row["exchange"], row["dataset"]) for row in covered} == {
            (exchange, dataset) for exchange in FEEDS for dataset in ("books", "trades")
        }
        assert all(row["replayed"] == row["stored"] > 0 for row in covered)
        # The same rows once more: an hour that is judged again is replayed again, not added.
        assert judged(client, kept, shards, hour)["replayed"] == found["replayed"]

        tampered(client)
        found = judged(client, kept, shards, hour)
        faults = [(row["fault"], row["dataset"], row["id"]) for row in bad_rows(client, hour)]
        assert (found["passed"], found["bad_rows"]) == (False, 3)
        assert sorted(fault[:2] for fault in faults) == [
            ("not in the replay", "trades"),
            ("not stored", "trades"),
            ("not the same", "books"),
        ]
        assert ("not in the replay", "trades", "77") in faults
        assert "md_replayed" in found["next_step"]


def bad_rows(client: Client, hour: datetime) -> list[dict[str, Any]]:
    return queries.run(client, REPLAY_SPEC.name, hour=hour, limit=20)


def tampered(client: Client) -> None:
    """A trade that is gone, one that nobody sent, and a book with another size; each in the midst of the others."""
    middle = "(SELECT quantileExact(0.5)(timestamp) FROM md_trades WHERE exchange = 'coinbase')"
    client.command(
        "INSERT INTO md_trades_store SELECT * REPLACE ('77' AS id) FROM md_trades_store FINAL "
        f"WHERE exchange = 'coinbase' AND timestamp = {middle} LIMIT 1"
    )
    client.command(
        "DELETE FROM md_trades_store WHERE exchange = 'coinbase' AND id = ("
        f"SELECT min(id) FROM md_trades WHERE exchange = 'coinbase' AND id != '77' AND timestamp = {middle})"
    )
    client.command(
        "INSERT INTO md_orderbook_depth_store SELECT * REPLACE (arrayMap(size -> size + 1, bv) AS bv, "
        "now64(3, 'UTC') + 1 AS inserted_at) FROM md_orderbook_depth_store FINAL "
        "WHERE (exchange, sequence) IN (SELECT 'binance', quantileExact(0.5)(sequence) "
        "FROM md_orderbook_depth WHERE exchange = 'binance')"
    )


def test_where_no_frames_are_kept_nothing_is_judged(kept: Settings) -> None:
    with connect(kept) as client:
        over = HOUR + timedelta(hours=1)
        found = [
            compare_replay(client, kept, [], HOUR, over, LOG),
            compare_replay(client, replace(kept, keep_raw=False), [], HOUR, over, LOG),
            compare_replay(client, kept, [], HOUR, over - timedelta(seconds=1), LOG),
        ]
    assert [(finding.passed, finding.description) for finding in found] == [
        (True, "no raw frames of this hour are kept"),
        (True, "not asked for: raw frames are not kept (MDPLATFORM_KEEP_RAW)"),
        (True, "the hour is under way: it is replayed once it is over"),
    ]


def test_a_broker_that_is_away_is_reported_and_keeps_nothing_from_the_hour(warehouse: Client, empty: Settings) -> None:
    away = replace(empty, keep_raw=True, kafka_brokers="127.0.0.1:1")
    finding = compare_replay(warehouse, away, [], HOUR, HOUR + timedelta(hours=1), LOG)
    assert (finding.passed, finding.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "Kafka at 127.0.0.1:1 does not answer" in finding.metadata["next_step"]


def test_the_job_passes_over_an_hour_without_frames(kept: Settings, tmp_path: Path) -> None:
    overrides = {
        "CLICKHOUSE_URL": kept.clickhouse_url,
        "KAFKA_BROKERS": kept.kafka_brokers,
        "MDPLATFORM_TOPIC_RAW": kept.topic_raw,
        "MDPLATFORM_DATABASE": kept.clickhouse_database,
        "MDPLATFORM_KEEP_RAW": "true",
        "MDPLATFORM_DATA_DIR": str(tmp_path),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("hourly_build").execute_in_process(
            partition_key=key_of(HOUR), instance=instance, resources={"platform": Platform(overrides=overrides)}
        )
    (found,) = (e for e in result.get_asset_check_evaluations() if e.check_name == REPLAY_SPEC.name)
    assert (found.passed, found.description) == (True, "no raw frames of this hour are kept")
