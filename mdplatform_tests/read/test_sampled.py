"""Sampled books are those of `book` at each instant, from ClickHouse, from the archive and by a reconstruction."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace as changed

from mdplatform import read
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import BookChange, FeedStatus, Quote
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform.read.changes import Change, in_chain, ns_of, time_of
from mdplatform.read.sampled import books_at
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect, connect_reader
from mdplatform_tests.read.recorded import store
from mdplatform_tests.venues.recordings_digest import recorded
from mdplatform_tests.venues.test_book_changes import Rebuilt, played
from mdplatform_tests.warehouse.copied import Copies, drop
from mdplatform_tests.warehouse.test_book_at import BOOK_AT, put_changes

RECORDINGS = ("binance/hft_spot", "binance/hft_usdm_btcusdt", "binance/hft_coinm", "okx/cryptofeed", "gate/cryptofeed")
INSTANTS = 200  # of each: 1,000 in all
DEPTH = 100
SECOND = timedelta(seconds=1)
MS = timedelta(milliseconds=1)


class Kept(NamedTuple):
    settings: Settings
    archive: Path
    changes: dict[str, list[BookChange]]  # of the most active symbol of each recording
    quotes: dict[str, list[Quote]]


@pytest.fixture(scope="module")
def kept(
    clickhouse_node: ClickHouseNode, copies: Copies, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kept]:
    """The recordings with their changes; every third is stored twice, as by a second collector a little later."""
    found = Kept(
        Settings(clickhouse_url=clickhouse_node.url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}"),
        tmp_path_factory.mktemp("sampled"),
        *({}, {}),
    )
    copies.make(found.settings)
    with connect(found.settings) as client:
        for name in RECORDINGS:
            venue, lines = recorded(name)
            events = list(played(venue, lines, 20))
            every = [event for event in events if isinstance(event, BookChange)]
            symbols = [change.symbol for change in every]
            symbol = max(set(symbols), key=symbols.count)
            found.changes[name] = [change for change in every if change.symbol == symbol]
            found.quotes[name] = [e for e in events if isinstance(e, Quote) and e.symbol == symbol]
            store(client, [event for event in events if isinstance(event, FeedStatus) and event.symbol == symbol])
            put_changes(client, found.changes[name])
            put_changes(client, [later(change) for change in found.changes[name][::3]])
            hours = {time_of(c.venue_ns).replace(minute=0, second=0, microsecond=0) for c in found.changes[name]}
            hours |= {hour + timedelta(hours=1) for hour in hours}
            for hour in hours:
                for dataset in ("increments", "statuses"):
                    rows = stream(client, export(dataset), exchange=venue, hour=hour)
                    publish(found.archive, Partition(dataset, venue, hour), rows, Origin(query="", code_version=""))
    yield found
    drop(found.settings)


def later(change: BookChange) -> BookChange:
    return changed(change, received_ns=change.received_ns + 3_000_000)


def instants(kept: Kept, name: str) -> list[int]:
    """Receive times in whole us, of which each falls behind a change with its twin."""
    changes = kept.changes[name]
    first, last = changes[0].received_ns // 1000 + 4_000, changes[-1].received_ns // 1000 + 4_000
    return [1000 * us for us in sorted(random.Random(name).sample(range(first, last), INSTANTS))]


def sampled(kept: Kept, name: str, source: str | Path) -> list[read.BookAt]:
    change, wanted = kept.changes[name][0], instants(kept, name)
    span = (time_of(wanted[0]), time_of(wanted[-1]) + MS)
    asked = (change.exchange, change.symbol, map(time_of, wanted), *span, DEPTH, source, kept.settings)
    return list(books_at(*asked))


@pytest.mark.parametrize("name", RECORDINGS)
def test_books_at_random_instants_are_the_reconstruction(kept: Kept, name: str) -> None:
    """1,000 in all; the first of two equal changes counts, so the reconstruction takes each once."""
    live, archived = sampled(kept, name, "clickhouse"), sampled(kept, name, kept.archive)
    assert live == archived
    assert len(live) == INSTANTS
    book, place = Rebuilt(), 0
    changes = kept.changes[name]
    for found in live:
        while place < len(changes) and changes[place].received_ns <= ns_of(found.at):
            book.apply(changes[place])
            place += 1
        bids, asks = book.top(DEPTH)
        assert found.bids == [(float(price), float(size)) for price, size in bids]
        assert found.asks == [(float(price), float(size)) for price, size in asks]
        assert found.sequence == book.sequence


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_question_for_one_instant_gives_the_same(kept: Kept, name: str) -> None:
    with connect_reader(kept.settings) as client:
        for found in sampled(kept, name, "clickhouse")[:: INSTANTS // 20]:
            given = {"exchange": found.exchange, "symbol": found.symbol, "at": f"{found.at:%Y-%m-%d %H:%M:%S.%f}"}
            rows = list(client.query(BOOK_AT, parameters=given | {"depth": DEPTH}, tz_mode="aware").named_results())
            assert [(row["price"], row["size"]) for row in rows if row["side"] == "bid"] == found.bids
            assert [(row["price"], row["size"]) for row in rows if row["side"] == "ask"] == found.asks
            one = read.book(*found_of(found), depth=DEPTH, settings=kept.settings)
            archived = read.book(*found_of(found), depth=DEPTH, source=kept.archive, settings=kept.settings)
            assert one == archived == found
            # Of a change that is stored twice all of them state the first receipt.
            said = {(row["sequence"], row["received_at"], bool(row["is_chained"])) for row in rows}
            assert said == {(found.sequence, found.received_at, True)}


def found_of(book: read.BookAt) -> tuple[str, str, object]:
    return book.exchange, book.symbol, book.at


@pytest.mark.parametrize(("name", "least"), [("binance/hft_usdm_btcusdt", 25), ("binance/hft_coinm", 25)])
def test_the_best_levels_are_those_of_the_venues_own_ticker(kept: Kept, name: str, least: int) -> None:
    """Of each ticker with the update id of a change: both state the book after that update."""
    tickers = {quote.sequence: quote for quote in kept.quotes[name]}
    book, same = Rebuilt(), 0
    for change in kept.changes[name]:
        book.apply(change)
        if (quote := tickers.get(change.sequence)) is not None:
            (bid,), (ask,) = book.top(1)
            assert (float(bid[0]), float(bid[1])) == (float(quote.bid_price or 0), float(quote.bid_size or 0))
            assert (float(ask[0]), float(ask[1])) == (float(quote.ask_price or 0), float(quote.ask_size or 0))
            same += 1
    assert same >= least


def test_every_second_has_a_row(kept: Kept) -> None:
    changes = kept.changes["binance/hft_spot"]
    start, end = time_of(changes[0].received_ns + 1_000) - 2 * SECOND, time_of(changes[-1].received_ns)
    table = read.books("binance", "BTC-USDT", start, end, every="1s", depth=5, settings=kept.settings)
    seconds = -((start - end) // SECOND)
    assert table.num_rows == seconds - 2  # of the time before the first snapshot there is none
    assert table["at"].to_pylist() == [start + number * SECOND for number in range(2, seconds)]
    assert {len(levels) for levels in table["b"].to_pylist()} == {5}
    assert all(table["is_proven"].to_pylist()[1:])
    archived = read.books(
        "binance", "BTC-USDT", start, end, every=SECOND, depth=5, source=kept.archive, settings=kept.settings
    )
    assert archived == table


@pytest.mark.parametrize("every", ["0s", "1", "s", "-1s", timedelta(0)])
def test_a_step_that_is_none_is_refused(kept: Kept, every: str | timedelta) -> None:
    start = time_of(kept.changes["binance/hft_spot"][0].received_ns)
    with pytest.raises(ConfigError, match="every must be"):
        read.books("binance", "BTC-USDT", start, start + SECOND, every=every, settings=kept.settings)


def change(kind: str, sequence: int, before: int | None, at: int) -> Change:
    return Change(kind, [1.0], [float(sequence)], [], [], None, sequence, before, at, at)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("s5 u6 u7", "s5 u6 u7"),
        ("u4 s5 u6", "s5 u6"),  # what comes before the first snapshot is of no use
        ("s5 u6 u6 u7 u6 u7", "s5 u6 u7"),  # a second collector repeats
        ("s5 u7 u6 u7", "s5 u6 u7"),  # the other one fills what the first has missed
        ("s5 u6 s6 u7", "s5 u6 u7"),  # a snapshot in between says nothing new
        ("s5 u7 s8 u9", "s5 s8 u9"),  # a gap ends with a snapshot
        ("s5 u9 s8 u9", "s5 s8 u9"),
        ("s5 s2 u3", "s5 s2 u3"),  # the venue numbers from the start again
    ],
)
def test_a_chain_has_each_change_once(given: str, expected: str) -> None:
    kinds = {"s": "snapshot", "u": "update"}
    rows = [change(kinds[word[0]], int(word[1:]), int(word[1:]) - 1, at) for at, word in enumerate(given.split(), 1)]
    assert " ".join(f"{row.kind[0]}{row.sequence}" for row in in_chain(rows)) == expected
