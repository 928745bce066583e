"""Claim: a level of a kept change takes 1.5 bytes or less, and any book of a lively hour is there in 300 ms (p99).

    python -m benchmarks.whole_book [--symbols 100] [--lively 20] [--minutes 60] [--asked 300]

Recordings of ``../shared/data`` are taken whole: what one level takes on disk in ClickHouse after a merge, with all
columns, and in the archive; beside it the entropy of its price step and its size, each for itself, and of what a row
needs besides, whatever it holds: the steps of receive time, venue time and sequence. That is what a perfect coder that
knows how often each occurs, and nothing else, would need; times of a short recording hardly occur twice, and to know
them is not counted, so that the sum is below what any coder reaches. CPU of a frame is that of a recording through the
collector's code, encoded, with changes and without.

The hour is made of the recordings of six venues: their updates one after the other, over and over, at ten a second for
lively symbols and one a second for the others, a snapshot every ten minutes, sizes of each round by another factor so
that no round repeats the last. It goes in by the insert path of the table, as the stream's rows do. Answers are those
of ``read.book`` with 200 levels at random instants of lively symbols, verdict included, from ClickHouse and from the
archive.

What is written to standard output is kept in ``results/whole_book.md``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote
from urllib.request import urlopen

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from benchmarks.__main__ import machine
from benchmarks.table import Table, cpu_seconds, process_cpu_seconds
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
from mdplatform_tests.venues.recordings_digest import DATA, RECORDINGS, _lines, recorded
from mdplatform_tests.warehouse.test_book_at import put_changes

# The venues of the hour, by their recordings.
RECORDED = (
    *("binance/hft_spot", "binance/hft_usdm_btcusdt", "binance/hft_coinm"),
    *("okx/cryptofeed", "coinbase/cryptofeed", "kraken/cryptofeed_futures"),
)
FURTHER = ("binance/hft_usdm_ethusdt", "gate/cryptofeed_futures", "kucoin/cryptofeed", "bybit/history")
STORE = "md_book_increments_store"
HOUR = datetime(2026, 11, 30, 12, tzinfo=UTC)
NS_OF_HOUR = int(HOUR.timestamp()) * 10**9
LIVELY_S, QUIET_S, SNAPSHOT_S = 10, 1, 600
DEPTH = 200
NS, MS = pa.timestamp("ns", "UTC"), pa.timestamp("ms", "UTC")
SIZES = """
SELECT sum(data_compressed_bytes) AS bytes FROM system.parts
WHERE database = currentDatabase() AND table = {table:String} AND active
"""
STATED = """
SELECT
    sum(length(bid_prices) + length(ask_prices)), count(), toString(toStartOfHour(min(timestamp)))
FROM md_book_increments_store
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--symbols", type=int, default=100)
    parser.add_argument("--lively", type=int, default=20, help="of the symbols, those with ten updates a second")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--asked", type=int, default=300, help="answers that are timed, of each source")
    options = parser.parse_args()
    began = machine()
    recordings = {name: _changes(name) for name in (*RECORDED, *FURTHER)}
    rows = [*_frames()]
    with tempfile.TemporaryDirectory() as directory, clickhouse.start(Path(directory) / "node") as node:
        settings, root = Settings(clickhouse_url=node.url), Path(directory) / "archive"
        migrate(settings, streams=False)
        with connect(settings) as client:
            for name, changes in recordings.items():
                put_changes(client, changes)
                rows.append(_stored(client, name, Path(directory) / name, {changes[0].exchange}, _entropy(changes)))
                client.command(f"TRUNCATE TABLE {STORE}")
            books = [*_books(recordings, options)]
            rows.append(_loaded(client, books, options.minutes, node.pid))
            rows.append(_stored(client, "the hour", root, {book.exchange for book in books}))
            for venue in {book.exchange for book in books}:
                _publish(client, root, "statuses", venue, HOUR)
        lively = [(book.exchange, book.symbol) for book in books if book.every_s == LIVELY_S]
        rows += [
            *_answers(settings, root, options, lively, node.pid),
            *_streams(settings, options, *lively[0], node.pid),
        ]
    claim = "bytes a kept level, rows a second, answers, streams and CPU of the whole book"
    print(Table("whole_book", claim, ["what", "of", "figure", "aim"], [[*row] for row in rows], [f"{began}."]).text())


