"""Claim: our streams store the books of a filled topic at two thirds of the CPU of a plain JSON Kafka table.

    python -m benchmarks.catch_up [--runs 3] [--books 200000] [--steps]

Recorded Binance books under 64 symbols are published first. Then the streams of books are attached, by their own SQL,
with one consumer and with two, in a new consumer group each time; the time ends when a SELECT counts the last book, and
begins at the attaching and, in a second figure, at the first block that is seen. In turns with them, on the same topic:

- the floor: a Kafka table of whole messages whose one view counts them and stores nothing else;
- a Kafka table of format JSONEachRow and one view into a table of the same columns: no proof, times or refusals;
- the same books by one INSERT ... FORMAT JSONEachRow over HTTP, without a broker.

CPU is user and system time of the ClickHouse process, its answers to the counting SELECTs included. ``on free cores``
takes off what the consumer's thread waited for a core: what other work on the machine cost. ``--steps`` states instead
what one message costs a consumer's thread by step, by leaving views out. Apache Kafka is fetched by Maven.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from clickhouse_connect.driver.client import Client

from benchmarks.recordings import RECORDINGS, streams
from benchmarks.stack import until
from benchmarks.table import Cell, Table, median, process_cpu_seconds, ratio
from benchmarks.topic_to_rows import events, numbered
from mdplatform.bus.admin import Admin
from mdplatform.bus.kafka import KafkaBus
from mdplatform.core.codec import encode
from mdplatform.core.settings import Settings
from mdplatform.embedded import clickhouse
from mdplatform.embedded.broker import start_broker
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.files import SQL, sql_text, statements
from mdplatform.warehouse.migrations import migrate
from mdplatform.warehouse.render import all_topics_read, placeholders, render
from mdplatform_tests.chaos.cluster import Cluster, Missing, jars

BOOKS = 200_000
SYMBOLS = 64  # a symbol is on one partition: as many as fill all partitions about evenly
LOOK_EVERY_S = 0.1
# Members with names of their own, as deploy/clickhouse/mdplatform.xml has them: two consumers share each group.
CONSUMERS = {"group_instance_id": "", "session_timeout_ms": "10000", "max_poll_interval_ms": ""}
STORE, COUNTED, PLAIN = "md_orderbook_depth_store", "bench_counted", "bench_plain"
COUNT = {
    STORE: "SELECT count() FROM md_orderbook_depth_store",
    COUNTED: "SELECT sum(books) FROM bench_counted",
    PLAIN: "SELECT count() FROM bench_plain",
}
KAFKA = "{{readers}}.md_orderbook_stream_kafka"
COUNTS = "CREATE TABLE bench_counted (books UInt64) ENGINE = MergeTree ORDER BY ()"
COUNTING = "CREATE MATERIALIZED VIEW bench_counted_view TO bench_counted AS SELECT count() AS books FROM "
# The message's own columns under its names: those of the stream, without what is added to them.
PLAIN_TABLE = """CREATE TABLE bench_plain ENGINE = MergeTree ORDER BY (exchange, symbol, sequence)
AS SELECT exchange, symbol, b, bv, a, av, raw_bv, raw_av, bid_depth_10bps, ask_depth_10bps, sequence, previous_sequence,
    0::Int64 AS timestamp, 0::Int64 AS venue_ns, 0::Int64 AS received_ns
