"""Claim: an hour of a hundred symbols in bars of a minute is answered within 200 ms, the running hour too.

    python -m benchmarks.bars [--asked 100]

Starts an embedded ClickHouse node on a temporary directory and fills two hours with a trade a second of each of a
hundred symbols: one that is built, and one that is not, as the running hour. Asks `md_bars` for an hour of all of them,
over and over, by one client over HTTP, and states the median and the 99th percentile of the elapsed time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from clickhouse_connect.driver.client import Client

from benchmarks.table import Cell, Table
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import start
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.rollups import build_trades_minute

BUILT = datetime(2026, 11, 21, 10, tzinfo=UTC)
RUNNING = BUILT + timedelta(hours=1)
SYMBOLS, TRADES_A_SECOND = 100, 1
TARGET_MS = 200.0
FILL = """
    INSERT INTO md_trades_store (exchange, symbol, id, price, qty, side, timestamp, venue_time, received_at, provenance,
        _topic, _partition, _offset)
    SELECT
        'binance', 'S' || toString(number % {symbols:UInt64}),
        toString(toUnixTimestamp({hour:DateTime('UTC')}) * 1000 + number),
        round(100 + sin(number / 5000), 2), (cityHash64(number) % 1000) / 1e3,
        if(cityHash64(number, 1) % 2, 'buy', 'sell'),
        toDateTime64({hour:DateTime('UTC')}, 3, 'UTC')
            + toIntervalMillisecond(number * 1000 / ({symbols:UInt64} * {pace:UInt64})) AS at,
        at, at, 'live', 'trades.binance', number % 4, number
    FROM numbers({symbols:UInt64} * {pace:UInt64} * 3600)
"""
PROOF = """
    INSERT INTO md_feed_status_store (exchange, symbol, channel, state, cause, started_at, ended_at, started_ns,
        ended_ns, _topic, _partition, _offset)
    SELECT
        'binance', 'S' || toString(number), 'trades', 'valid', 'joined', {start:DateTime('UTC')},
        {end:DateTime('UTC')},
        toUnixTimestamp({start:DateTime('UTC')}) * 1000000000, toUnixTimestamp({end:DateTime('UTC')}) * 1000000000,
        'md.feed.status', 0, number
    FROM numbers({symbols:UInt64})
"""
BARS = """
    SELECT * FROM md_bars(seconds = 60)
    WHERE bar >= {hour:DateTime('UTC')} AND bar < {hour:DateTime('UTC')} + INTERVAL 1 HOUR
"""


def measure(runs: int, asked: int = 100) -> Table:
    """``runs`` times ``asked`` questions of each hour."""
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as node:
        settings = Settings(clickhouse_url=node.url)
        migrate(settings, streams=False)
        with connect(settings) as client:
            _fill(client)
            hours = (("built", BUILT), ("running", RUNNING))
            rows = [_row(name, [_timed(client, hour) for _ in range(runs * asked)]) for name, hour in hours]
    return Table(
        "bars",
        f"an hour of {SYMBOLS} symbols at a minute within {TARGET_MS:.0f} ms",
        ["hour", "bars", "median ms", "p99 ms"],
        rows,
        [f"{TRADES_A_SECOND} trade a second and symbol; elapsed time of one client over HTTP, rows decoded."],
    )


def _fill(client: Client) -> None:
    for hour in (BUILT, RUNNING):
        client.command(FILL, parameters={"hour": hour, "symbols": SYMBOLS, "pace": TRADES_A_SECOND})
    span = {"start": BUILT, "end": RUNNING + timedelta(hours=1)}
    client.command(PROOF, parameters={**span, "symbols": SYMBOLS})
    # As if they had been stored long before the hour was built.
    client.command(
        "ALTER TABLE md_trades_hours_store UPDATE stored_at = {at:DateTime64(3)} WHERE true", {"at": RUNNING}
    )
    build_trades_minute(client, BUILT)


def _timed(client: Client, hour: datetime) -> tuple[float, int]:
    """Milliseconds, and bars."""
    began = time.perf_counter()
    rows = client.query(BARS, parameters={"hour": hour}).row_count
    return (time.perf_counter() - began) * 1e3, rows


def _row(name: str, timed: list[tuple[float, int]]) -> list[Cell]:
    elapsed = [ms for ms, _ in timed]
    return [name, timed[0][1], median(elapsed), quantiles(elapsed, n=100)[98]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bars", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--asked", type=int, default=100, help="questions of each hour")
    print(measure(1, parser.parse_args().asked).text())


if __name__ == "__main__":
    main()