def _changes(name: str) -> list[BookChange]:
    venue, files = RECORDINGS[name]
    player = Player(venue, depth=20, changes=True)
    lines = (line for file in files for line in _lines(DATA / file))
    events = (event for entry in parse(lines) for event in player.take(entry))
    return [event for event in events if isinstance(event, BookChange)]


def _entropy(changes: Sequence[BookChange]) -> str:
    """Bytes of a price step and of a size a level, and of a row's times and numbers, by how often each value occurs
    among those of its symbol; their sum a level."""
    steps: list[object] = []
    sizes: list[object] = []
    rows: list[list[object]] = [[], [], []]
    first: dict[tuple[str, str], Decimal] = {}  # price of the change before on that side
    last: dict[str, BookChange] = {}
    for change in changes:
        sides = {"b": (change.bid_prices, change.bid_sizes), "a": (change.ask_prices, change.ask_sizes)}
        for name, (side, amounts) in sides.items():
            prices = [Decimal(price) for price in side]
            before = [first.get((change.symbol, name), Decimal(0)), *prices]
            steps += [(change.symbol, price - last) for price, last in zip(prices, before, strict=False)]
            sizes += [(change.symbol, Decimal(size)) for size in amounts]
            first.update({(change.symbol, name): prices[0]} if prices else {})
        if (previous := last.get(change.symbol)) is not None:
            for column, field in zip(rows, ("received_ns", "venue_ns", "sequence"), strict=True):
                column.append((change.symbol, getattr(change, field) - getattr(previous, field)))
        last[change.symbol] = change
    price, size, row = _bytes_of(steps), _bytes_of(sizes), sum(map(_bytes_of, rows))
    bound = price + size + row * len(changes) / len(steps)
    return f"entropy {price:.2f} + {size:.2f} a level, {row:.2f} a row: {bound:.2f}"


def _bytes_of(values: Sequence[object]) -> float:
    counts = np.array([*Counter(values).values()])
    return float(-(counts * np.log2(counts / counts.sum())).sum() / counts.sum() / 8)


def _stored(client: Client, what: str, root: Path, venues: Iterable[str], beside: str = "") -> list[str]:
    client.command(f"OPTIMIZE TABLE {STORE} FINAL")
    stored = client.query(SIZES, parameters={"table": STORE}).first_row[0]
    levels, count, first = client.query(STATED).first_row
    hour = datetime.fromisoformat(first).replace(tzinfo=UTC)
    archived = sum(
        _publish(client, root, "increments", venue, hour + timedelta(hours=number))
        for venue in venues
        for number in (0, 1)
    )
    figure = f"{stored / levels:.2f} in ClickHouse, {archived / levels:.2f} in the archive"
    of = f"{levels:,} levels, {count:,} changes{'; ' if beside else ''}{beside}"
    return [f"bytes a level, {what}", of, figure, "1.5 or less"]


def _publish(client: Client, root: Path, dataset: str, venue: str, hour: datetime) -> int:
    """Bytes of the files."""
    batches = stream(client, export(dataset), exchange=venue, hour=hour)
    return publish(root, Partition(dataset, venue, hour), batches, Origin(query="", code_version="")).bytes


Floats = npt.NDArray[Any]


class _Side(NamedTuple):
    """Levels of all updates of a recording, one after the other; ``ends``: where each update ends."""

    prices: Floats
    sizes: Floats
    ends: Floats


class _Book(NamedTuple):
    """One symbol of the hour."""

    exchange: str
    symbol: str
    every_s: int  # updates a second
    number: int
    digits: int  # of its sizes
    snapshot: tuple[_Side, _Side]
    updates: tuple[_Side, _Side]


