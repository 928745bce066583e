"""Claim: archiving an hour keeps pace with the engine's own Parquet writer, and grows linearly with its rows.

    python -m benchmarks.archive_export [--runs 3] [--up-to 6]

Starts an embedded ClickHouse node on a temporary directory, fills an hour of books of 20 levels and an hour of trades
with 10^5 and 10^6 rows (--up-to 8: 10^7 and 10^8 trades too, once), waits until no parts of the table are being merged,
and measures on the same rows, in turns: the engine writing them in the same order to a Parquet file (INSERT INTO
FUNCTION file, zstd; what INTO OUTFILE does in a client), `publish` writing the archive with its order proven, hashed
and its manifest, `verify`, and of books the hour's rollup. Elapsed time, and seconds of processor of the node and of
this process together; medians; a small round of each before is not counted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from clickhouse_connect.driver.client import Client

from benchmarks.table import Cell, Table, process_cpu_seconds, ratio
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export
from mdplatform.archive.verify import verify
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import start
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.rollups import build_spread_hourly

HOUR = datetime(2026, 11, 21, 10, tzinfo=UTC)
LEVELS = 20
FILLED_AT_ONCE = 10**7
PATIENCE_S = 3600  # for the engine to write 10^8 rows
# Prices walk by ticks and sizes change at a few levels from book to book, as a real book's do.
FROM = """
        FROM (SELECT number, 60000 + 100 * sin(number / 5000) AS mid,
            fromUnixTimestamp64Nano({start:Int64} + toInt64(number / {rows:UInt64} * 3599000000000), 'UTC') AS venue
            FROM numbers({first:UInt64}, {count:UInt64}))"""
ROWS = {
    "books": """
        INSERT INTO md_orderbook_depth_store (exchange, symbol, b, bv, a, av, timestamp, sequence, previous_sequence,
            venue_time, received_at, _topic, _partition, _offset)
        SELECT 'binance', 'S' || toString(number % 20),
            arrayMap(i -> round(mid - i * 0.01 * (1 + intDiv(number, 997) % 7), 2), range(20)),
            arrayMap(i -> (cityHash64(i, intDiv(number, 20 * (i + 3))) % 100000) / 1e4, range(20)),
            arrayMap(i -> round(mid + 0.01 + i * 0.01 * (1 + intDiv(number, 991) % 7), 2), range(20)),
            arrayMap(i -> (cityHash64(i, 'a', intDiv(number, 20 * (i + 3))) % 100000) / 1e4, range(20)),
            toDateTime64(venue, 3, 'UTC'), number, if(number < 20, NULL, number - 20), venue AS at,
            venue + toIntervalNanosecond(cityHash64(number) % 40000000), 'md.orderbook.normalized', number % 4, number
        """,
    "trades": """
        INSERT INTO md_trades_store (exchange, symbol, id, price, qty, side, timestamp, venue_time, received_at,
            provenance, _topic, _partition, _offset)
        SELECT 'binance', 'S' || toString(number % 20), toString(3900000000 + number),
            round(mid, 2), (cityHash64(number) % 100000) / 1e5,
            if(cityHash64(number, 1) % 2, 'buy', 'sell'), toDateTime64(venue, 3, 'UTC'), venue,
            venue + toIntervalNanosecond(cityHash64(number) % 40000000), 'live', 'trades.binance', number % 4, number
        """,
}


@dataclass(frozen=True)
class Node:
    """The engine's process and the one directory that it may write to."""

    pid: int
    directory: Path


@dataclass(frozen=True)
class Spent:
    """Seconds of time and of processor, and the most memory that this process and the node had meanwhile."""

    seconds: float
    cpu_seconds: float
    own_bytes: int
    node_bytes: int


@dataclass(frozen=True)
class Round:
    """What each way took, and bytes of the archive's and of the engine's file."""

    dataset: str
    rows: int
    rollup: Spent | None  # of books
    engine: Spent
    archive: Spent
    verify: Spent
    size: int
    engine_size: int


def in_turns(runs: int, node: int, *ways: Callable[[], object]) -> list[Spent]:
    """Of each way the medians of ``runs``; each is run once before any is run again. ``node``: its process."""
    found: list[list[Spent]] = [[] for _ in ways]
    for _ in range(runs):
        for way, spent in zip(ways, found, strict=True):
            for pid in (os.getpid(), node):
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # its peak of memory begins again
            started, cpu = time.perf_counter(), time.process_time() + process_cpu_seconds(node)
            way()
            seconds, cpu = time.perf_counter() - started, time.process_time() + process_cpu_seconds(node) - cpu
            spent.append(Spent(seconds, cpu, peak_bytes(os.getpid()), peak_bytes(node)))
    return [
        Spent(
            median(one.seconds for one in spent),
            median(one.cpu_seconds for one in spent),
            max(one.own_bytes for one in spent),
            max(one.node_bytes for one in spent),
        )
        for spent in found
    ]


