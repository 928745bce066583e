"""A planted day of gaps: coverage states each, from ClickHouse and from the archive, and its rate is the ledger's."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform import read
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Origin
from mdplatform.archive.publish import publish
from mdplatform.archive.statements import export
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.embedded.clickhouse import ClickHouseNode
from mdplatform.read.cells import CHANNELS, COUNTED
from mdplatform.read.heatmap import page, text
from mdplatform.warehouse.batches import stream
from mdplatform.warehouse.client import connect
from mdplatform.warehouse.files import SQL
from mdplatform_tests.archive.stored import fill
from mdplatform_tests.warehouse.conftest import empty, warehouse
from mdplatform_tests.warehouse.copied import Copies, drop
from mdplatform_tests.warehouse.rows import HOUR, after, ns, put_books, put_status, put_trades

__all__ = ["empty", "warehouse"]

DAY = HOUR.replace(hour=0)
NEXT = DAY + timedelta(days=1)
SECOND = 10**9
LENGTH = 86_400 * SECOND
ONCE, TRADES, TWICE = ("binance", "BTC-USDT", "book"), ("binance", "BTC-USDT", "trades"), ("okx", "ETH-USDT", "book")
MESSAGES = {ONCE: 3_000, TRADES: 500, TWICE: 1_000}
REFILLED = 40
UNARCHIVED = 5  # the hour that the archive lacks


class Planted(NamedTuple):
    """A gap of one collector, ns since the day began."""

    feed: tuple[str, str, str]
    collector: str
    begin: int
    end: int
    missed: int
    cause: str
    prevented: bool


class Kept(NamedTuple):
    settings: Settings
    archive: Path
    ledger: list[Planted]

    def real(self, feed: tuple[str, str, str]) -> list[Planted]:
        return [gap for gap in self.ledger if gap.feed == feed and not gap.prevented]


def planted(seed: int = 7) -> list[Planted]:
    """Thirty a collector; of the feed that two collect, half of them at the same time."""
    dice = random.Random(seed)
    found = []
    for feed, collectors in ((ONCE, "A"), (TRADES, "A"), (TWICE, "AB")):
        slots = dice.sample(range(1, 700), 45)
        for collector, own in zip(collectors, (slots[:30], slots[15:]), strict=False):
            for slot in own:
                shared = len(collectors) == 2 and slot in slots[15:30]
                begin = slot * 120 * SECOND + (0 if shared else dice.randrange(SECOND))
                end = begin + (30 * SECOND if shared else dice.randrange(1, 60 * SECOND))
                cause = dice.choice(["sequence_gap", "checksum", "disconnected"])
                prevented = len(collectors) == 2 and not shared
                found.append(Planted(feed, collector, begin, end, dice.randrange(1, 40), cause, prevented))
    return sorted(found, key=lambda gap: (gap.begin, gap.feed, gap.collector))


def put(client: Client, ledger: list[Planted]) -> None:
    day = ns(DAY)
    for feed, collector in {(gap.feed, gap.collector) for gap in ledger}:
        fields = {**dict(zip(("exchange", "symbol", "channel"), feed, strict=True)), "collector": collector}
        since = 0
        for gap in (gap for gap in ledger if (gap.feed, gap.collector) == (feed, collector)):
            put_status(client, "valid", day + since, day + gap.begin, **fields)
            broken = {"missed": gap.missed, "cause": gap.cause}
            put_status(client, "gap", day + gap.begin, day + gap.end, **fields, **broken)
            since = gap.end
        put_status(client, "valid", day + since, day + LENGTH, **fields)
    for (exchange, symbol, channel), count in MESSAGES.items():
        common = [{"exchange": exchange, "symbol": symbol, "at": day + n * (LENGTH // count)} for n in range(count)]
        if channel == "book":
            put_books(client, *({**row, "sequence": n + 1} for n, row in enumerate(common)))
        else:
            late = ["rest" if n < REFILLED else "live" for n in range(count)]
            put_trades(client, *({**row, "id": str(n), "provenance": late[n]} for n, row in enumerate(common)))


@pytest.fixture(scope="module")
def kept(clickhouse_node: ClickHouseNode, copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    root = tmp_path_factory.mktemp("covered")
    settings = Settings(clickhouse_url=clickhouse_node.url, clickhouse_database=f"t{uuid.uuid4().hex[:8]}")
    copies.make(settings)
    ledger = planted()
    with connect(settings) as client:
        put(client, ledger)
        for number in range(24):
            if number != UNARCHIVED:
                archive(client, root, DAY + timedelta(hours=number))
    yield Kept(settings, root, ledger)
    drop(settings)


def archive(client: Client, root: Path, hour: datetime) -> None:
    for exchange, names in (("binance", ("statuses", "books", "trades")), ("okx", ("statuses", "books"))):
        for name in names:
            rows = stream(client, export(name), exchange=exchange, hour=hour)
            publish(root, Partition(name, exchange, hour), rows, Origin(query=name, code_version="test"))


def asked(kept: Kept, source: str | Path = "clickhouse", **given: object) -> read.Coverage:
    return read.coverage(**{"start": DAY, "end": NEXT, "source": source, "settings": kept.settings, **given})  # type: ignore[arg-type]


def lost(gaps: list[Planted], begin: int, end: int) -> int:
    """Ns of [begin, end) that are within a gap; those of two collectors at the same time are alike."""
    return sum(max(0, min(gap.end, end) - max(gap.begin, begin)) for gap in {gap.begin: gap for gap in gaps}.values())


def test_each_gap_is_stated(kept: Kept) -> None:
    found = asked(kept).gaps
    assert len(found) == len(kept.ledger) == 120
    for gap, planted_ in zip(found, kept.ledger, strict=True):
        assert (gap.feed, gap.collector, gap.cause) == (planted_.feed, planted_.collector, planted_.cause)
        assert (gap.missed, gap.prevented) == (planted_.missed, planted_.prevented)
        assert ns(gap.started_at) == ns(DAY) + planted_.begin // 1000 * 1000


@pytest.mark.parametrize("feed", MESSAGES)
def test_each_hour_has_the_share_of_the_ledger(kept: Kept, feed: tuple[str, str, str]) -> None:
    cells = [cell for cell in asked(kept).cells if cell.feed == feed]
    assert len(cells) == 24
    for number, cell in enumerate(cells):
        begin = number * 3600 * SECOND
        held = 1 - lost(kept.real(feed), begin, begin + 3600 * SECOND) / (3600 * SECOND)
        inside = [gap for gap in kept.real(feed) if begin <= gap.begin < begin + 3600 * SECOND]
        assert cell.proven == pytest.approx(held, abs=1e-6)
        assert (cell.gaps, cell.missed) == (len(inside), sum(gap.missed for gap in inside))


@pytest.mark.parametrize("feed", MESSAGES)
def test_the_day_and_the_rate_are_those_of_the_ledger(kept: Kept, feed: tuple[str, str, str]) -> None:
    (cell,) = [cell for cell in asked(kept, by="day").cells if cell.feed == feed]
    missed = sum(gap.missed for gap in kept.real(feed))
    rate = 1e6 * missed / (missed + MESSAGES[feed])
    assert cell.proven == pytest.approx(1 - lost(kept.real(feed), 0, LENGTH) / LENGTH, abs=1e-6)
    assert (cell.rows, cell.refilled) == (MESSAGES[feed], REFILLED if feed == TRADES else 0)
    assert cell.per_million == pytest.approx(rate)
    rates = read.query("gap_rate", kept.settings, start=DAY, end=NEXT)
    (row,) = rates[(rates["exchange"] == feed[0]) & (rates["channel"] == feed[2])].to_dict("records")
    assert (row["missed"], row["per_million"]) == (missed, pytest.approx(rate, abs=1e-3))


def test_the_rate_of_all_feeds_stands_first(kept: Kept) -> None:
    row = read.query("gap_rate", kept.settings, start=DAY, end=NEXT).iloc[0]
    missed = sum(gap.missed for gap in kept.ledger if not gap.prevented)
    assert (row["exchange"], row["missed"], row["rows"]) == ("", missed, sum(MESSAGES.values()))


def test_the_archive_says_the_same_and_lacks_an_hour(kept: Kept) -> None:
    live, stored = asked(kept), asked(kept, kept.archive)
    hole = DAY + timedelta(hours=UNARCHIVED)
    assert [cell for cell in stored.cells if cell.start != hole] == [cell for cell in live.cells if cell.start != hole]
    assert {(cell.proven, cell.causes) for cell in stored.cells if cell.start == hole} == {(0.0, "not archived")}
    assert [gap for gap in stored.gaps if not hole <= gap.started_at < hole + timedelta(hours=1)] == [
        gap for gap in live.gaps if not hole <= gap.started_at < hole + timedelta(hours=1)
    ]


def test_only_what_is_asked_for_is_covered(kept: Kept) -> None:
    assert {cell.feed for cell in asked(kept, venues="okx").cells} == {TWICE}
    assert {cell.feed for cell in asked(kept, datasets=["trades"]).cells} == {TRADES}
    assert {cell.feed for cell in asked(kept, datasets="increments").cells} == {ONCE, TWICE}
    with pytest.raises(ConfigError, match="'statuses' comes by no channel"):
        asked(kept, datasets="statuses")


@pytest.mark.parametrize("source", ["clickhouse", "archive"])
def test_what_a_venue_publishes_of_the_unproven_time_is_stated(kept: Kept, source: str) -> None:
    found, books = asked(kept, kept.archive if source == "archive" else source).loadable
    assert (books.exchange, books.symbol, books.channel, books.asset) == (*TWICE, "book_increments_history")
    assert (found.exchange, found.symbol, found.channel, found.asset) == (*TRADES, "trades_history")
    hole = range(UNARCHIVED * 3600 * SECOND, (UNARCHIVED + 1) * 3600 * SECOND)
    unproven = lost(kept.real(TRADES), 0, LENGTH)
    if source == "archive":
        unproven += 3600 * SECOND - lost(kept.real(TRADES), hole.start, hole.stop)
    assert found.unproven_s == pytest.approx(unproven / SECOND, abs=0.1)
    assert found.commands == [
        "MDPLATFORM_HISTORY=binance:BTC-USDT dagster asset materialize -m mdplatform.definitions "
        "--select trades_history --partition 2024-08-08"
    ]


def test_what_nobody_collected_is_offered_when_it_is_named(kept: Kept) -> None:
    found = asked(kept, venues="bybit", symbols=["BTC-USDT-PERP", "BTC-USD-PERP"], end=NEXT + timedelta(days=1))
    assert found.cells == []
    assert [(each.symbol, each.asset) for each in found.loadable] == [
        ("BTC-USDT-PERP", "book_increments_history"),
        ("BTC-USDT-PERP", "trades_history"),
    ]
    assert {each.unproven_s for each in found.loadable} == {48 * 3600}
    shown = text(found, 0)
    assert "nothing is known of any such feed" in shown
    assert "--select trades_history --partition-range 2024-08-08...2024-08-09" in shown
    assert "--select trades_history --partition-range 2024-08-08...2024-08-09" in page(found)


@pytest.mark.parametrize("dataset", ["open_interest", "index", "options", "funding"])
def test_the_rows_of_each_dataset_count(warehouse: Client, empty: Settings, tmp_path: Path, dataset: str) -> None:
    fill(warehouse, 20, 0, dataset)
    (channel,) = CHANNELS[dataset]
    put_status(warehouse, "valid", after(0), after(3600), exchange="okx", symbol="ETH-USDT-PERP", channel=channel)
    for name in ("statuses", dataset):
        rows = stream(warehouse, export(name), exchange="okx", hour=HOUR)
        publish(tmp_path, Partition(name, "okx", HOUR), rows, Origin(query=name, code_version="test"))
    span = {"start": HOUR, "end": HOUR + timedelta(hours=1), "datasets": dataset, "settings": empty}
    for source in ("clickhouse", tmp_path):
        (cell,) = read.coverage(**span, source=source).cells  # type: ignore[arg-type]
        assert (cell.feed, cell.rows, cell.proven) == (("okx", "ETH-USDT-PERP", channel), 7, 1.0)


def test_the_rows_of_every_kind_are_counted_in_sql() -> None:
    """All but what is made of the same updates as the books."""
    told = re.findall(r"channel=(\w+) table=(\w+)", (SQL / "includes/feed_rows.sql").read_text())
    assert sorted(told) == sorted((channel, DATASETS[name].table) for channel in COUNTED for name in COUNTED[channel])


def test_the_text_has_a_mark_for_each_hour_and_the_last_gaps(kept: Kept) -> None:
    lines = text(asked(kept), most_gaps=3).splitlines()
    (line,) = [line for line in lines if line.startswith("okx ETH-USDT book")]
    assert re.search(r"  +\S+ %( +[\d.]+){5} [█▓▒░·]{24}$", line)
    assert lines.index("gaps: 120, the last 3 of them (--gaps)") + 4 == lines.index("", -6)


def test_each_cell_of_the_page_with_gaps_leads_to_them(kept: Kept) -> None:
    html = page(asked(kept))
    links, targets = re.findall(r"href='#([^']+)'", html), re.findall(r"<h3 id='([^']+)'", html)
    assert set(links) == set(targets)
    assert html.count("<li>") == len(kept.ledger)
