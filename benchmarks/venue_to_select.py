"""Claim: what a venue sends is in a SELECT's answer within a quarter of a second, at thousands of messages a second.

    python -m benchmarks.venue_to_select [--runs 1]

A process sends Binance trades at a steady rate, each stamped in microseconds as it leaves; a collector takes them to
the embedded broker, ClickHouse reads them from there, and a SELECT asks every few milliseconds for what is new. All on
one machine: its clock is the only one. Stages add up to the last line of each rate but for rounding to milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import uvloop
from clickhouse_connect.driver.client import Client
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from benchmarks.stack import warehouse
from benchmarks.table import Cell, Table
from mdplatform.bus.kafka import KafkaBus
from mdplatform.collector import CollectorConfig, collect
from mdplatform.core.clock import SystemClock
from mdplatform.core.settings import Settings
from mdplatform.warehouse.client import connect

SPAWN = get_context("spawn")
RATES = (1_000, 5_000, 20_000)  # trades a second
SECONDS = 8.0
WARM_UP_S = 2.0  # of them are not counted: joining the group, first parts
ASK_EVERY_S = 0.01
DRAIN_S = 30.0
SHARES = (0.5, 0.99, 0.999)
LISTED = b'{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[]}]}'
TRADE = (
    '{"stream":"btcusdt@trade","data":{"e":"trade","E":%d,"s":"BTCUSDT","t":%d,"p":"61837.63000000",'
    '"q":"0.02000000","T":%d,"m":true,"M":true}}'
)
NEW = """SELECT _partition, _offset, toUnixTimestamp64Nano(venue_time), toUnixTimestamp64Nano(received_at),
    toUnixTimestamp64Milli(inserted_at) * 1000000
FROM md_trades_store WHERE toUInt64(id) >= {first:UInt64} AND inserted_at > fromUnixTimestamp64Milli({since:Int64})"""


def venue(told: Connection, first_id: int, rate: int) -> None:
    """A process: trades at ``rate``, sent in steps of a millisecond or of a trade."""

    async def attend(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"result":null,"id":1}')
        began, sent = time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < SECONDS:
            while sent < elapsed * rate:
                now_us = time.time_ns() // 1000
                await socket.send(TRADE % (now_us, first_id + sent, now_us))
                sent += 1
            await asyncio.sleep(0.001)
        told.send(sent)
        await socket.wait_closed()

    def rest(connection: ServerConnection, request: Request) -> Response | None:
        if "Upgrade" in request.headers:
            return None
        return Response(200, "OK", Headers([("Content-Length", str(len(LISTED))), ("Connection", "close")]), LISTED)

    async def main() -> None:
        async with serve(attend, "127.0.0.1", 0, process_request=rest, compression=None) as server:
            told.send(server.sockets[0].getsockname()[1])
            await server.serve_forever()

    uvloop.run(main())


def collector(settings: Settings, port: int) -> None:
    """A process: the collector of those trades."""
    where = {"ws_url": f"ws://127.0.0.1:{port}", "rest_url": f"http://127.0.0.1:{port}"}
    config = CollectorConfig(venue="binance", symbols=("BTC-USDT",), channels=("trade",), **where)

    async def main() -> None:
        with KafkaBus(settings) as bus:
            await collect(config, settings, bus, SystemClock(), asyncio.Event())

    uvloop.run(main())


class Watch:
    """Asks for new rows and notes when their answer came."""

    def __init__(self, client: Client, first_id: int) -> None:
        self.client, self.first_id = client, first_id
        self.rows: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self.since_ms = time.time_ns() // 10**6 - 1000

    def ask(self) -> None:
        asked = {"first": self.first_id, "since": self.since_ms}
        rows: list[Any] = self.client.query(NEW, parameters=asked).result_rows
        now_ns = time.time_ns()
        for partition, offset, *times in rows:
            self.rows.setdefault((partition, offset), (*times, now_ns))  # type: ignore[arg-type]
        # Blocks become visible in any order within a second; what was seen before is passed over.
        self.since_ms = max([self.since_ms, *(row[4] // 10**6 - 1000 for row in rows)])


def once(settings: Settings, client: Client, first_id: int, rate: int) -> tuple[int, list[tuple[int, int, int, int]]]:
    """(trades sent, times of the rows seen: by the venue, by the collector, by the table, by us)."""
    here, there = SPAWN.Pipe()
    source = SPAWN.Process(target=venue, args=(there, first_id, rate), daemon=True)
    source.start()
    sink = SPAWN.Process(target=collector, args=(settings, here.recv()), daemon=True)
    sink.start()
    watch, sent, deadline = Watch(client, first_id), None, math.inf
    try:
        while (sent is None or len(watch.rows) < sent) and time.monotonic() < deadline:
            watch.ask()
            if sent is None and here.poll(ASK_EVERY_S):
                sent, deadline = int(here.recv()), time.monotonic() + DRAIN_S
    finally:
        for process in (sink, source):
            process.kill()
            process.join()
    return sent or 0, list(watch.rows.values())


def stages(rows: list[tuple[int, int, int, int]]) -> list[tuple[str, list[int]]]:
    began = min((venue for venue, *_ in rows), default=0) + int(WARM_UP_S * 1e9)
    counted = [row for row in rows if row[0] >= began]
    return [
        ("venue to collector", [received - venue for venue, received, _, _ in counted]),
        ("collector to row", [inserted - received for _, received, inserted, _ in counted]),
        ("row to SELECT", [seen - inserted for _, _, inserted, seen in counted]),
        ("venue to SELECT", [seen - venue for venue, _, _, seen in counted]),
    ]


def percentiles_ms(times_ns: list[int]) -> list[Cell]:
    ordered = sorted(times_ns)
    return [ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6 if ordered else None for share in SHARES]


def measure(runs: int = 1) -> Table:
    """One run a rate, however many are asked for: its percentiles are of thousands of trades."""
    rows: list[list[Cell]] = []
    with warehouse() as settings, connect(settings) as client:
        for index, rate in enumerate(RATES):
            sent, seen = once(settings, client, 1 + index * 10**7, rate)
            for name, times in stages(seen):
                rows.append([*percentiles_ms(times), name, rate, sent / SECONDS, len(seen) / sent if sent else None])
    claim = "milliseconds from a venue's clock to a SELECT, stage by stage"
    notes = [
        f"{SECONDS:g} s a rate, the first {WARM_UP_S:g} s left out. sent: what the sending process managed; seen: the",
        f"share of it that a SELECT gave within {DRAIN_S:g} s. {os.cpu_count()} cores for all of it, the asking too.",
    ]
    return Table(
        "venue_to_select", claim, ["p50", "p99", "p99.9", "stage", "wanted a s", "sent a s", "seen"], rows, notes
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1)
    print(measure(parser.parse_args().runs).text())