def peak_bytes(pid: int) -> int:
    """The most resident memory since it was cleared."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def fill(client: Client, name: str, rows: int) -> None:
    """Replace the hour and wait until nothing of it is merged: merges would take their share of the processor."""
    table = DATASETS[name].stored_in
    client.command(f"TRUNCATE TABLE {table}")
    whole = {"start": int(HOUR.timestamp()) * 10**9, "rows": rows}
    for first in range(0, rows, FILLED_AT_ONCE):
        part = {"first": first, "count": min(rows - first, FILLED_AT_ONCE)}
        client.command(ROWS[name] + FROM, parameters=whole | part)
    while client.command("SELECT count() FROM system.merges"):
        time.sleep(1)


def measured(client: Client, node: Node, name: str, rows: int, runs: int) -> Round:
    """Fill the hour, then each way on the same rows. Files are in the node's directory: it writes nowhere else."""
    dataset, partition, directory = DATASETS[name], Partition(name, "binance", HOUR), node.directory
    where = {"exchange": "binance", "hour": HOUR}
    fill(client, name, rows)
    origin = Origin(query=dataset.query, code_version="benchmark")
    outfile, place = directory / "engine.parquet", directory / partition.path
    by_engine = (
        f"INSERT INTO FUNCTION file('{outfile}', 'Parquet') {export(name).sql} "
        "SETTINGS output_format_parquet_compression_method = 'zstd', engine_file_truncate_on_insert = 1"
    )

    def archive() -> None:
        shutil.rmtree(place, ignore_errors=True)
        publish(directory, partition, stream(client, export(name), **where), origin)

    ways: list[Callable[[], object]] = [
        lambda: client.command(by_engine, parameters=where),
        archive,
        lambda: verify(directory, partition),
    ]
    if name == "books":
        ways.append(lambda: build_spread_hourly(client, HOUR))
    engine, archived, verified, *rollup = in_turns(runs, node.pid, *ways)
    found = Round(
        name,
        rows,
        rollup[0] if rollup else None,
        engine,
        archived,
        verified,
        sum(path.stat().st_size for path in place.glob("*.parquet")),
        outfile.stat().st_size,
    )
    shutil.rmtree(directory / name)
    outfile.unlink()
    return found


def rounds(runs: int, up_to: int) -> Iterator[Round]:
    with tempfile.TemporaryDirectory() as place, start(Path(place)) as started:
        node = Node(started.pid, Path(place))
        settings = Settings(clickhouse_url=started.url)
        migrate(settings, streams=False)
        with connect(settings, patience_s=PATIENCE_S) as client:
            for name in ROWS:
                measured(client, node, name, 10**4, 1)
                yield from (measured(client, node, name, rows, runs) for rows in (10**5, 10**6))
            for exponent in range(7, up_to + 1):
                yield measured(client, node, "trades", 10**exponent, 1)


def row(found: Round, before: Round | None) -> list[Cell]:
    """``before``: the same with a tenth of the rows."""
    return [
        found.dataset,
        found.rows,
        ratio(found.engine.seconds, found.archive.seconds),
        ratio(found.engine.cpu_seconds, found.archive.cpu_seconds),
        ratio(found.archive.cpu_seconds, before.archive.cpu_seconds if before else None),
        ratio(found.engine.cpu_seconds, before.engine.cpu_seconds if before else None),
        found.archive.cpu_seconds / found.rows * 1e6,
        found.rows / found.engine.seconds,
        found.rows / found.archive.seconds,
        found.rows / found.verify.seconds,
        found.rows / found.rollup.seconds if found.rollup else None,
        found.size / found.rows,
        found.engine_size / found.rows,
        found.size / found.rows / 2 / LEVELS if found.dataset == "books" else None,
        found.archive.own_bytes // 2**20,
        found.archive.node_bytes // 2**20,
    ]


def measure(runs: int, up_to: int = 6) -> Table:
    found: dict[tuple[str, int], Round] = {}
    table = Table(
        "archive_export",
        "an hour's archive is written at the pace of the engine's own Parquet writer",
        [
            "dataset",
            "rows",
            "times the engine's pace",
            "times the engine's rows a CPU second",
            "CPU for 10x the rows",
            "engine's",
            "us of CPU a row",
            "engine rows/s",
            "archive rows/s",
            "verify rows/s",
            "rollup rows/s",
            "bytes a row",
            "engine's bytes a row",
            "bytes a level",
            "our MiB",
            "node's MiB",
        ],
        [],
        [
            "Both write the same rows in the same order with zstd; ours also proves their order, hashes the file and "
            "states in a manifest what it holds. CPU: of the node and our process. MiB: the most that our process "
            "and the node had while the archive was written."
        ],
    )
    for one in rounds(runs, up_to):
        found[one.dataset, one.rows] = one
        table.rows.append(row(one, found.get((one.dataset, one.rows // 10))))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="of each measurement, of which the median is reported")
    parser.add_argument("--up-to", type=int, default=6, help="trades up to this power of ten, from 10^7 on once")
    options = parser.parse_args()
    print(measure(options.runs, options.up_to).text())


if __name__ == "__main__":
    main()