def _books(recordings: dict[str, list[BookChange]], options: argparse.Namespace) -> Iterator[_Book]:
    """Venue by venue in turn, so that each has its share of the lively ones."""
    for number in range(options.symbols):
        changes = recordings[RECORDED[number % len(RECORDED)]]
        most = Counter(change.symbol for change in changes).most_common(1)[0][0]
        chosen = [change for change in changes if change.symbol == most]
        snapshots = [change for change in chosen if change.kind == "snapshot"][:1]
        updates = [change for change in chosen if change.kind == "update"]
        digits = max(len(size.partition(".")[2]) for change in updates for size in map(str, change.bid_sizes))
        yield _Book(
            *(chosen[0].exchange, f"S{number:02}-USDT", LIVELY_S if number < options.lively else QUIET_S, number),
            *(digits, _sides(snapshots), _sides(updates)),
        )


def _sides(changes: Sequence[BookChange]) -> tuple[_Side, _Side]:
    def side(prices: Sequence[Sequence[object]], sizes: Sequence[Sequence[object]]) -> _Side:
        flat = [np.array([float(str(x)) for each in column for x in each]) for column in (prices, sizes)]
        return _Side(*flat, np.cumsum([len(each) for each in prices]))

    return (
        side([change.bid_prices for change in changes], [change.bid_sizes for change in changes]),
        side([change.ask_prices for change in changes], [change.ask_sizes for change in changes]),
    )


def _loaded(client: Client, books: Sequence[_Book], minutes: int, node: int) -> list[str]:
    rows, spent, began = 0, process_cpu_seconds(node), time.perf_counter()
    made = 0.0
    for book in books:
        start = time.perf_counter()
        table = _hour(book, minutes)
        made += time.perf_counter() - start
        rows += load(client, STORE, [table])
    took, spent = time.perf_counter() - began - made, process_cpu_seconds(node) - spent
    figure = f"{rows / took:,.0f} rows/s, {1e6 * spent / rows:.0f} us of CPU a row"
    return ["changes stored", f"{rows:,} rows of {len(books)} symbols", figure, ""]


