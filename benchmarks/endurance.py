"""Claim: for an hour at 5,000 messages/s memory, files and parts stay flat, and broker and disk stay bounded.

    python benchmarks/endurance.py [--minutes 60] [--rate 5000] [--collectors 2] [--warm-up 18] [--directory D]

A simulator of Binance, collectors as processes of their own, and the embedded broker and ClickHouse with the retention
that they have by default. Every 10 s the memory, open files and threads of each process, ClickHouse's parts, and the
bytes of broker and tables are noted (and kept in D/samples.jsonl). Printed is what they were after the warm-up, how
they went on from there, by least squares, and whether that is flat; at last every message of the topics is held
against the tables. Exits with 1 where something is not flat, lost or doubled. The broker holds 15 minutes: it is warm
after them.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import linear_regression, mean

from rich.console import Console
from rich.table import Table

from mdplatform.bus.admin import Admin
from mdplatform.cli.warehouse import prepare
from mdplatform.core.process import ChildProcess, spawn
from mdplatform.core.settings import Settings, load
from mdplatform.embedded import clickhouse
from mdplatform.embedded.broker import start_broker
from mdplatform.embedded.stack import BASE, Plan, Stack
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import Simulator, run
from mdplatform.warehouse.client import connect

EVERY_S = 10.0
CHANGES = 60.0  # of each book a second; a symbol then gives
PER_SYMBOL = 18.8  # messages a second: ten diffs, and trades
GROWS = ("rows", "tables MB", "published")  # with the data, by their nature
FLAT_SHARE = 0.10  # of the mean, over all of the time after the warm-up
# What a megabyte, a file, a merge more or less makes is no trend.
LEAST = {"MB": 16.0, "files": 6.0, "threads": 4.0, "parts": 20.0, "behind": 10_000.0}
NOTED = """
SELECT
    countIf(active), sumIf(rows, active AND table = 'md_messages_store'), sum(bytes_on_disk) / 1e6,
    (SELECT max(n) FROM (SELECT count() AS n FROM system.parts WHERE active AND database = currentDatabase()
                         GROUP BY table, partition))
FROM system.parts WHERE database = currentDatabase()
"""
RECONCILED = """
SELECT _topic, count(), uniqExact(_partition, _offset) FROM md_messages GROUP BY _topic ORDER BY _topic
"""
Sample = dict[str, float]


@dataclasses.dataclass
class Rig:
    """What runs, and how it is asked."""

    settings: Settings
    directory: Path
    pids: dict[str, int]
    collectors: list[ChildProcess]


def simulate(symbols: int, told: Connection) -> None:
    """A process: a market of so many symbols."""
    gc.disable()  # the books of minutes past are a million objects: to look through them stalls every socket

    def ready(simulator: Simulator) -> None:
        for name in simulator.world.markets["binance"]:
            _ = simulator.world.markets["binance"][name]  # opens it: that takes seconds, which no venue would
        told.send((simulator.ws_url("binance"), simulator.rest_url("binance")))

    options = {"levels": 300, "queue": 100_000, "tick_s": 0.05, "weight_limit": 10**6}
    run(SimulatorConfig(symbols=(), synthetic=symbols, venues=("binance",), rate=CHANGES, **options), ready)


@contextmanager
def market(symbols: int) -> Iterator[tuple[int, str, str]]:
    """The simulator's pid and addresses."""
    spawning = multiprocessing.get_context("spawn")
    here, told = spawning.Pipe()
    process = spawning.Process(target=simulate, args=(symbols, told), daemon=True)
    process.start()
    try:
        yield process.pid or 0, *here.recv()
    finally:
        process.terminate()
        process.join()


@contextmanager
def running(directory: Path, symbols: int, collectors: int) -> Iterator[Rig]:
    """Everything, from the market to the tables."""
    with ExitStack() as stack:
        broker = stack.enter_context(start_broker(directory / "kafka"))
        node = stack.enter_context(clickhouse.start(directory / "clickhouse"))
        defaults = Stack(Plan(directory, BASE, {}), prepare, print).environ  # as `mdplatform up` has them
        environ = {**defaults, "KAFKA_BROKERS": broker.brokers, "CLICKHOUSE_URL": node.url, "CLICKHOUSE_READER_URL": ""}
        prepare(environ)
        market_pid, *urls = stack.enter_context(market(symbols))
        names = [f"S{number:03d}-USDT" for number in range(1, symbols + 1)]
        shards = [collector(environ, directory, names[n::collectors], urls) for n in range(collectors)]
        for shard in shards:
            stack.enter_context(shard)
        pids = {"simulator": market_pid, "broker": broker.pid, "relay": broker.relay.pid, "ClickHouse": node.pid}
        pids |= {f"collector {number}": shard.pid for number, shard in enumerate(shards, 1)}
        yield Rig(load(environ), directory, pids, shards)


def collector(environ: dict[str, str], directory: Path, symbols: list[str], urls: list[str]) -> ChildProcess:
    where = ["--ws-url", urls[0], "--rest-url", urls[1]]
    command = [sys.executable, "-m", "mdplatform", "collect", "--venue", "binance", "--symbols", ",".join(symbols)]
    return spawn([*command, *where], name="collector", log=directory / "logs" / f"{symbols[0]}.log", env=environ)


