"""Books of recordings at random instants by every way there is, against a reconstruction and the venue's own ticker.

    python -m mdplatform_tests.read.whole_books [--instants 1000] [--python .venv-exports/bin/python] [RECORDING ...]

Ways: ``read.book``, ``mdplatform book`` and ``read.books`` from ClickHouse and from the archive; the exports for
hftbacktest and nautilus_trader, each read by the tool itself, and as Tardis' CSV. The instants are spread over the
recordings. It prints a line for each recording and way: instants, and how many books are equal; it ends with 1 if any
differs.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import math
import random
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from mdplatform import read
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.open_store import store_at
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export as statement
from mdplatform.cli import cli
from mdplatform.core.events import BookChange, FeedStatus, Quote
from mdplatform.core.settings import Settings
from mdplatform.embedded import clickhouse
from mdplatform.export.nautilus import instrument_id
from mdplatform.export.run import Request, export
from mdplatform.export.source import Piece, Source
from mdplatform.read.changes import time_of
from mdplatform.read.sampled import books_at
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.migrations import migrate
from mdplatform_tests.read.recorded import store
from mdplatform_tests.venues import recordings_digest, test_book_changes
from mdplatform_tests.venues.recordings_digest import RECORDINGS, recorded
from mdplatform_tests.venues.test_book_changes import Rebuilt, played
from mdplatform_tests.warehouse.test_book_at import put_changes

READERS = Path(__file__).parents[1] / "export" / "readers"
DEPTH = 20
US = 1_000
HOUR = timedelta(hours=1)
Levels = list[tuple[float, float]]
Books = list[tuple[Levels, Levels]]


@dataclass
class Recorded:
    """The liveliest book of a recording, in ClickHouse and in an archive."""

    name: str
    settings: Settings
    archive: Path
    changes: list[BookChange]
    quotes: list[Quote]
    instants: list[int]  # ns, whole us
    expected: Books

    @property
    def feed(self) -> tuple[str, str]:
        return self.changes[0].exchange, self.changes[0].symbol

    @property
    def span(self) -> tuple[Any, Any]:
        first = time_of(self.changes[0].received_ns).replace(minute=0, second=0, microsecond=0)
        return first, time_of(self.changes[-1].received_ns).replace(minute=0, second=0, microsecond=0) + HOUR


def prepared(name: str, settings: Settings, archive: Path, instants: int) -> Recorded | None:
    """None for a recording without changes of a book."""
    venue, lines = recorded(name)
    events = list(played(venue, lines, DEPTH))
    every = [event for event in events if isinstance(event, BookChange)]
    if not every:
        return None
    symbols = [change.symbol for change in every]
    symbol = max(sorted(set(symbols)), key=symbols.count)
    changes = [change for change in every if change.symbol == symbol]
    if len(changes) < 3:
        return None
    with connect(settings) as client:
        store(client, [event for event in events if isinstance(event, FeedStatus) and event.symbol == symbol])
        put_changes(client, changes)
        times = {at for change in changes for at in (change.venue_ns, change.received_ns)}
        hours = {time_of(at).replace(minute=0, second=0, microsecond=0) + n * HOUR for at in times for n in (0, 1)}
        for hour in sorted(hours):
            for dataset in ("increments", "statuses", "trades", "quotes"):
                rows = stream(client, statement(dataset), exchange=venue, hour=hour)
                publish(archive, Partition(dataset, venue, hour), rows, Origin(query="", code_version=""))
    span = range(changes[0].received_ns // US + 2, changes[-1].received_ns // US + 2)
    chosen = [US * us for us in sorted(random.Random(name).sample(span, min(instants, len(span))))]
    quotes = [event for event in events if isinstance(event, Quote) and event.symbol == symbol]
    return Recorded(name, settings, archive, changes, quotes, chosen, list(rebuilt(changes, chosen)))


def prepared_whole(name: str, url: str, archive: Path) -> Recorded:
    """A recording in a database of its own: changes, trades, quotes and intervals."""
    test_book_changes.LINES = recordings_digest.LINES = 10**9
    settings = Settings(clickhouse_url=url, clickhouse_database=f"w{uuid.uuid4().hex[:8]}")
    migrate(settings, streams=False)
    venue, lines = recorded(name)
    with connect(settings) as client:
        store(client, list(played(venue, lines, DEPTH)))
    found = prepared(name, settings, archive, 1)
    assert found is not None
    return found


def rebuilt(changes: Sequence[BookChange], instants: Sequence[int]) -> Iterator[tuple[Levels, Levels]]:
    book, place = Rebuilt(), 0
    for at in instants:
        while place < len(changes) and changes[place].received_ns <= at:
            book.apply(changes[place])
            place += 1
        bids, asks = book.top(DEPTH)
        yield [(float(p), float(s)) for p, s in bids], [(float(p), float(s)) for p, s in asks]


def ticker_agrees(found: Recorded) -> tuple[int, int]:
    """Of the venue's own best bids and asks with the update id of a change: how many there are, how many are equal."""
    tickers = {quote.sequence: quote for quote in found.quotes if quote.sequence is not None}
    book, compared, equal = Rebuilt(), 0, 0
    for change in found.changes:
        book.apply(change)
        if (quote := tickers.get(change.sequence)) is not None:
            bids, asks = book.top(1)
            best = [float(number) for side in (bids, asks) for level in side for number in level]
            told = [quote.bid_price, quote.bid_size, quote.ask_price, quote.ask_size]
            compared += 1
            equal += best == [float(text) for text in told if text is not None]
    return compared, equal


