"""Claim: our replay server gives the messages of tardis-machine, and how many a second beside it.

    python -m benchmarks.replay_server [--machine http://127.0.0.1:8000 --machine-pid PID]

The cases are those of tardis-machine's ``benchmark.js``: raw frames of trades and book changes of a symbol over HTTP
(``/replay``), the same normalized over HTTP and WebSocket, with and without a snapshot of 50 levels at each change; of
a recording of Binance's spot market (5.8 minutes) instead of a day of BitMEX, which needs a key of Tardis.
``--machine``: a running tardis-machine that is given the same recording by ``benchmarks.rivals.tardis_feed``; its
messages are compared with ours one by one, and messages a second of CPU measured in the same run. Its replay is from
its own cache of files, ours from ClickHouse (whose CPU counts) and from the archive, raw frames from the topic that
keeps them (the broker's CPU counts), dated as of now. A client reads and counts, nothing more. Each case is asked
``--rounds`` times in turn and the middle one shown: wall-clock figures of one round say how busy the machine was.

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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from confluent_kafka import Producer
from websockets.sync.client import connect

from benchmarks.table import Cell, Table, process_cpu_seconds
from mdplatform.core.codec import encode
from mdplatform.core.events import RawFrame
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.embedded import clickhouse
from mdplatform.embedded.broker import start_broker
from mdplatform_tests.read.whole_books import Recorded, prepared_whole
from mdplatform_tests.venues.recordings_digest import recorded

NAME = "binance/hft_spot"
SPAN = {"from": "2024-08-08T23:54:00Z", "to": "2024-08-09T00:01:00Z"}
TYPES = ("trade", "book_change")
SNAPSHOTS = (*TYPES, "book_snapshot_50_0ms")
RAW = ("trade", "depth")  # the venue's words for the same
CASES = [("raw", RAW), *((route, types) for types in (TYPES, SNAPSHOTS) for route in ("HTTP", "WebSocket"))]


@dataclass
class Server:
    """One that is asked; ``pids``: whose CPU counts, ``raw_span``: of its raw frames."""

    http: str
    ws: str
    symbol: str
    pids: list[int]
    raw_span: dict[str, str]


def asked(symbol: str, types: tuple[str, ...]) -> str:
    options = {"exchange": "binance", "symbols": [symbol], "dataTypes": types, **SPAN}
    return f"options={quote(json.dumps(options))}"


def kept_raw(settings: Settings) -> dict[str, str]:
    """The frames of the recording in their topic, their last one dated now; gives their span."""
    lines = [line.partition(b" ") for line in recorded(NAME)[1]]
    later = time.time_ns() - int(lines[-1][0])
    topic = Topics.from_settings(settings).expand("raw", ["binance"])[0]
    producer = Producer({"bootstrap.servers": settings.kafka_brokers, "queue.buffering.max.messages": 10**6})
    for number, (ns, _, frame) in enumerate(lines):
        key, value = encode(RawFrame("binance", "binance", number + 1, int(ns) + later, frame.rstrip()))
        producer.produce(topic, value, key=key, timestamp=(int(ns) + later) // 10**6)
    assert producer.flush(60) == 0
    first, last = (datetime.fromtimestamp((int(lines[n][0]) + later) // 10**9, UTC) for n in (0, -1))
    return {"from": first.isoformat(), "to": (last + timedelta(minutes=1)).isoformat()}


def counted(server: Server, route: str, types: tuple[str, ...]) -> int:
    http, ws, symbol = server.http, server.ws, server.symbol
    if route == "raw":
        filters = [{"channel": channel, "symbols": ["btcusdt"]} for channel in types]
        options = quote(json.dumps({"exchange": "binance", "filters": filters, **server.raw_span}))
        with urlopen(f"{http}/replay?options={options}", timeout=600) as answer:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: answer.read(1 << 16), b""))
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
def serving(found: Recorded, source: str, brokers: str) -> Iterator[tuple[str, int]]:
    """The command itself; its address and process id."""
    environ = {**os.environ, "CLICKHOUSE_URL": found.settings.clickhouse_url, "KAFKA_BROKERS": brokers}
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


def measured(server: Server, route: str, types: tuple[str, ...]) -> tuple[float, float, int]:
    """(messages a second of CPU, a second, messages)."""
    begun, cpu = time.monotonic(), sum(map(process_cpu_seconds, server.pids))
    count = counted(server, route, types)
    took, spent = time.monotonic() - begun, sum(map(process_cpu_seconds, server.pids)) - cpu
    return count / max(spent, 0.01), count / took, count


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--machine", help="address of a running tardis-machine; its sockets are one port higher")
    parser.add_argument("--machine-pid", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        node = stack.enter_context(clickhouse.start(directory / "node"))
        broker = stack.enter_context(start_broker(directory / "broker"))
        found = prepared_whole(NAME, node.url, directory / "archive")
        raw_span = kept_raw(Settings(kafka_brokers=broker.brokers))
        servers: dict[str, Server] = {}
        for name, source, pids in (
            ("ours, ClickHouse", "clickhouse", [node.pid]),
            ("ours, archive", str(found.archive), []),
        ):
            url, pid = stack.enter_context(serving(found, source, broker.brokers))
            servers[name] = Server(url, url.replace("http", "ws", 1), "BTC-USDT", [pid, *pids], raw_span)
        if given.machine:
            host, _, port = given.machine.rpartition(":")
            sockets = f"{host.replace('http', 'ws', 1)}:{int(port) + 1}"
            servers["tardis-machine"] = Server(given.machine, sockets, "BTCUSDT", [given.machine_pid], SPAN)
            every = [messages(server.http, server.symbol, SNAPSHOTS) for server in servers.values()]
            for name, ours in zip(servers, every[:-1], strict=False):
                for line in agreeing(ours, every[-1]):
                    print(f"{name}: {line}", flush=True)
        rows = [*_rows(servers, broker.pid, given.rounds)]
    columns = ["case", "server", "messages", "a second", "a second of CPU"]
    print(Table("replay_server", "messages a second of tardis-machine's own cases", columns, rows).text())


def _rows(servers: dict[str, Server], broker: int, rounds: int) -> Iterator[list[Cell]]:
    for route, types in CASES:
        case = "HTTP, raw frames" if route == "raw" else route
        levels = "" if route == "raw" else f", {'with' if types == SNAPSHOTS else 'without'} 50 levels"
        asked_of = dict(servers)
        if route == "raw":  # it has no source of its own: one of ours is enough
            ours = asked_of.pop("ours, ClickHouse")
            del asked_of["ours, archive"]
            asked_of = {"ours, topic": replace(ours, pids=[ours.pids[0], broker])} | asked_of
        found = [{name: measured(server, route, types) for name, server in asked_of.items()} for _ in range(rounds)]
        for name in asked_of:
            per_cpu, per_s, count = sorted(one[name] for one in found)[rounds // 2]
            yield [f"{case}{levels}", name, count, per_s, per_cpu]


if __name__ == "__main__":
    main()