def _hour(book: _Book, minutes: int) -> pa.Table:
    """Its updates and snapshots, in the columns of the table."""
    dice = np.random.default_rng(book.number)
    count = minutes * 60 * book.every_s
    recorded = len(book.updates[0].ends)
    order = np.arange(count) % recorded
    # Rounds differ by the factor of their sizes.
    factors = np.exp(dice.normal(0, 0.3, count // recorded + 1))[np.arange(count) // recorded]
    times = NS_OF_HOUR + 10**6 * book.number + np.arange(1, count + 1) * (10**9 // book.every_s)
    times += dice.integers(0, 20_000_000, count)
    sequences = 10**9 + np.cumsum(dice.integers(1, 80, count))
    whole = np.arange(0, count, SNAPSHOT_S * book.every_s)
    updates = _rows(book, book.updates, order, factors)
    snapshots = _rows(book, book.snapshot, np.zeros(len(whole), "i8"), factors[whole])
    lists = {name: pa.concat_arrays([updates[name], snapshots[name]]) for name in updates}
    venue = np.concatenate([times, times[whole] + 1_000])
    received = venue + 7_000_000 + dice.integers(0, 3_000_000, len(venue))
    before = np.concatenate([[sequences[0] - 1], sequences[:-1]])
    return pa.table(
        {
            **{"exchange": pa.repeat(book.exchange, len(venue)), "symbol": pa.repeat(book.symbol, len(venue))},
            "kind": pa.concat_arrays([pa.repeat("update", count), pa.repeat("snapshot", len(whole))]),
            **{**lists, "sequence": np.concatenate([sequences, sequences[whole]])},
            "previous_sequence": pa.concat_arrays([pa.array(before), pa.nulls(len(whole), pa.int64())]),
            "timestamp": pa.array(venue // 10**6).cast(MS),
            **{"venue_time": pa.array(venue).cast(NS), "received_at": pa.array(received).cast(NS)},
            **{"_topic": pa.repeat("made up", len(venue)), "_partition": pa.repeat(0, len(venue))},
            "_offset": np.arange(len(venue)),
        }
    )


def _rows(book: _Book, sides: tuple[_Side, _Side], order: Floats, factors: Floats) -> dict[str, pa.Array]:
    lists = {}
    for name, side in zip("ba", sides, strict=True):
        lengths = np.diff(side.ends, prepend=0)[order]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(offsets[-1]) - np.repeat(
            offsets[:-1] - (side.ends - np.diff(side.ends, prepend=0))[order], lengths
        )
        sizes = np.round(side.sizes[places] * np.repeat(factors, lengths), book.digits)
        held = np.where(side.sizes[places] > 0, np.maximum(sizes, 10.0**-book.digits), 0.0)
        for column, values in ((name, side.prices[places]), (f"{name}v", held)):
            lists[column] = pa.ListArray.from_arrays(pa.array(offsets.astype("i4")), pa.array(values))
    return lists


def _answers(
    settings: Settings, root: Path, options: argparse.Namespace, lively: Sequence[tuple[str, str]], node: int
) -> Iterable[list[str]]:
    dice = Random(1)
    for name, source in (("ClickHouse", "clickhouse"), ("the archive", root)):
        took, spent = [], time.process_time() + process_cpu_seconds(node)
        for _ in range(options.asked):
            at = HOUR + timedelta(seconds=dice.uniform(60, options.minutes * 60 - 1))
            began = time.perf_counter()
            read.book(*dice.choice(lively), at, depth=DEPTH, source=source, settings=settings)
            took.append(1000 * (time.perf_counter() - began))
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        spent = 1000 * (time.process_time() + process_cpu_seconds(node) - spent) / options.asked
        figure = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; {spent:.0f} ms of CPU an answer"
        yield [f"book at an instant, {name}", f"{options.asked} answers", figure, "p99 below 300 ms"]
    began = time.perf_counter()
    end = HOUR + timedelta(minutes=options.minutes)
    table = read.books(*lively[0], HOUR, end, every="1s", depth=25, settings=settings)
    yield ["books every second, depth 25", f"{table.num_rows:,} books", f"{time.perf_counter() - began:.1f} s", ""]


def _streams(
    settings: Settings, options: argparse.Namespace, exchange: str, symbol: str, node: int
) -> Iterable[list[str]]:
    """The public server's own benchmark replays what it has cached; its client counts lines, as here.

    Of three rounds the middle one, by CPU (the client's too): a second of the clock says how busy the machine was.
    """
    end = HOUR + timedelta(minutes=min(options.minutes, 10))
    span = {"exchange": exchange, "symbols": [symbol], "from": HOUR.isoformat(), "to": end.isoformat()}
    with serving(settings, Source(settings)) as url:
        for types in (["book_change"], ["book_snapshot_10_100ms"]):
            asked = quote(msgspec.json.encode({**span, "dataTypes": types}).decode())
            found = sorted(_streamed(f"{url}/replay-normalized?options={asked}", node) for _ in range(3))
            per_cpu, per_s, count = found[1]
            figure = f"{per_cpu:,.0f} messages a second of CPU, {per_s:,.0f} of the clock"
            yield [f"replay server, {types[0]}", f"{count:,} messages", figure, ""]


def _streamed(url: str, node: int) -> tuple[float, float, int]:
    began, spent = time.perf_counter(), time.process_time() + process_cpu_seconds(node)
    with urlopen(url, timeout=600) as answer:
        count = sum(1 for _ in answer)
    spent = time.process_time() + process_cpu_seconds(node) - spent
    return count / spent, count / (time.perf_counter() - began), count


def _frames() -> Iterable[list[str]]:
    for name in RECORDED:
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