def by_book(found: Recorded, source: str | Path) -> Books:
    books = [
        read.book(*found.feed, time_of(at), depth=DEPTH, source=source, settings=found.settings)
        for at in found.instants
    ]
    return [(book.bids, book.asks) for book in books]


def by_books(found: Recorded, source: str | Path) -> Books:
    times = [time_of(at) for at in found.instants]
    span = (times[0], times[-1] + timedelta(milliseconds=1))
    books = books_at(*found.feed, times, *span, DEPTH, source, found.settings)
    return [(book.bids, book.asks) for book in books]


def by_command(found: Recorded, source: str | Path) -> Books:
    """The command itself, in this process: a process of its own for each would take a second."""
    environ = {"CLICKHOUSE_URL": found.settings.clickhouse_url}
    environ |= {"MDPLATFORM_DATABASE": found.settings.clickhouse_database}
    venue, symbol = found.feed
    asked = ["book", "--venue", venue, "--symbol", symbol, "--depth", str(DEPTH), "--format", "json"]
    books = []
    for at in found.instants:
        words = [*asked, "--at", time_of(at).isoformat(), "--source", str(source)]
        answer = CliRunner(env=environ).invoke(cli, words, catch_exceptions=False)
        book = json.loads(answer.stdout)
        books.append(tuple([(price, size) for price, size in book[side]] for side in ("bids", "asks")))
    return books  # type: ignore[return-value]


def exported(found: Recorded, source: str | Path, form: str, *datasets: str) -> tuple[Path, list[Path]]:
    folder = Path(tempfile.mkdtemp(dir=found.archive.parent))
    request = Request(form, found.feed[0], [found.feed[1]], *found.span, datasets)
    archive = None if source == "clickhouse" else store_at(source)
    files = export(request, Source(found.settings, archive), folder, lambda *_: None)
    return folder, [folder / file.path for file in files]


def by_tardis(found: Recorded, source: str | Path) -> Books:
    _, paths = exported(found, source, "tardis", "increments")
    with_days = [row for path in paths for row in rows_of(path)]
    sides: dict[str, dict[float, float]] = {"bid": {}, "ask": {}}
    books, place, was_snapshot = [], 0, False
    for at in found.instants:
        # The file has whole us: what was received in a part of one counts with the next.
        while place < len(with_days) and int(with_days[place]["local_timestamp"]) * US <= at - US:
            row, place = with_days[place], place + 1
            is_snapshot = row["is_snapshot"] == "true"
            if is_snapshot and not was_snapshot:
                sides = {"bid": {}, "ask": {}}
            was_snapshot = is_snapshot
            sides[row["side"]][float(row["price"])] = float(row["amount"])
        both = [sorted(side.items(), reverse=name == "bid") for name, side in sides.items()]
        bids, asks = ([level for level in side if level[1]][:DEPTH] for side in both)
        books.append((bids, asks))
    return books


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def by_nautilus(found: Recorded, source: str | Path, python: Path) -> Books:
    folder, _ = exported(found, source, "nautilus", "increments")
    name = instrument_id(Piece("", *found.feed, *found.span, *found.span))
    books = run(python, "read_nautilus", folder, name, found.instants)["books"]
    return [tuple([tuple(level) for level in side] for side in book) for book in books]  # type: ignore[misc]


