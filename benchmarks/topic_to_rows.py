"""Claim: ClickHouse takes rows from the topics as fast as a busy market sends them, and keeps them in few bytes.

    python -m benchmarks.topic_to_rows [--runs 3]

Recorded Binance messages are published in one go; the time ends when a SELECT counts them all. Beside it the same rows
are inserted over HTTP into a table of the same shape, as ClickHouse's own Native block and as the messages' JSON.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from benchmarks.recordings import RECORDINGS, Stream, session_of, streams
from benchmarks.stack import until, warehouse
from benchmarks.table import Cell, Table, median, ratio
from mdplatform.bus.kafka import KafkaBus
from mdplatform.core.clock import MS
from mdplatform.core.codec import encode
from mdplatform.core.events import Book, Event, Quote, Trade
from mdplatform.core.settings import Settings
from mdplatform.core.topics import Topics
from mdplatform.warehouse.client import connect

LEVELS = 40  # of a book's row: 20 a side, price and size


class Dataset(NamedTuple):
    kind: str
    store: str
    rows: int  # published in one go


DATASETS = (
    Dataset("book", "md_orderbook_depth_store", 30_000),
    Dataset("trade", "md_trades_store", 100_000),
    Dataset("quote", "md_quotes_store", 100_000),
)
STORED = """SELECT sum(rows), sum(bytes_on_disk) FROM system.parts
WHERE active AND database = currentDatabase() AND table = {table:String}"""
# What a message's JSON is read into directly: its own fields, without those that Kafka adds.
JSON_INTO = """CREATE TABLE bench_json ENGINE = MergeTree ORDER BY (exchange, symbol)
AS SELECT * EXCEPT (timestamp, venue_time, received_at, _topic, _partition, _offset, inserted_at)
FROM {table:Identifier} WHERE 0"""


def events(stream: Stream) -> list[Book | Trade | Quote]:
    session = session_of(stream.recording.venue)
    told = [*stream.before, *stream.frames]
    outputs = [output for entry in told for output in session.receive(entry.frame, entry.received_ns)]
    wanted = {"book": Book, "trade": Trade, "quote": Quote}[stream.kind]
    return [output for output in outputs if isinstance(output, wanted)]


def numbered(recorded: list[Book | Trade | Quote], count: int, start: int) -> Iterator[Book | Trade | Quote]:
    """The recording again and again, numbered again from ``start`` and as if it came now: no row repeats another."""
    now_ns = time.time_ns()
    for number in range(start, start + count):
        event = recorded[number % len(recorded)]
        came = {"venue_ns": now_ns + number * MS // 10, "received_ns": now_ns + number * MS // 10}
        named = {"id": str(number)} if isinstance(event, Trade) else {"sequence": number}
        yield msgspec.structs.replace(event, **came, **named)


def counted(client: Client, table: str) -> int:
    return int(client.query("SELECT count() FROM {table:Identifier}", parameters={"table": table}).result_rows[0][0])


def through_topic(settings: Settings, client: Client, dataset: Dataset, messages: list[Event]) -> float:
    """Rows a second, from the first message published to all of them counted by a SELECT."""
    topic, before = Topics.from_settings(settings).of(messages[0]), counted(client, dataset.store)
    encoded = [(*encode(event), event.received_ns) for event in messages]
    with KafkaBus(settings) as bus:
        began = time.monotonic()
        for key, value, received_ns in encoded:
            bus.publish(topic, key, value, received_ns)
            if not bus.has_room:
                bus.flush(30)
        bus.flush(30)
    ended = until(lambda: counted(client, dataset.store) >= before + len(messages))
    return len(messages) / (ended - began)


def from_native(client: Client, dataset: Dataset) -> float:
    """Rows a second of an INSERT of what the table holds."""
    named = {"table": dataset.store}
    block = client.raw_query("SELECT * FROM {table:Identifier}", parameters=named, fmt="Native")
    rows = counted(client, dataset.store)
    client.command(f"CREATE TABLE bench_native AS {dataset.store}")
    began = time.monotonic()
    client.raw_insert("bench_native", insert_block=block, fmt="Native")
    taken = time.monotonic() - began
    client.command("DROP TABLE bench_native SYNC")
    return rows / taken


def from_json(client: Client, dataset: Dataset, messages: list[Event]) -> float:
    lines = b"\n".join(encode(event)[1] for event in messages)
    client.command(JSON_INTO, parameters={"table": dataset.store})
    skipping = {"input_format_skip_unknown_fields": 1}
    began = time.monotonic()
    client.raw_insert("bench_json", insert_block=lines, fmt="JSONEachRow", settings=skipping)
    taken = time.monotonic() - began
    client.command("DROP TABLE bench_json SYNC")
    return len(messages) / taken


def stored(client: Client, dataset: Dataset) -> float:
    """Bytes on disk a row, once its parts are merged."""
    client.command("OPTIMIZE TABLE {table:Identifier} FINAL", parameters={"table": dataset.store})
    rows, size = client.query(STORED, parameters={"table": dataset.store}).result_rows[0]
    return float(size) / float(rows)


def measure(runs: int = 3) -> Table:
    recording = RECORDINGS[0]
    recorded = {stream.kind: events(stream) for stream in streams(recording)}
    rows: list[list[Cell]] = []
    with warehouse() as settings, connect(settings) as client:
        for dataset in DATASETS:
            rates: dict[str, list[float]] = {"topic": [], "native": [], "json": []}
            for run in range(runs):
                messages = list(numbered(recorded[dataset.kind], dataset.rows, 1 + run * dataset.rows))
                rates["topic"].append(through_topic(settings, client, dataset, messages))
                rates["native"].append(from_native(client, dataset))
                rates["json"].append(from_json(client, dataset, messages))
            topic, native, json = (median(found) for found in rates.values())
            size = stored(client, dataset)
            level = size / LEVELS if dataset.kind == "book" else None
            rows.append([ratio(topic, native), ratio(topic, json), topic, native, json, size, level, dataset.kind])
    claim = "rows a second from a topic to a SELECT, and bytes a row on disk"
    notes = [
        "Native, JSON: the same rows by INSERT over HTTP, without Kafka, views or proof of each message. The time of a",
        "topic holds publishing too and ends when a SELECT counts the last row. Bytes: compressed, merged, whole rows.",
    ]
    columns = ["x Native", "x JSON", "topic", "Native", "JSON", "bytes a row", "bytes a level", "rows of"]
    return Table("topic_to_rows", claim, columns, rows, notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    print(measure(parser.parse_args().runs).text())
