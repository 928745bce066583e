"""Claim: our replay server gives the messages of tardis-machine, and how many a second beside it.

    python -m benchmarks.replay_server [--machine http://127.0.0.1:8000 --machine-pid PID]

The cases are those of tardis-machine's ``benchmark.js``: trades and book changes of a symbol over HTTP and WebSocket,
with and without a snapshot of 50 levels at each change; here of a recording of Binance's spot market (5.8 minutes)
instead of a day of BitMEX, which needs a key of Tardis. ``--machine``: a running tardis-machine that is given the same
recording by ``benchmarks.rivals.tardis_feed``; its messages are compared with ours one by one, and messages a second of
CPU measured in the same run. Its replay is from its own cache of files, ours from ClickHouse (whose CPU counts) and
from the archive. A client reads and counts, nothing more.

What is expected to differ: once the price has left the levels that the snapshot by REST held, our book is no longer
proven and ends (a collector fetches another snapshot; the recording has none), while tardis-machine goes on; and an
update states of ours only levels within what is known.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from websockets.sync.client import connect

from benchmarks.backfill_hours import node_cpu_seconds
from benchmarks.table import Cell, Table
from mdplatform.embedded import clickhouse
from mdplatform_tests.read.whole_books import Recorded, prepared_whole

NAME = "binance/hft_spot"
SPAN = {"from": "2024-08-08T23:54:00Z", "to": "2024-08-09T00:01:00Z"}
TYPES = ("trade", "book_change")
SNAPSHOTS = (*TYPES, "book_snapshot_50_0ms")
CASES = [(route, types) for types in (TYPES, SNAPSHOTS) for route in ("HTTP", "WebSocket")]


def asked(symbol: str, types: tuple[str, ...]) -> str:
    options = {"exchange": "binance", "symbols": [symbol], "dataTypes": types, **SPAN}
    return f"options={quote(json.dumps(options))}"


def counted(http: str, ws: str, route: str, symbol: str, types: tuple[str, ...]) -> int:
    if route == "HTTP":
        with urlopen(f"{http}/replay-normalized?{asked(symbol, types)}", timeout=600) as answer:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: answer.read(1 << 16), b""))
    with connect(f"{ws}/ws-replay-normalized?{asked(symbol, types)}", open_timeout=60, max_size=None) as socket:
        return sum(1 for _ in socket)


def messages(http: str, symbol: str, types: tuple[str, ...]) -> list[dict[str, Any]]:
    with urlopen(f"{http}/replay-normalized?{asked(symbol, types)}", timeout=600) as answer:
        return [json.loads(line) for line in answer]


def agreeing(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> Iterator[str]:
    """How many are equal in prices, sizes, sides, ids and venue times, in their order."""
    for kind in ("trade", "book_change", "book_snapshot"):
        both = [[_essence(m) for m in side if m["type"] == kind] for side in (ours, theirs)]
        equal = sum(one == other for one, other in zip(*both, strict=False))
        ours_, theirs_ = (f"{len(side):,}" for side in both)
        yield f"{kind}: {equal:,} of our {ours_} are the same, in order, as the {theirs_} of tardis-machine"


def _essence(message: dict[str, Any]) -> tuple[Any, ...]:
    sides = [
        sorted((level["price"], level["amount"]) for level in message.get(side, ()) if level)
        for side in ("bids", "asks")
    ]
    stated = [message.get(name) for name in ("id", "price", "amount", "side", "isSnapshot", "depth")]
    return (*sides, *stated, message["timestamp"][:23])


@contextmanager
def serving(found: Recorded, source: str) -> Iterator[tuple[str, int]]:
    """The command itself; its address and process id."""
    environ = {**os.environ, "CLICKHOUSE_URL": found.settings.clickhouse_url}
    environ["MDPLATFORM_DATABASE"] = found.settings.clickhouse_database
    command = [sys.executable, "-m", "mdplatform", "serve", "--port", "0", "--source", source]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            match = re.search(r"http://\S+", server.stdout.readline())
            assert match is not None
            yield match[0], server.pid
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--machine", help="address of a running tardis-machine; its sockets are one port higher")
    parser.add_argument("--machine-pid", type=int)
    given = parser.parse_args()
    rows: list[list[Cell]] = []
    with tempfile.TemporaryDirectory() as directory, clickhouse.start(Path(directory) / "node") as node:
        found = prepared_whole(NAME, node.url, Path(directory) / "archive")
        servers: dict[str, tuple[str, str, str, list[int]]] = {}
        with serving(found, "clickhouse") as live, serving(found, str(found.archive)) as archived:
            for name, (url, pid) in (("ours, ClickHouse", live), ("ours, archive", archived)):
                used = [pid, node.pid] if name == "ours, ClickHouse" else [pid]
                servers[name] = (url, url.replace("http", "ws", 1), "BTC-USDT", used)
            if given.machine:
                host, _, port = given.machine.rpartition(":")
                sockets = f"{host.replace('http', 'ws', 1)}:{int(port) + 1}"
                servers["tardis-machine"] = (given.machine, sockets, "BTCUSDT", [given.machine_pid])
                every = [messages(http, symbol, SNAPSHOTS) for http, _, symbol, _ in servers.values()]
                for name, ours in zip(servers, every[:-1], strict=False):
                    for line in agreeing(ours, every[-1]):
                        print(f"{name}: {line}", flush=True)
            for route, types in CASES:
                for name, (http, ws, symbol, pids) in servers.items():
                    begun, cpu = time.monotonic(), sum(map(node_cpu_seconds, pids))
                    count = counted(http, ws, route, symbol, types)
                    took, spent = time.monotonic() - begun, sum(map(node_cpu_seconds, pids)) - cpu
                    case = f"{route}, {'with' if types == SNAPSHOTS else 'without'} 50 levels"
                    rows.append([case, name, count, count / took, count / max(spent, 0.01)])
    columns = ["case", "server", "messages", "a second", "a second of CPU"]
    print(Table("replay_server", "messages a second of tardis-machine's own cases", columns, rows).text())


if __name__ == "__main__":
    main()