def by_hftbacktest(found: Recorded, source: str | Path, python: Path) -> Books:
    """Its depth is asked for the sizes at the prices of the expected book, and for its best prices."""
    _, paths = exported(found, source, "hftbacktest")
    prices = sorted({price for book in found.expected for side in book for price, _ in side})
    tick = 10.0 ** -max(len(f"{price!r}".partition(".")[2].rstrip("0")) for price in prices)
    asked = [
        [at, [[p for p, _ in side] for side in book]] for at, book in zip(found.instants, found.expected, strict=True)
    ]
    answer = run(python, "read_levels", paths[0], tick, asked)
    return [tuple([tuple(level) for level in side] for side in book) for book in answer]  # type: ignore[misc]


def run(python: Path, script: str, *arguments: object) -> Any:
    given = [*map(str, arguments[:-1]), "-"]
    done = subprocess.run(
        [python, READERS / f"{script}.py", *given],
        input=json.dumps(arguments[-1]),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def same(book: tuple[Levels, Levels], expected: tuple[Levels, Levels]) -> bool:
    """Equal; what a tool has kept as integers of its decimals, to eight of them."""
    return all(
        len(side) == len(wanted)
        and all(
            math.isclose(one, other, rel_tol=1e-12, abs_tol=6e-9)
            for level, known in zip(side, wanted, strict=True)
            for one, other in zip(level, known, strict=True)
        )
        for side, wanted in zip(book, expected, strict=True)
    )


Way = Callable[[Recorded, str | Path], Books]


def ways(python: Path | None) -> dict[str, Way]:
    found: dict[str, Way] = {"read.book": by_book, "mdplatform book": by_command, "read.books": by_books}
    found["export tardis"] = by_tardis
    if python is not None:
        found["export nautilus"] = lambda recording, source: by_nautilus(recording, source, python)
        found["export hftbacktest"] = lambda recording, source: by_hftbacktest(recording, source, python)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--instants", type=int, default=1_000)
    parser.add_argument("--python", type=Path, help="of an environment with hftbacktest and nautilus_trader")
    parser.add_argument("recordings", nargs="*")
    given = parser.parse_args()
    test_book_changes.LINES = recordings_digest.LINES = 10**9  # whole recordings
    # Samples, and files of a venue's past, hold no receive times: a book is asked for by these.
    names = given.recordings or [name for name, (_, files) in RECORDINGS.items() if not files[0].endswith(".jsonl")]
    totals: dict[tuple[str, str], list[int]] = {}
    with tempfile.TemporaryDirectory() as directory, clickhouse.start(Path(directory) / "ch") as node:
        settings = Settings(clickhouse_url=node.url, clickhouse_database=f"w{uuid.uuid4().hex[:8]}")
        migrate(settings, streams=False)
        for name in names:
            found = prepared(name, settings, Path(directory) / f"archive-{name.replace('/', '-')}", given.instants)
            if found is None:
                print(f"{name}: no changes of a book")
                continue
            compared, equal = ticker_agrees(found)
            print(
                f"{name} {found.feed[1]}: {len(found.changes)} changes; ticker equal in {equal} of {compared}",
                flush=True,
            )
            for way, books_of in ways(given.python).items():
                for source in ("clickhouse", found.archive):
                    books = books_of(found, source)
                    right = sum(map(same, books, found.expected))
                    where = "clickhouse" if source == "clickhouse" else "archive"
                    print(f"  {way:<20} {where:<10} {right} of {len(found.instants)}", flush=True)
                    total = totals.setdefault((way, where), [0, 0])
                    total[0], total[1] = total[0] + right, total[1] + len(found.instants)
    for (way, where), (right, count) in totals.items():
        print(f"{way:<20} {where:<10} {right} of {count} equal")
    sys.exit(any(right != count for right, count in totals.values()))


if __name__ == "__main__":
    main()