def of_process(name: str, pid: int) -> Sample:
    """Memory, files and threads from /proc; Linux only. Raises OSError when it has ended."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        f"{name} MB": int(status["VmRSS"].split()[0]) / 1024,
        f"{name} files": len(os.listdir(f"/proc/{pid}/fd")),
        f"{name} threads": int(status["Threads"]),
    }


def size_mb(directory: Path) -> float:
    """Bytes of the files in it; those that are deleted meanwhile do not count."""
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total / 1e6


def sample(rig: Rig, admin: Admin) -> Sample:
    """Everything as it is now."""
    found: Sample = {"at": time.time()}
    for name, pid in rig.pids.items():
        found |= of_process(name, pid)
    marks = admin.watermarks(data_topics(rig.settings)).values()
    with connect(rig.settings) as client:
        parts, rows, table_mb, most = client.query(NOTED).result_rows[0]
    published = sum(high for _, high in marks)
    found |= {"published": published, "behind": published - rows, "rows": rows, "tables MB": table_mb}
    found |= {"all parts": parts, "most parts of a partition": most}
    retained = sum(high - low for low, high in marks)
    return found | {"broker holds messages": retained, "broker disk MB": size_mb(rig.directory / "kafka")}


def data_topics(settings: Settings) -> list[str]:
    return [settings.topic_books, settings.topic_trades.replace("{exchange}", "binance")]


def watch(rig: Rig, minutes: float) -> list[Sample]:
    """Samples of so many minutes; says each minute how it stands."""
    admin, samples, ends = Admin(rig.settings), list[Sample](), time.monotonic() + minutes * 60
    with (rig.directory / "samples.jsonl").open("w") as file:
        while time.monotonic() < ends:
            time.sleep(EVERY_S)
            samples.append(sample(rig, admin))
            file.write(json.dumps(samples[-1]) + "\n")
            file.flush()
            if len(samples) % 6 == 0:
                last, before = samples[-1], samples[-6]
                pace = (last["published"] - before["published"]) / (last["at"] - before["at"])
                sizes = ", ".join(f"{name} {last[f'{name} MB']:.0f}" for name in rig.pids)
                print(f"{len(samples) // 6:3} min: {pace:,.0f} messages/s; MB: {sizes}", flush=True)
    return samples


def is_flat(name: str, values: list[float], slope: float, seconds: float) -> bool:
    """Whether what the fitted line gains over all the time is little, absolutely or beside the mean."""
    least = next((least for unit, least in LEAST.items() if unit in name), 0.0)
    return slope * seconds <= max(least, FLAT_SHARE * mean(values))


def report(samples: list[Sample], warm_up_s: float) -> list[str]:
    """Print the table; the names of what is not flat."""
    warm = [one for one in samples if one["at"] >= samples[0]["at"] + warm_up_s]
    times = [one["at"] for one in warm]
    seconds = times[-1] - times[0]
    table = Table("", "first", "last", "least", "most", "an hour", "flat", box=None)
    growing = []
    for name in [name for name in warm[0] if name != "at"]:
        values = [one[name] for one in warm]
        slope = linear_regression(times, values).slope
        flat = is_flat(name, values, slope, seconds)
        growing += [] if flat or name in GROWS else [name]
        verdict = "grows with the data" if name in GROWS else "yes" if flat else "NO"
        shown = (values[0], values[-1], min(values), max(values))
        table.add_row(name, *(f"{value:,.0f}" for value in shown), f"{slope * 3600:+,.1f}", verdict)
    pace = (warm[-1]["published"] - warm[0]["published"]) / seconds
    added = warm[-1]["tables MB"] - warm[0]["tables MB"]
    Console(width=120).print(table)
    print(f"{pace:,.0f} messages/s over {seconds / 60:.0f} minutes after {warm_up_s / 60:.0f} of warm-up; ", end="")
    print(f"{added * 1e6 / (warm[-1]['rows'] - warm[0]['rows']):.0f} bytes a message in the tables")
    return growing


def reconcile(rig: Rig, seconds: float = 120.0) -> bool:
    """End the collectors and hold what was published against the tables; whether nothing is lost or doubled."""
    codes = [shard.stop(60.0) for shard in rig.collectors]
    high: dict[str, int] = {}
    for (topic, _), (_, end) in Admin(rig.settings).watermarks(data_topics(rig.settings)).items():
        high[topic] = high.get(topic, 0) + end
    deadline = time.monotonic() + seconds
    with connect(rig.settings) as client:
        while True:
            rows = {topic: (noted, distinct) for topic, noted, distinct in client.query(RECONCILED).result_rows}
            whole = all(rows.get(topic) == (end, end) for topic, end in high.items())
            if whole or time.monotonic() > deadline:
                break
            time.sleep(2)
    for topic, end in high.items():
        noted, distinct = rows.get(topic, (0, 0))
        print(f"{topic}: {end:,} acknowledged, lost {end - distinct:,}, doubled {noted - distinct:,}")
    print(f"collectors ended with {', '.join(map(str, codes))}: 0 where every message that they took was acknowledged")
    return whole and not any(codes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=5000.0, help="messages a second")
    parser.add_argument("--collectors", type=int, default=2, help="processes that share the symbols")
    parser.add_argument("--warm-up", type=float, default=18.0, help="minutes; at most a third of all")
    parser.add_argument("--directory", type=Path, help="where to keep state and samples; default: nowhere")
    options = parser.parse_args()
    symbols = max(options.collectors, round(options.rate / PER_SYMBOL))
    with tempfile.TemporaryDirectory() as temporary:
        directory = (options.directory or Path(temporary)).absolute()
        with running(directory, symbols, options.collectors) as rig:
            print(f"{symbols} symbols, {options.collectors} collectors, state in {directory}", flush=True)
            samples = watch(rig, options.minutes)
            growing = report(samples, min(options.warm_up, options.minutes / 3) * 60)
            whole = reconcile(rig)
    print(f"not flat: {', '.join(growing)}" if growing else "all flat")
    return 0 if whole and not growing else 1


if __name__ == "__main__":
    sys.exit(main())