FROM md_orderbook_depth_store WHERE 0"""
PLAIN_VIEW = "CREATE MATERIALIZED VIEW bench_plain_view TO bench_plain AS SELECT * FROM "
# What leaves nothing of a way: the Kafka table first, what hangs on it, what that filled.
LEFT = (KAFKA, "md_orderbook_stream_kafka_view", "bench_counted_view", "bench_plain_view", COUNTED, PLAIN)
STORES = (STORE, "md_top_of_book_store", "md_messages_store")
MESSAGES = "md_orderbook_depth_messages"
DEFINITION = "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = {name:String}"
# Each step with the views that are left out of it; a step costs what it takes more than the one above.
STEPS: dict[str, tuple[str, ...]] = {
    "JSON parsed and judged": ("md_orderbook_stream_refused", "md_orderbook_stream_depth", "md_orderbook_depth_top"),
    "refused ones looked for": ("md_orderbook_stream_depth", "md_orderbook_depth_top"),
    "books stored": ("md_orderbook_depth_top", MESSAGES),
    "tops stored": (MESSAGES,),
    "offsets stored: all": (),
}


def ours() -> list[str]:
    """The statements of the stream; the last one begins the reading."""
    return statements(sql_text(SQL / "streams/books.sql"))


def floor() -> list[str]:
    """The stream's Kafka table, of whose messages one view keeps the number alone."""
    return [_kafka_table(), COUNTS, COUNTING + KAFKA]


def plain() -> list[str]:
    """The same Kafka table in JSONEachRow with a column for each field."""
    typed = re.sub(r"\(\n.*?\n\)", "AS bench_plain", _kafka_table(), flags=re.DOTALL)
    return [PLAIN_TABLE, typed.replace("'RawBLOB'", "'JSONEachRow'"), PLAIN_VIEW + KAFKA]


def _kafka_table() -> str:
    return next(statement for statement in ours() if "ENGINE = Kafka" in statement)


class Warehouse(NamedTuple):
    """A node whose tables are there and whose streams of books are not; ``books`` wait in their topic."""

    settings: Settings
    client: Client
    pid: int
    books: int


class Cost(NamedTuple):
    """Of reading all books once."""

    rate: float  # books a second, from attaching to the last one counted
    from_first: float  # the same from the first block seen
    on_free_cores: float  # the same without what the busiest thread waited for a core
    cpu_us: float  # of the process, a book
    thread_us: float  # of the consumers' threads, a book


@contextmanager
def filled(directory: Path, brokers: str, messages: Sequence[tuple[bytes, bytes, int]]) -> Iterator[Warehouse]:
    with clickhouse.start(directory / "clickhouse", kafka=CONSUMERS) as node:
        # All books lie in memory or on disk at once: no partition may drop its oldest.
        settings = Settings(kafka_brokers=brokers, clickhouse_url=node.url, kafka_retention_bytes=2**31 - 1)
        Admin(settings).ensure(all_topics_read(settings))
        migrate(settings, streams=False)
        with KafkaBus(settings) as bus:
            for key, value, received_ns in messages:
                bus.publish(settings.topic_books, key, value, received_ns)
                if not bus.has_room:
                    bus.flush(30)
        with connect(settings) as client:
            yield Warehouse(settings, client, node.pid, len(messages))


def recorded_messages(count: int) -> list[tuple[bytes, bytes, int]]:
    recorded = events(next(stream for stream in streams(RECORDINGS[0]) if stream.kind == "book"))
    named = (
        msgspec.structs.replace(event, symbol=f"BTC{number % SYMBOLS}-USDT")
        for number, event in enumerate(numbered(recorded, count, 1))
    )
    return [(*encode(event), event.received_ns) for event in named]


_groups = itertools.count()


