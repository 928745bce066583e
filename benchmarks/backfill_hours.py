"""Claim: a range of hours is built in one run, in time that grows with the hours and in memory that does not.

    python benchmarks/backfill_hours.py [--hours 24 72 240] [--venues 5] [--symbols 20] [--books 60] [--trades 20]
        [--past 0]

Starts an embedded ClickHouse node on a temporary directory, fills it with the longest range (``--books`` and
``--trades`` of each symbol and hour, and statuses of ``--past`` hours before it, in each of which each feed's state
changed: they are kept for good) and runs the job `hourly_build` over each range, on a new Dagster instance with our
settings and in a process of its own: rollups, minutes, checks, archive, its check. Over the shortest range it runs
again, into another archive. Prints seconds, seconds of processor (run and node) in all and an hour, how they grow from
one range to the next, the run's largest and the node's resident memory, what Dagster stores of an hour, and whether
both archives are the same byte by byte. Exits with 1 where a run failed or bytes differ.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from clickhouse_connect.driver.client import Client

from benchmarks.table import process_cpu_seconds
from mdplatform.core.process import resident_bytes
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import start
from mdplatform.embedded.services import INSTANCE_CONFIG
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate

FIRST = datetime(2025, 6, 1, tzinfo=UTC)
VENUES = ("binance", "bybit", "coinbase", "deribit", "okx", "bitget", "gate", "kucoin", "kraken", "hyperliquid")
MB = 1e6
# Rows in the order of time: one of each symbol of each venue at every tick. Offsets and numbers count without a hole.
FROM = """
    FROM (SELECT number, intDiv(number, {venues:UInt32} * {symbols:UInt32}) AS tick,
        intDiv(number, {symbols:UInt32}) % {venues:UInt32} AS venue, number % {symbols:UInt32} AS place,
        {names:Array(String)}[venue + 1] AS exchange, 'S' || leftPad(toString(place), 2, '0') || '-USDT' AS symbol,
        100 * (place + 1) * (1 + sin(tick / {every:UInt32} / 8) / 100) AS mid,
        fromUnixTimestamp64Nano({start:Int64} + toInt64(tick * 3600000000000 / {every:UInt32}), 'UTC') AS venue_time,
        toDateTime64(venue_time, 3, 'UTC') AS timestamp, venue_time + toIntervalNanosecond(20000000) AS received_at,
        tick * {symbols:UInt32} + place AS _offset
        FROM numbers({hours:UInt32} * {every:UInt32} * {venues:UInt32} * {symbols:UInt32}))"""
BOOKS = """
    INSERT INTO md_orderbook_depth_store (exchange, symbol, b, bv, a, av, timestamp, sequence, previous_sequence,
        venue_time, received_at, _topic, _partition, _offset)
    SELECT exchange, symbol, arrayMap(i -> mid * (1 - i / 10000), range(1, 6)), arrayMap(i -> i / 3, range(1, 6)),
        arrayMap(i -> mid * (1 + i / 10000), range(1, 6)), arrayMap(i -> i / 4, range(1, 6)), timestamp, tick + 1,
        tick, venue_time, received_at, 'md.orderbook.normalized', venue, _offset"""
TOPS = """
    INSERT INTO md_top_of_book_store (exchange, symbol, bid_price, bid_size, ask_price, ask_size, timestamp, sequence,
        venue_time, received_at, _topic, _partition, _offset)
    SELECT exchange, symbol, mid * (1 - 1 / 10000), 1 / 3, mid * (1 + 1 / 10000), 1 / 4, timestamp, tick + 1,
        venue_time, received_at, 'md.orderbook.normalized', venue, _offset"""
TRADES = """
    INSERT INTO md_trades_store (exchange, symbol, id, price, qty, side, timestamp, venue_time, received_at,
        provenance, _topic, _partition, _offset)
    SELECT exchange, symbol, toString(1000000 + tick), mid, 0.1, if(tick % 2, 'buy', 'sell'), timestamp, venue_time,
        received_at, 'live', 'trades.' || exchange, 0, _offset"""
STATUS = """
    INSERT INTO md_feed_status_store (exchange, symbol, channel, state, cause, started_at, ended_at, started_ns,
        ended_ns, _topic, _partition, _offset)
    SELECT exchange, symbol, arrayJoin(['book', 'trades']), 'valid', '', venue_time,
        venue_time + toIntervalHour({hours:UInt32} + 1),
        {start:Int64}, {start:Int64} + ({hours:UInt32} + 1) * 3600000000000, 'md.feed.status', 0, number"""
PAST_STATUS = """
    INSERT INTO md_feed_status_store (exchange, symbol, channel, state, cause, started_at, ended_at, started_ns,
        ended_ns, _topic, _partition, _offset)
    SELECT exchange, symbol, arrayJoin(['book', 'trades']), if(tick % 2, 'valid', 'gap'), '', venue_time,
        venue_time + toIntervalHour(1), toUnixTimestamp64Nano(venue_time),
        toUnixTimestamp64Nano(venue_time) + 3600000000000, 'md.feed.status', 1, number"""


@dataclass(frozen=True)
class Market:
    """How much there is of each hour, and hours before of which only statuses are left."""

    venues: int
    symbols: int
    books: int
    trades: int
    past: int


def fill(client: Client, hours: int, market: Market) -> None:
    common = {
        "names": list(VENUES[: market.venues]),
        "venues": market.venues,
        "symbols": market.symbols,
        "start": int(FIRST.timestamp()) * 10**9,
    }
    for insert, every in ((BOOKS, market.books), (TOPS, market.books), (TRADES, market.trades)):
        client.command(insert + FROM, parameters={**common, "hours": hours, "every": every})
    status = (STATUS + FROM).replace("numbers({hours:UInt32} * {every:UInt32} *", "numbers(")
    client.command(status, parameters={**common, "hours": hours, "every": 1})
    if market.past:
        before = {"start": common["start"] - market.past * 3600 * 10**9, "hours": market.past, "every": 1}
        client.command(PAST_STATUS + FROM, parameters={**common, **before})


@dataclass(frozen=True)
class Built:
    """A run over a range: its seconds, whether all was archived, its largest memory and its instance's size."""

    seconds: float
    cpu_seconds: float
    success: bool
    run_bytes: int
    stored_bytes: int


