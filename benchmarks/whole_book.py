"""Claim: a level of a kept change takes 1.5 bytes or less, and any book of a lively hour is there in 300 ms (p99).

    python -m benchmarks.whole_book [--symbols 20] [--minutes 60] [--asked 300]

Bytes are those on disk in ClickHouse after a merge, all columns, divided by the levels stated: of recordings in
``../shared/data`` (real sizes and prices), and of an hour that is made up (ten updates a second, twelve levels each,
a snapshot of the whole book every ten minutes). Answers are those of ``read.book`` with 200 levels at random instants
of random symbols, connection and verdict included, from ClickHouse and from the archive. CPU of a frame is that of a
recording through the collector's code, encoded, with changes and without.

What is written to standard output is kept in ``results/whole_book.md``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from urllib.parse import quote
from urllib.request import urlopen

import msgspec
import numpy as np
import pyarrow as pa
import zstandard
from clickhouse_connect.driver.client import Client

from benchmarks.__main__ import machine
from benchmarks.backfill_hours import node_cpu_seconds
from benchmarks.table import Table, cpu_seconds
from mdplatform import read
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export
from mdplatform.core.codec import encode
from mdplatform.core.events import BookChange
from mdplatform.core.settings import Settings
from mdplatform.embedded import clickhouse
from mdplatform.export.source import Source
from mdplatform.recordings.player import Player
from mdplatform.recordings.tape import parse
from mdplatform.warehouse.batches import load, stream
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform_tests.serve.conftest import serving
from mdplatform_tests.venues.recordings_digest import recorded
from mdplatform_tests.warehouse.test_book_at import put_changes

RECORDED = ("binance/hft_usdm_btcusdt", "binance/hft_usdm_ethusdt", "binance/hft_spot", "binance/hft_coinm")
STORE = "md_book_increments_store"
HOUR = datetime(2026, 11, 30, 12, tzinfo=UTC)
UPDATES_S, LEVELS, SNAPSHOT_S = 10, 12, 600
DEPTH = 200
VENUE = "binance"
NS, MS = pa.timestamp("ns", "UTC"), pa.timestamp("ms", "UTC")
SIZES = """
SELECT sum(data_compressed_bytes) AS bytes FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active
"""
STATED = "SELECT sum(length(b) + length(a)), count() FROM md_book_increments_store"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--asked", type=int, default=300, help="answers that are timed, of each source")
    options = parser.parse_args()
    began = machine()
    rows = [*_frames()]
    with tempfile.TemporaryDirectory() as directory, clickhouse.start(Path(directory) / "node") as node:
        settings = Settings(clickhouse_url=node.url)
        migrate(settings, streams=False)
        with connect(settings) as client:
            for name in RECORDED:
                changes = _changes(name)
                put_changes(client, changes)
                rows.append(_stored(client, name))
                rows.append([f"the same as ticks, {name}", "zstd 19, differences", f"{_floor(changes):.2f}", ""])
                client.command(f"TRUNCATE TABLE {STORE}")
            for number in range(options.symbols):
                load(client, STORE, [_symbol(f"S{number:02}-USDT", number, options.minutes)])
            rows.append(_stored(client, "the hour"))
        root = Path(directory) / "archive"
        with connect(settings) as client:
            for dataset in ("increments", "statuses"):
                batches = stream(client, export(dataset), exchange=VENUE, hour=HOUR)
                publish(root, Partition(dataset, VENUE, HOUR), batches, Origin(query="", code_version=""))
        rows += [*_answers(settings, root, options, node.pid), *_streams(settings, options)]
    claim = "bytes a kept level, answers, streams and CPU of the whole book"
    print(Table("whole_book", claim, ["what", "of", "figure", "aim"], [[*row] for row in rows], [f"{began}."]).text())


def _changes(name: str) -> list[BookChange]:
    venue, lines = recorded(name)
    player = Player(venue, depth=20, changes=True)
    events = (event for entry in parse(lines) for event in player.take(entry))
    return [event for event in events if isinstance(event, BookChange)]


def _floor(changes: Iterable[BookChange]) -> float:
    """Bytes a level of prices and sizes alone, as whole ticks and steps in as few bytes as each takes: no format of a
    table is smaller."""
    prices, sizes, levels = bytearray(), bytearray(), 0
    for change in changes:
        for side, amounts in ((change.bid_prices, change.bid_sizes), (change.ask_prices, change.ask_sizes)):
            last = 0
            for price, size in zip(side, amounts, strict=True):
                tick = int(Decimal(price) * 100)
                prices += _shortest(2 * abs(tick - last) + (tick < last))
                sizes += _shortest(int(Decimal(size) * 100_000))
                last, levels = tick, levels + 1
    pack = zstandard.ZstdCompressor(level=19).compress
    return (len(pack(bytes(prices))) + len(pack(bytes(sizes)))) / levels


def _shortest(number: int) -> bytes:
    """Seven bits a byte."""
    found = bytearray()
    while number >= 128:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _stored(client: Client, what: str) -> list[str]:
    client.command(f"OPTIMIZE TABLE {STORE} FINAL")
    stored = client.query(SIZES, parameters={"table": STORE}).first_row[0]
    levels, count = client.query(STATED).first_row
    return [f"bytes a level, {what}", f"{levels:,} levels, {count:,} changes", f"{stored / levels:.2f}", "1.5 or less"]


def _symbol(symbol: str, seed: int, minutes: int) -> pa.Table:
    """Bids below and asks above a price that stays; a third of the levels are deletions."""
    dice = np.random.default_rng(seed)
    updates = minutes * 60 * UPDATES_S
    counts = dice.poisson(LEVELS, updates)
    total = int(counts.sum())
    is_bid = dice.random(total) < 0.5
    away = 1 + dice.exponential(60, total).astype("i8")
    ticks = 600_000 + seed * 7_000 + np.where(is_bid, -away, away)
    sizes = np.where(dice.random(total) < 0.33, 0.0, np.round(dice.lognormal(0, 1.5, total), 3))
    ends = np.cumsum(counts)
    sequences = 10**9 + np.arange(1, updates + 1) * 40
    start = int(HOUR.timestamp() * 10**9) + seed * 1_000_000
    times = start + np.arange(1, updates + 1) * (10**9 // UPDATES_S) + dice.integers(0, 20_000_000, updates)
    every = np.repeat(np.arange(updates), counts)
    rows = [_rows(is_bid, ticks, sizes, every, updates, sequences, times)]
    for place in range(0, updates, SNAPSHOT_S * UPDATES_S):
        known = slice(0, int(ends[place]))
        rows.append(_snapshot(is_bid[known], ticks[known], sizes[known], sequences[place], times[place]))
    table = pa.concat_tables(rows)
    count = table.num_rows
    received = pa.array(np.asarray(table["venue"]) + 7_000_000)
    return pa.table(
        {
            **{"exchange": pa.array([VENUE] * count), "symbol": pa.array([symbol] * count), "kind": table["kind"]},
            **{name: table[name] for name in ("b", "bv", "a", "av", "sequence", "previous_sequence")},
            "timestamp": pa.array(np.asarray(table["venue"]) // 10**6).cast(MS),
            **{"venue_time": table["venue"].cast(NS), "received_at": received.cast(NS)},
            **{"_topic": ["made up"] * count, "_partition": [0] * count, "_offset": list(range(count))},
        }
    )


def _rows(is_bid, ticks, sizes, every, updates, sequences, times) -> pa.Table:  # type: ignore[no-untyped-def]
    lists = {}
    for name, chosen in (("b", is_bid), ("a", ~is_bid)):
        offsets = np.concatenate([[0], np.cumsum(np.bincount(every[chosen], minlength=updates))]).astype("i4")
        lists[name] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(ticks[chosen] / 10))
        lists[f"{name}v"] = pa.ListArray.from_arrays(pa.array(offsets), pa.array(sizes[chosen]))
    return pa.table(
        {
            **{"kind": pa.array(["update"] * updates), **lists, "sequence": pa.array(sequences)},
            **{"previous_sequence": pa.array(sequences - 40), "venue": pa.array(times)},
        }
    )


def _snapshot(is_bid, ticks, sizes, sequence, at) -> pa.Table:  # type: ignore[no-untyped-def]
    lists = {}
    for name, chosen in (("b", is_bid), ("a", ~is_bid)):
        prices, last = np.unique(ticks[chosen][::-1], return_index=True)
        held = sizes[chosen][::-1][last]
        lists[name] = pa.array([prices[held > 0] / 10], pa.list_(pa.float64()))
        lists[f"{name}v"] = pa.array([held[held > 0]], pa.list_(pa.float64()))
    return pa.table(
        {
            **{"kind": pa.array(["snapshot"]), **lists, "sequence": pa.array([int(sequence)])},
            **{"previous_sequence": pa.nulls(1, pa.int64()), "venue": pa.array([int(at) + 1_000])},
        }
    )


def _answers(settings: Settings, root: Path, options: argparse.Namespace, node: int) -> Iterable[list[str]]:
    dice = Random(1)
    for name, source, count in (
        ("ClickHouse", "clickhouse", options.asked),
        ("the archive", root, options.asked // 10),
    ):
        took, spent = [], time.process_time() + node_cpu_seconds(node)
        for _ in range(count):
            at = HOUR + timedelta(seconds=dice.uniform(60, options.minutes * 60 - 1))
            symbol = f"S{dice.randrange(options.symbols):02}-USDT"
            began = time.perf_counter()
            read.book(VENUE, symbol, at, depth=DEPTH, source=source, settings=settings)
            took.append(1000 * (time.perf_counter() - began))
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        spent = 1000 * (time.process_time() + node_cpu_seconds(node) - spent) / count
        aim = "p99 below 300 ms" if source == "clickhouse" else ""
        figure = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; {spent:.0f} ms of CPU an answer"
        yield [f"book at an instant, {name}", f"{count} answers", figure, aim]
    began = time.perf_counter()
    end = HOUR + timedelta(minutes=options.minutes)
    table = read.books(VENUE, "S00-USDT", HOUR, end, every="1s", depth=25, settings=settings)
    yield ["books every second, depth 25", f"{table.num_rows:,} books", f"{time.perf_counter() - began:.1f} s", ""]


def _streams(settings: Settings, options: argparse.Namespace) -> Iterable[list[str]]:
    """The public server's own benchmark replays what it has cached; its client counts lines, as here."""
    end = HOUR + timedelta(minutes=min(options.minutes, 10))
    span = {"exchange": VENUE, "symbols": ["S00-USDT"], "from": HOUR.isoformat(), "to": end.isoformat()}
    with serving(settings, Source(settings)) as url:
        for types in (["book_change"], ["book_snapshot_10_100ms"]):
            asked = quote(msgspec.json.encode({**span, "dataTypes": types}).decode())
            began = time.perf_counter()
            with urlopen(f"{url}/replay-normalized?options={asked}", timeout=600) as answer:
                count = sum(1 for _ in answer)
            rate = count / (time.perf_counter() - began)
            yield [f"replay server, {types[0]}", f"{count:,} messages", f"{rate:,.0f} messages/s", ""]


def _frames() -> Iterable[list[str]]:
    for name in ("binance/hft_spot", "binance/hft_usdm_btcusdt", "okx/cryptofeed"):
        venue, lines = recorded(name)
        entries = list(parse(lines))[:4_000]
        without, with_changes = (_cpu(venue, entries, changes) for changes in (False, True))
        more = 100 * (with_changes / without - 1)
        figure = f"{without:.1f} us, with changes {with_changes:.1f} us: {more:+.0f} %"
        yield [f"CPU a frame, {name}", f"{len(entries):,} frames", figure, "at most +30 %"]


def _cpu(venue: str, entries: list[object], changes: bool) -> float:
    """Microseconds a frame, the best of three."""

    def take() -> None:
        player = Player(venue, depth=20, changes=changes)
        for entry in entries:
            for event in player.take(entry):  # type: ignore[arg-type]
                encode(event)

    return min(1e6 * cpu_seconds(take) / len(entries) for _ in range(3))


if __name__ == "__main__":
    main()