def catch_up(
    warehouse: Warehouse,
    way: Sequence[str],
    table: str,
    consumers: int = 1,
    without: Sequence[str] = (),
    counted: bool = False,
) -> Cost:
    """Run the statements of ``way``, of which the last begins the reading, until ``table`` holds all; leave nothing.

    The views ``without`` are left out; ``counted`` books are those that reach the stream's table.
    """
    client, pid = warehouse.client, warehouse.pid
    settings = dataclasses.replace(warehouse.settings, kafka_consumers=consumers)
    # A group that never read: from the topic's beginning.
    values = placeholders(settings) | {"group": f"mdplatform.catch_up{next(_groups)}"}
    *before, attach = (render(statement, values) for statement in way)
    for statement in (*before, *((COUNTS, COUNTING + "md_orderbook_stream") if counted else ())):
        client.command(statement)
    for view in without:
        client.command(f"DROP TABLE IF EXISTS {view} SYNC")
    started, began, cpu = threads(pid), time.monotonic(), process_cpu_seconds(pid)
    client.command(attach)
    until(lambda: _count(client, table) > 0, LOOK_EVERY_S)
    first, seen, between = time.monotonic(), _count(client, table), threads(pid)
    ended = until(lambda: _count(client, table) >= warehouse.books, LOOK_EVERY_S)
    cpu, after = process_cpu_seconds(pid) - cpu, threads(pid)
    for name in LEFT:
        client.command(f"DROP TABLE IF EXISTS {render(name, values)} SYNC")
    for name in STORES:
        client.command(f"TRUNCATE TABLE {name} SYNC")
    # The consumers' threads are the busiest of all.
    ran = sorted((run - started.get(thread, (0, 0))[0] for thread, (run, _) in after.items()), reverse=True)
    latest, thread = max((run - between.get(thread, (0, 0))[0], thread) for thread, (run, _) in after.items())
    waited_s = (after[thread][1] - between.get(thread, (0, 0))[1]) / 1e9 if latest else 0.0
    rest, took_s = warehouse.books - seen, max(ended - first, LOOK_EVERY_S)
    return Cost(
        rate=warehouse.books / (ended - began),
        from_first=rest / took_s,
        on_free_cores=rest / max(took_s - waited_s, LOOK_EVERY_S),
        cpu_us=cpu / warehouse.books * 1e6,
        thread_us=sum(ran[:consumers]) / 1e3 / warehouse.books,
    )


def _count(client: Client, table: str) -> int:
    return int(client.query(COUNT[table]).result_rows[0][0])


def threads(pid: int) -> dict[str, tuple[int, int]]:
    """By thread: ns that it ran, and ns that it could have run but waited for a core."""
    found = {}
    for path in Path(f"/proc/{pid}/task").iterdir():
        try:
            run, waited, _ = map(int, (path / "schedstat").read_text().split())
        except OSError:  # it has ended
            continue
        found[path.name] = (run, waited)
    return found


def inserted(warehouse: Warehouse, lines: bytes) -> Cost:
    """The same books in one INSERT over HTTP."""
    client = warehouse.client
    client.command(PLAIN_TABLE)
    began, cpu = time.monotonic(), process_cpu_seconds(warehouse.pid)
    skipping = {"input_format_skip_unknown_fields": 1}
    client.raw_insert(PLAIN, insert_block=lines, fmt="JSONEachRow", settings=skipping)
    took_s, cpu = time.monotonic() - began, process_cpu_seconds(warehouse.pid) - cpu
    client.command(f"DROP TABLE {PLAIN} SYNC")
    rate, cpu_us = warehouse.books / took_s, cpu / warehouse.books * 1e6
    return Cost(rate, rate, rate, cpu_us, cpu_us)


@contextmanager
def embedded(directory: Path) -> Iterator[str]:
    with start_broker(directory / "broker") as broker:
        yield broker.brokers


@contextmanager
def apache(directory: Path) -> Iterator[str]:
    """Raises Missing."""
    with Cluster(directory, jars(directory / "jars"), 1) as cluster:
        yield cluster.brokers


WAYS = {"ours": (ours, STORE), "floor": (floor, COUNTED), "plain": (plain, PLAIN)}
BROKERS = {"Apache Kafka": apache, "embedded": embedded}
MEASURES: dict[str, Callable[[Cost], float]] = {
    "books/s": lambda cost: cost.rate,
    "books/s from the first block": lambda cost: cost.from_first,
    "the same on free cores": lambda cost: cost.on_free_cores,
    "CPU us a book": lambda cost: cost.cpu_us,
}