def build(clickhouse: str, hours: int, directory: Path, answer: Connection) -> None:
    """Run the job over the first ``hours`` in this process, with the archive and the instance in ``directory``."""
    logging.disable(logging.INFO)
    home = directory / "dagster"
    home.mkdir(parents=True)
    shutil.copy(INSTANCE_CONFIG, home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    import dagster as dg

    from mdplatform.definitions import defs
    from mdplatform.defs.partitions import key_of
    from mdplatform.defs.resources import Platform

    platform = Platform(overrides={"CLICKHOUSE_URL": clickhouse, "MDPLATFORM_DATA_DIR": str(directory)})
    ends = {"start": key_of(FIRST), "end": key_of(FIRST + timedelta(hours=hours - 1))}
    with dg.DagsterInstance.get() as instance:
        started, started_cpu = time.perf_counter(), time.process_time()
        result = defs.resolve_job_def("hourly_build").execute_in_process(
            instance=instance,
            resources={"platform": platform},
            raise_on_error=False,
            tags={f"dagster/asset_partition_range_{end}": key for end, key in ends.items()},
        )
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - started_cpu
    failed = [e for e in result.get_asset_check_evaluations() if not e.passed]
    for evaluation in failed[:5]:
        print(f"{evaluation.check_name} failed for {evaluation.partition}: {evaluation.description}", file=sys.stderr)
    stored = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    answer.send(Built(seconds, cpu_seconds, result.success and not failed, largest, stored))


def built(clickhouse: str, hours: int, directory: Path) -> Built:
    """The same in a process of its own."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=build, args=(clickhouse, hours, directory, there))
    process.start()
    there.close()
    found: Built = here.recv()
    process.join()
    return found


def files(directory: Path) -> dict[str, str]:
    """sha256 of each file of the archive."""
    root = directory / "archive"
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def measured(url: str, pid: int, hours: int, place: Path, before: float | None) -> tuple[Built, float]:
    """Build the range and print its line; gives the run and its seconds of processor."""
    directory = place / f"{hours}-first"
    node_before = process_cpu_seconds(pid)
    found = built(url, hours, directory)
    cpu = found.cpu_seconds + process_cpu_seconds(pid) - node_before
    growth = f"{cpu / before:7.2f}x" if before else "       -"
    print(
        f"{hours:>6}{found.seconds:>9.1f}{cpu:>9.1f}{cpu / hours:>12.3f}{growth}"
        f"{found.run_bytes / MB:>9.0f}{(resident_bytes(pid) or 0) / MB:>9.0f}{found.stored_bytes / hours / 1e3:>10.0f}"
        f"{len(files(directory)):>8}",
        flush=True,
    )
    return found, cpu


def is_same_again(url: str, hours: int, place: Path) -> bool:
    """Build the range once more and say whether every file of the archive is the same."""
    again = built(url, hours, place / "again")
    first, second = files(place / f"{hours}-first"), files(place / "again")
    differing = [name for name in sorted(first.keys() | second.keys()) if first.get(name) != second.get(name)]
    print(f"again {hours} hours in {again.seconds:.1f} s: {len(first)} files, {len(differing)} differ {differing[:3]}")
    return again.success and bool(first) and not differing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, nargs="+", default=[24, 72, 240])
    for name, default in (("venues", 5), ("symbols", 20), ("books", 60), ("trades", 20), ("past", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    market = Market(options.venues, options.symbols, options.books, options.trades, options.past)
    with tempfile.TemporaryDirectory() as place, start(Path(place) / "node") as node:
        settings = Settings(clickhouse_url=node.url)
        migrate(settings, streams=False)
        with connect(settings) as client:
            fill(client, max(options.hours), market)
        print(f"{market}: {market.venues * market.symbols * (market.books + market.trades):,} messages an hour")
        print(" hours  seconds    cpu s  cpu s/hour   growth   run MB  node MB  kB/hour   files")
        before, good = None, True
        for hours in sorted(options.hours):
            found, before = measured(node.url, node.pid, hours, Path(place), before)
            good = good and found.success
        good = is_same_again(node.url, min(options.hours), Path(place)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
