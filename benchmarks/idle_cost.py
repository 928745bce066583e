"""Claim: a line that little happens on costs little: the demo's feeds below a core, mute venues a tenth of it.

    python -m benchmarks.idle_cost [--seconds 60] [--warm-up 45] [--loads demo asked silent mute] [--keep FILE]
        [--beside FILE]

The demo's line without Dagster: broker, ClickHouse, simulated exchanges, a collector a venue, live page (which nobody
looks at) and signals, each a process of its own with the settings that `mdplatform up` gives them. Once all have warmed
up, the CPU seconds of each process over so many seconds are taken from /proc, which what else the machine does hardly
changes; those of ClickHouse by what its threads are for as well, and the parts that it wrote by table.

`demo` is the demo's rate while nobody asks ClickHouse anything, `asked` the same while somebody does; `silent` the same
venues without an order, of which funding and indices remain, some 55 messages a second; `mute` without these too: what
is left are status, statistics and pings. ``--warm-up``: what a line costs that has run so long, as the embedded broker
writes all that it keeps to disk every five seconds. ``--keep`` writes what was measured; ``--beside`` compares with
what another version wrote so.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.stack import PATIENCE_S
from benchmarks.table import Cell, Table, process_cpu_seconds, ratio
from mdplatform.bus.admin import Admin
from mdplatform.cli.warehouse import prepare
from mdplatform.core import shards
from mdplatform.core.process import ChildProcess, spawn
from mdplatform.core.settings import Settings
from mdplatform.core.settings import load as settings_of
from mdplatform.embedded import clickhouse, ports, services
from mdplatform.embedded.broker import start_broker
from mdplatform.embedded.ports import LOOPBACK
from mdplatform.embedded.stack import BASE, DEMO_INGEST, Plan, Stack
from mdplatform.venues import venue_ids
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.render import all_topics_read


class Load(NamedTuple):
    """What venues send and what ClickHouse is asked."""

    rate: float  # level changes a second of each symbol on each venue
    ask_every_s: float | None = None
    channels: tuple[str, ...] | None = None  # None: those of the demo


LOADS = {
    "demo": Load(100.0),
    "asked": Load(100.0, ask_every_s=0.5),
    "silent": Load(1e-6),
    "mute": Load(1e-6, channels=("book", "trades")),
}
WARM_UP_S = 45.0  # a simulated market opens in seconds, and the first parts are merged
SECONDS = 60.0
# Blocks that were ever inserted into a table: they are numbered within each partition.
PARTS = """SELECT table, toUInt64(sum(last))
FROM (SELECT table, partition, max(max_block_number) AS last FROM system.parts WHERE database != 'system' GROUP BY ALL)
GROUP BY table"""
# What ClickHouse's threads are for, by how their names begin in /proc. There are as many of the first as its pool for
# streams has (probed on 26.1, November 2026); those of librdkafka are named by us nowhere else.
THREADS = {"RuntimeData": "messages to rows to parts", "MergeMutate": "merges", "Kafka": "librdkafka"}
LEAST_PARTS = 0.02  # a second: what is less is not in the table
NEWEST = "SELECT max(timestamp) FROM md_trades_store WHERE timestamp > now() - 10"
# How late rows are stored, of the last rows: by the venue's clock, which is this machine's.
LATE = """SELECT count(),
    quantilesExact(0.5, 0.99)(toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(timestamp))
