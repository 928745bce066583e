"""Each format is read back by the tool that it is for, and gives the books that were recorded."""

from __future__ import annotations

import csv
import gzip
import hashlib
import random
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from mdplatform.core.errors import ArchiveError, ConfigError
from mdplatform.core.events import Quote, Trade
from mdplatform.export import tardis_csv
from mdplatform.export.files import LIST
from mdplatform.export.hftbacktest import AT_EXCHANGE, AT_LOCAL, EVENT, in_both_orders
from mdplatform.export.run import Request, export
from mdplatform.export.source import Piece
from mdplatform.read.changes import time_of
from mdplatform.read.sampled import books_at
from mdplatform.warehouse.client import connect
from mdplatform_tests.export.conftest import END, START, Call, Market

PERP = ("binance-usdm", "BTC-USDT-PERP")
SPOT = ("binance", "BTC-USDT")
BOTH = pytest.mark.parametrize("source", ["clickhouse", "archive"])


def written(market: Market, folder: Path, form: str, feed: tuple[str, str], source: str, *names: str) -> list[Path]:
    request = Request(form, feed[0], [feed[1]], START, END, names)
    files = export(request, market.source(source), folder, lambda *_: None)
    return [folder / file.path for file in files]


def instants(market: Market, feed: tuple[str, str], count: int) -> list[int]:
    """Receive times in whole us, after the first change."""
    changes = market.changes(feed)
    span = range(changes[0].received_ns // 1000 + 2, changes[-1].received_ns // 1000)
    return [1000 * us for us in sorted(random.Random(1).sample(span, count))]


def books(market: Market, feed: tuple[str, str], times: list[int], depth: int) -> list[list[list[tuple[float, float]]]]:
    span = (time_of(times[0]), time_of(times[-1]) + timedelta(milliseconds=1))
    found = books_at(*feed, map(time_of, times), *span, depth, settings=market.settings)
    return [[book.bids, book.asks] for book in found]


@BOTH
def test_hftbacktest_reads_the_books_and_trades_once(market: Market, tmp_path: Path, reader: Call, source: str) -> None:
    (path,) = written(market, tmp_path, "hftbacktest", PERP, source)
    times = instants(market, PERP, 100)
    found = reader("read_hftbacktest", path, 0.1, 0.001, times)
    for seen, (bids, asks) in zip(found["books"], books(market, PERP, times, 1_000), strict=True):
        assert seen[:4] == [*map(pytest.approx, (*bids[0], *asks[0]))]
        near = [sum(size for price, size in side if abs(price - side[0][0]) < 4.95) for side in (bids, asks)]
        assert seen[4:] == [*map(pytest.approx, near)]
    assert (found["position"], found["trades"]) == (pytest.approx(0.001), 1)


@BOTH
def test_nautilus_reads_the_catalog(market: Market, tmp_path: Path, reader: Call, source: str) -> None:
    written(market, tmp_path, "nautilus", PERP, source)
    times = instants(market, PERP, 100)
    found = reader("read_nautilus", tmp_path, "BTC-USDT-PERP.BINANCE-USDM", times)
    assert (found["instrument"], found["precision"], found["same_precision"]) == ("CryptoPerpetual", [1, 3], True)
    expected = books(market, PERP, times, 20)
    assert found["books"] == [[[list(level) for level in side] for side in sides] for sides in expected]
    trades = sorted(
        (e for e in market.events[PERP] if isinstance(e, Trade)), key=lambda e: (e.received_ns, e.venue_ns, e.id)
    )
    assert found["trade_count"] == len({trade.id for trade in trades})
    by_id = {trade.id: trade for trade in trades}
    for price, size, trade_id, side, venue_ns, received_ns in found["trades"]:
        trade = by_id[trade_id]
        assert (float(price), float(size)) == (float(trade.price), float(trade.size))
        assert (side, venue_ns, received_ns) == ({"buy": 1, "sell": 2}[trade.side], trade.venue_ns, trade.received_ns)
    assert found["quote_count"] == len({e.sequence for e in market.events[PERP] if isinstance(e, Quote)})


def test_nautilus_knows_a_spot_instrument(market: Market, tmp_path: Path, reader: Call) -> None:
    written(market, tmp_path, "nautilus", SPOT, "clickhouse", "trades")
    assert reader("read_nautilus", tmp_path, "BTC-USDT.BINANCE", [])["instrument"] == "CurrencyPair"


def test_the_converter_for_files_of_tardis_reads_ours(market: Market, tmp_path: Path, reader: Call) -> None:
    trades, depth = written(market, tmp_path, "tardis", PERP, "clickhouse", "trades", "increments")
    found, levels = reader("read_tardis", trades, depth), rows(depth)
    assert found["trades"] == len(rows(trades))
    assert found["snapshot"] == sum(row["is_snapshot"] == "true" for row in levels)
    assert found["depth"] == sum(row["is_snapshot"] == "false" for row in levels)


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


@BOTH
def test_the_increments_of_tardis_give_the_books(market: Market, tmp_path: Path, source: str) -> None:
    (path,) = written(market, tmp_path, "tardis", SPOT, source, "increments")
    assert path.name == "binance_incremental_book_L2_2024-08-08_BTC-USDT.csv.gz"
    levels, place = rows(path), 0
    sides: dict[str, dict[float, float]] = {"bid": {}, "ask": {}}
    was_snapshot = False
    times = instants(market, SPOT, 100)
    for at, (bids, asks) in zip(times, books(market, SPOT, times, 50), strict=True):
        while place < len(levels) and int(levels[place]["local_timestamp"]) < at // 1000:
            row, place = levels[place], place + 1
            is_snapshot = row["is_snapshot"] == "true"
            if is_snapshot and not was_snapshot:
                sides = {"bid": {}, "ask": {}}
            was_snapshot = is_snapshot
            sides[row["side"]][float(row["price"])] = float(row["amount"])
        found = [sorted(side.items(), reverse=name == "bid") for name, side in sides.items()]
        assert [[level for level in side if level[1]][:50] for side in found] == [bids, asks]


def test_snapshots_of_tardis_are_the_best_levels(market: Market, tmp_path: Path) -> None:
    (path,) = written(market, tmp_path, "tardis", SPOT, "archive", "books")
    found = rows(path)
    assert list(found[0]) == list(tardis_csv.columns("books"))
    assert list(found[0])[4:9] == [
        "asks[0].price",
        "asks[0].amount",
        "bids[0].price",
        "bids[0].amount",
        "asks[1].price",
    ]
    row = found[len(found) // 2]
    ((bids, asks),) = books(market, SPOT, [int(row["local_timestamp"]) * 1000 + 1000], 25)
    assert [float(row[f"bids[{n}].price"]) for n in range(25)] == [price for price, _ in bids]
    assert [float(row[f"asks[{n}].amount"]) for n in range(25)] == [size for _, size in asks]


@pytest.mark.parametrize(
    ("dataset", "header"),
    [
        ("increments", "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"),
        ("trades", "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"),
        ("quotes", "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount"),
        (
            "funding",
            "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,"
            "open_interest,last_price,index_price,mark_price",
        ),
        ("liquidations", "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"),
    ],
)
def test_columns_of_tardis_are_the_documented_ones(market: Market, tmp_path: Path, dataset: str, header: str) -> None:
    feed = ("okx", "ETH-USDT-PERP") if dataset in ("funding", "liquidations") else PERP
    (path,) = written(market, tmp_path, "tardis", feed, "archive", dataset)
    with gzip.open(path, "rt") as file:
        lines = file.read().splitlines()
    assert lines[0] == header
    assert {len(line.split(",")) for line in lines} == {len(header.split(","))}
    kind = tardis_csv.KINDS[dataset][0]
    assert path.name == f"{feed[0]}_{kind}_2024-08-08_{feed[1]}.csv.gz"
    local = [int(line.split(",")[3]) for line in lines[1:]]
    assert local == sorted(local)
    assert local[0] // 86_400_000_000 == 19_943  # us; 2024-08-08


@BOTH
def test_a_derivative_ticker_states_what_is_known_of_all(market: Market, tmp_path: Path, source: str) -> None:
    """Each row is that of an oracle over the stored rows of both kinds, open interest as of its receipt."""
    (path,) = written(market, tmp_path, "tardis", ("okx", "ETH-USDT-PERP"), source, "funding")
    with connect(market.settings) as client:
        stated = [
            row
            for table in ("md_funding", "md_open_interest")
            for row in client.query(
                f"SELECT toUnixTimestamp64Nano(received_at) AS at, * FROM {table} WHERE symbol = 'ETH-USDT-PERP'"
            ).named_results()
        ]
    known: dict[str, float | None] = {}
    expected = []
    for row in sorted(stated, key=lambda row: row["at"]):
        before = dict(known)
        known |= {name: row[name] for name in ("rate", "mark_price", "open_interest") if row.get(name) is not None}
        if row.get("next_funding_at"):
            known["due"] = row["next_funding_at"].timestamp() * 1e6
        if known != before:
            expected.append((row["at"] // 1000, *map(known.get, ("due", "rate", "open_interest", "mark_price"))))
    names = ("funding_timestamp", "funding_rate", "open_interest", "mark_price")
    found = [(int(row["local_timestamp"]), *(float(row[n]) if row[n] else None for n in names)) for row in rows(path)]
    assert found == expected
    assert sum(row["open_interest"] != "" for row in rows(path)) > len(found) / 2
    assert {row["index_price"] + row["last_price"] + row["predicted_funding_rate"] for row in rows(path)} == {""}


def test_plain_parquet_has_the_rows_of_the_archive(market: Market, tmp_path: Path) -> None:
    (path,) = written(market, tmp_path, "parquet", SPOT, "archive", "trades")
    assert path.relative_to(tmp_path).as_posix() == "trades/binance/BTC-USDT/2024-08-08.parquet"
    ids = pq.read_table(path, partitioning=None)["id"].to_pylist()
    assert sorted(ids) == sorted({e.id for e in market.events[SPOT] if isinstance(e, Trade)})


@pytest.mark.parametrize("form", ["hftbacktest", "nautilus", "tardis", "parquet"])
def test_both_sources_and_every_run_give_the_same_bytes(market: Market, tmp_path: Path, form: str) -> None:
    digests = []
    for number, source in enumerate(("clickhouse", "clickhouse", "archive")):
        found = written(market, tmp_path / str(number), form, SPOT, source, *(["trades"] if form == "parquet" else []))
        digests.append([(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in found])
    assert digests[0] == digests[1] == digests[2]
    assert digests[0]


def test_a_run_that_was_stopped_goes_on(market: Market, tmp_path: Path) -> None:
    request = Request("tardis", SPOT[0], [SPOT[1]], START, END, ["trades", "books"])
    seen: list[tuple[str, bool]] = []

    def stop(number: int, count: int, piece: object, files: object, was_there: bool) -> None:
        if number == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(request, market.source("archive"), tmp_path, stop)
    assert not list(tmp_path.glob(".*.part"))

    def note(number: int, count: int, piece: Piece, files: object, was_there: bool) -> None:
        seen.append((piece.dataset, was_there))

    files = export(request, market.source("archive"), tmp_path, note)
    assert seen == [("trades", True), ("books", False)]
    (tmp_path / files[0].path).write_bytes(b"cut")
    seen.clear()
    export(request, market.source("archive"), tmp_path, note)
    assert seen == [("trades", False), ("books", True)]


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(market: Market, tmp_path: Path) -> None:
    """The command, killed without warning after its first file; two symbols and two days."""
    span = ["--from", f"{START - timedelta(days=1):%Y-%m-%d}", "--to", f"{END:%Y-%m-%d}", "--partial"]
    feeds = ["--venue", SPOT[0], "--symbol", SPOT[1], "--symbol", "ETH-USDT", "--source", str(market.archive)]
    command = [sys.executable, "-m", "mdplatform", "export", "--format", "tardis", *feeds, *span, "--output"]
    with subprocess.Popen([*command, tmp_path / "killed"], stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        while "bytes" not in killed.stdout.readline():
            pass
        killed.kill()
    again = subprocess.run([*command, tmp_path / "killed"], capture_output=True, text=True, check=True).stdout
    whole = subprocess.run([*command, tmp_path / "whole"], capture_output=True, text=True, check=True).stdout
    assert "was there" in again
    assert "was there" not in whole
    assert again.splitlines()[-1].partition(":")[2] == whole.splitlines()[-1].partition(":")[2]
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("killed", "whole")]
    assert files[0] == files[1]
    assert len(files[0]) > 3
    assert whole.splitlines()[0].startswith("[ 1/24] written  increments binance BTC-USDT 2024-08-07  no rows")


def test_a_folder_keeps_one_export(market: Market, tmp_path: Path) -> None:
    written(market, tmp_path, "tardis", SPOT, "archive", "trades")
    other = Request("tardis", SPOT[0], [SPOT[1]], START, END - timedelta(hours=1), ["trades"])
    with pytest.raises(ConfigError, match="holds another export"):
        export(other, market.source("archive"), tmp_path, lambda *_: None)
    (tmp_path / LIST).write_text("{")
    with pytest.raises(ConfigError, match="is not the list of an export"):
        written(market, tmp_path, "tardis", SPOT, "archive", "trades")


def test_an_hour_that_the_archive_lacks_is_an_error_unless_it_is_said(market: Market, tmp_path: Path) -> None:
    request = Request("tardis", SPOT[0], [SPOT[1]], START, END + timedelta(hours=1), ["trades"])
    with pytest.raises(ArchiveError, match="lacks 1 of 1 hours"):
        export(request, market.source("archive"), tmp_path, lambda *_: None)
    export(request, replace(market.source("archive"), partial=True), tmp_path, lambda *_: None)


@pytest.mark.parametrize("seed", range(5))
def test_events_are_in_order_for_both_sides(seed: int) -> None:
    dice = np.random.default_rng(seed)
    events = np.zeros(300, EVENT)
    events["local_ts"] = np.sort(dice.integers(0, 500, 300))
    events["exch_ts"] = events["local_ts"] - dice.integers(0, 20 if seed else 1, 300)
    events["px"] = np.arange(300)
    found = in_both_orders(events)
    for flag, column in ((AT_EXCHANGE, "exch_ts"), (AT_LOCAL, "local_ts")):
        seen = found[(found["ev"] & flag) > 0]
        assert (np.diff(seen[column]) >= 0).all()
        assert sorted(seen["px"]) == list(range(300))
    assert list(found[(found["ev"] & AT_LOCAL) > 0]["px"]) == list(range(300))