def measure(runs: int = 3, books: int = BOOKS) -> Table:
    messages, rows, notes = recorded_messages(books), list[list[Cell]](), list[str]()
    lines = b"\n".join(value for _, value, _ in messages)
    for name, broker in BROKERS.items():
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            try:
                warehouse = stack.enter_context(filled(directory, stack.enter_context(broker(directory)), messages))
            except Missing as missing:
                notes.append(f"{name} is not measured: {missing}.")
                continue
            found: dict[tuple[str, int], list[Cost]] = {}
            for _ in range(runs):
                for consumers in (1, 2):
                    for way, (made, table) in WAYS.items():
                        found.setdefault((way, consumers), []).append(catch_up(warehouse, made(), table, consumers))
                found.setdefault(("insert", 1), []).append(inserted(warehouse, lines))
        rows += [_row(found, name, consumers, title) for title in MEASURES for consumers in (1, 2)]
    claim = "a topic filled before, read from its beginning until a SELECT counts its last book"
    notes += [
        f"{books:,} books of 1.3 kB, one a message, on 4 partitions. floor: whole messages read and counted.",
        "JSONEachRow: a plain Kafka table of that format, and one view into a table of the same columns. INSERT: the",
        "same over HTTP, in one statement, without a broker. Ratios: how many times ours is faster, or takes less. On",
        "free cores: without what the consumer's thread waited for a core; two consumers need two for themselves.",
    ]
    columns = ["x floor", "x JSONEachRow", "x INSERT", "streams", "floor", "JSONEachRow", "INSERT", "consumers"]
    return Table("catch_up", claim, [*columns, "broker", "measure"], rows, notes)


def _row(found: dict[tuple[str, int], list[Cost]], broker: str, consumers: int, measure: str) -> list[Cell]:
    of = MEASURES[measure]
    ours, *others = (median([of(cost) for cost in found.get((way, consumers), [])]) for way in (*WAYS, "insert"))
    is_cost = measure.startswith("CPU")
    ratios = [ratio(other, ours) if is_cost else ratio(ours, other) for other in others]
    return [*ratios, ours, *others, consumers, broker, measure]


def steps(runs: int = 3, books: int = BOOKS) -> Table:
    """What one message costs its consumer's thread, by step, on the embedded broker."""
    found: dict[str, list[float]] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        brokers = stack.enter_context(embedded(directory))
        warehouse = stack.enter_context(filled(directory, brokers, recorded_messages(books)))
        # Made by a migration, once: left out, it must be made again for the next run.
        definition = warehouse.client.query(DEFINITION, parameters={"name": MESSAGES}).result_rows[0][0]
        for _ in range(runs):
            costs = {"polled, as whole messages": catch_up(warehouse, floor(), COUNTED)}
            for step, without in STEPS.items():
                is_counted = "md_orderbook_stream_depth" in without
                costs[step] = catch_up(
                    warehouse, ours(), COUNTED if is_counted else STORE, without=without, counted=is_counted
                )
                if MESSAGES in without:
                    warehouse.client.command(definition)
            for step, cost in costs.items():
                found.setdefault(step, []).append(cost.thread_us)
    rows, before = list[list[Cell]](), 0.0
    all_us = median(list(found.values())[-1])
    for step, values in found.items():
        sum_us = median(values)
        assert sum_us is not None
        rows.append([ratio(sum_us - before, all_us), sum_us - before, sum_us, step])
        before = sum_us
    claim = "what a message costs its consumer's thread by step, from streams with views left out"
    notes = ["Medians of CPU, in turns. librdkafka's own thread takes 1.5 to 2 us a message beside it, merges about 1."]
    return Table("catch_up_steps", claim, ["share", "us a book", "us up to here", "step"], rows, notes)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--books", type=int, default=BOOKS)
    parser.add_argument("--steps", action="store_true", help="what one message costs by step, instead")
    options = parser.parse_args()
    print((steps if options.steps else measure)(options.runs, options.books).text())