FROM md_trades_store WHERE inserted_at > now() - toIntervalSecond({seconds:UInt32})"""


class Cost(msgspec.Struct):
    """What a line cost while it was watched."""

    cores: dict[str, float]  # by process; collectors together
    threads: dict[str, float]  # cores of ClickHouse, by what they are for
    messages: float  # a second, over all topics
    parts: dict[str, float]  # inserted into ClickHouse's tables a second
    late_ms: list[float]  # trades from venue to row: median and 99th percentile; empty where there was none


@dataclass
class Line:
    settings: Settings
    pids: dict[str, list[int]]


@contextmanager
def running(directory: Path, load: Load) -> Iterator[Line]:
    with ExitStack() as stack:
        asked_file = clickhouse.asked_file(directory / "clickhouse")
        broker = stack.enter_context(start_broker(directory / "kafka", asked_file=asked_file))
        node = stack.enter_context(clickhouse.start(directory / "clickhouse", ready_seconds=PATIENCE_S))
        defaults = Stack(Plan(directory, BASE, {}), prepare, print).environ
        environ = {**defaults, "KAFKA_BROKERS": broker.brokers, "CLICKHOUSE_URL": node.url, "CLICKHOUSE_READER_URL": ""}
        prepare(environ)
        logs = directory / "logs"

        def server(name: str, arguments: list[str], path: str) -> tuple[ChildProcess, str]:
            port = ports.choose()
            at = f"{LOOPBACK}:{port}"
            command = [*arguments, "--port", str(port)]
            child = services.start_server(name, command, f"http://{at}{path}", environ, logs / f"{name}.log")
            return stack.enter_context(child), at

        simulator, market = server("simulator", ["simulate", "--rate", str(load.rate)], "/api/v3/time")
        page, _ = server("dashboard", ["dashboard"], "/healthz")
        signals = stack.enter_context(services.start_command("signals", environ, logs))
        collectors = []
        for shard in shards.parse(DEMO_INGEST, venue_ids()):
            command = [sys.executable, "-m", "mdplatform", "collect", "--venue", shard.venue]
            command += ["--symbols", ",".join(shard.symbols)]
            channels = load.channels or shard.channels
            command += ["--channels", ",".join(channels)] if channels else []
            command += ["--ws-url", f"ws://{market}/{shard.venue}", "--rest-url", f"http://{market}/{shard.venue}"]
            child = spawn(command, name=shard.venue, log=logs / f"{shard.venue}.log", env=environ)
            collectors.append(stack.enter_context(child))
        pids = {"ClickHouse": [node.pid], "broker": [broker.pid], "relay": [broker.relay.pid]}
        pids |= {"collectors": [child.pid for child in collectors], "simulator": [simulator.pid]}
        yield Line(settings_of(environ), pids | {"page": [page.pid], "signals": [signals.pid]})


class Counters(NamedTuple):
    """What only grows, as of ``at``; names as in ``Cost``."""

    at: float
    cores: dict[str, float]
    threads: dict[str, float]
    messages: dict[str, float]
    parts: dict[str, float]


def by_purpose(pid: int) -> dict[str, float]:
    """CPU seconds of the threads that a process has, by what they are for."""
    found: dict[str, float] = defaultdict(float)
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has just ended
            name = (thread / "comm").read_text()
            purpose = next((purpose for begin, purpose in THREADS.items() if name.startswith(begin)), "the rest")
            found[purpose] += process_cpu_seconds(pid, int(thread.name))
    return dict(found)


def counters(line: Line) -> Counters:
    cores = {name: sum(map(process_cpu_seconds, pids)) for name, pids in line.pids.items()}
    with connect(line.settings) as client:
        parts = dict(client.query(PARTS).result_rows)
    marks = Admin(line.settings).watermarks(all_topics_read(line.settings))
    messages = {f"{topic} {partition}": float(high) for (topic, partition), (_, high) in marks.items()}
    (node,) = line.pids["ClickHouse"]
    return Counters(time.monotonic(), cores, by_purpose(node), messages, parts)


def wait(line: Line, seconds: float, ask_every_s: float | None) -> None:
    """Until they are over, asking for what is new if somebody is to."""
    ends = time.monotonic() + seconds
    with connect(line.settings) as client:
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, ask_every_s or left))
            if ask_every_s:
                client.query(NEWEST)


def cost(load: Load, seconds: float, warm_up_s: float) -> Cost:
    with tempfile.TemporaryDirectory() as directory, running(Path(directory), load) as line:
        wait(line, warm_up_s, load.ask_every_s)
        before = counters(line)
        wait(line, seconds, load.ask_every_s)
        after = counters(line)
        with connect(line.settings) as client:
            trades, late = client.query(LATE, parameters={"seconds": int(seconds)}).result_rows[0]

    def a_second(now: dict[str, float], then: dict[str, float]) -> dict[str, float]:
        return {name: (value - then.get(name, 0)) / (after.at - before.at) for name, value in now.items()}

    return Cost(
        a_second(after.cores, before.cores),
        a_second(after.threads, before.threads),
        sum(a_second(after.messages, before.messages).values()),
        a_second(after.parts, before.parts),
        list(late) if trades else [],
    )


def table(costs: dict[str, Cost], before: dict[str, Cost]) -> Table:
    rows: list[list[Cell]] = []
    for load_name, now in costs.items():
        then = flat(before[load_name]) if load_name in before else {}
        rows += [[ratio(value, then.get(of)), value, then.get(of), of, load_name] for of, value in flat(now).items()]
    notes = [f"{os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f} at the end. before: of --beside."]
    claim = "what a line costs on which little happens"
    return Table("idle_cost", claim, ["now / before", "now", "before", "of", "load"], rows, notes)


def flat(cost: Cost) -> dict[str, float]:
    """By what it is of, in the order of the table."""
    found = {"cores, all": sum(cost.cores.values())}
    found |= {f"cores, {name}": cores for name, cores in cost.cores.items()}
    found |= {f"cores, ClickHouse: {purpose}": cores for purpose, cores in sorted(cost.threads.items())}
    found |= {f"ms venue to row, {share}": late for share, late in zip(("p50", "p99"), cost.late_ms, strict=False)}
    found |= {"messages a second": cost.messages, "parts a second, all": sum(cost.parts.values())}
    often = {table: rate for table, rate in sorted(cost.parts.items()) if rate >= LEAST_PARTS}
    return found | {f"parts a second, {table}": rate for table, rate in often.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--warm-up", type=float, default=WARM_UP_S, help="seconds before those that are measured")
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS))
    parser.add_argument("--keep", type=Path, help="write what was measured to this file")
    parser.add_argument("--beside", type=Path, help="compare with what --keep wrote")
    options = parser.parse_args()
    costs = {name: cost(LOADS[name], options.seconds, options.warm_up) for name in options.loads}
    if options.keep:
        options.keep.write_bytes(msgspec.json.encode(costs))
    before = msgspec.json.decode(options.beside.read_bytes(), type=dict[str, Cost]) if options.beside else {}
    print(table(costs, before).text())


if __name__ == "__main__":
    main()
