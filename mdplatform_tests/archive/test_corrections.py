"""A crossed book is removed from tables, built hour and archive, and put back as it was."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.archive.corrections import Target, correct, corrections, undo
from mdplatform.archive.hours import publish_hour
from mdplatform.archive.open_store import store_at
from mdplatform.archive.retention import retire
from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings
from mdplatform.defs.archive.checks import compare_archive
from mdplatform.defs.hours.checks import judge
from mdplatform.defs.hours.claims import CLAIMS
from mdplatform.warehouse import queries
from mdplatform.warehouse.rollups import build_spread_hourly, build_top_of_book_minute
from mdplatform_tests.cli.calling import called, refused
from mdplatform_tests.warehouse.rows import HOUR, after, put_books, put_status

CROSSED = Target("books", "binance", "BTC-USDT", "31", HOUR)
CLAIM = {claim.name: claim for claim in CLAIMS}


@pytest.fixture
def root(warehouse: Client, tmp_path: Path) -> str:
    """An hour of sixty books, one of them crossed, built and archived."""
    for n in range(60):
        crossed = {"b": [105.0], "a": [101.0]} if n == 30 else {}
        put_books(warehouse, {"at": after(60 * n), "sequence": n + 1, "_offset": n, **crossed})
    put_status(warehouse, "valid", after(0), after(3600))
    build_spread_hourly(warehouse, HOUR)
    build_top_of_book_minute(warehouse, HOUR)
    publish_hour(warehouse, store_at(str(tmp_path)), HOUR)
    return str(tmp_path)


def holds(client: Client, name: str) -> bool:
    return judge(client, CLAIM[name], HOUR).passed


def state(client: Client, root: str) -> tuple[object, ...]:
    """All that a reader sees of the hour."""
    views = ("md_orderbook_depth", "md_top_of_book", "md_spread_hourly", "md_top_of_book_minute")
    tables = tuple(
        tuple(client.query(f"SELECT * EXCEPT inserted_at FROM {view} ORDER BY ALL").result_rows) for view in views
    )
    files = {str(p.relative_to(root)): p.read_bytes() for p in Path(root).rglob("*") if p.is_file()}
    return (*map(repr, tables), files)


def test_a_crossed_row_goes_everywhere_and_comes_back_as_it_was(warehouse: Client, root: str) -> None:
    before = state(warehouse, root)
    assert not holds(warehouse, "book_is_not_crossed")
    assert holds(warehouse, "offsets_have_no_holes")
    done = correct(warehouse, store_at(root), CROSSED, "crossed by a lost delete", "ann")
    assert holds(warehouse, "book_is_not_crossed")
    assert holds(warehouse, "offsets_have_no_holes")  # what was removed on purpose is not missing
    assert compare_archive(warehouse, store_at(root), HOUR).passed
    (row,) = queries.run(warehouse, "spread_hourly_rows", hour=HOUR)
    assert row["rows"] == 1
    assert warehouse.query("SELECT updates FROM md_spread_hourly").first_row == (59,)
    assert "archived 2024-08-08 22:00 again" in done.done

    (noted,) = corrections(warehouse)
    assert (noted["operator"], noted["reason"], noted["undone_at"]) == ("ann", "crossed by a lost delete", None)
    undo(warehouse, store_at(root), done.id)
    assert state(warehouse, root) == before
    assert corrections(warehouse)[0]["undone_at"] is not None
    with pytest.raises(ConfigError, match="was undone at"):
        undo(warehouse, store_at(root), done.id)


def test_a_row_that_is_not_there_is_refused(warehouse: Client, root: str) -> None:
    with pytest.raises(ConfigError, match="there is no row of books binance BTC-USDT 99"):
        correct(warehouse, store_at(root), Target("books", "binance", "BTC-USDT", "99", HOUR), "x", "ann")
    assert corrections(warehouse) == []


def test_an_hour_whose_rows_have_left_is_restored_first(warehouse: Client, root: str) -> None:
    list(retire(warehouse, store_at(root), {"books": 1}, HOUR + timedelta(days=3)))
    with pytest.raises(ConfigError, match="first `mdplatform restore --from 2024-08-08T22:00"):
        correct(warehouse, store_at(root), CROSSED, "x", "ann")


def test_the_command_shows_removes_lists_and_undoes(warehouse: Client, empty: Settings, root: str) -> None:
    environ = {
        "CLICKHOUSE_URL": empty.clickhouse_url,
        "MDPLATFORM_DATABASE": empty.clickhouse_database,
        "MDPLATFORM_ARCHIVE_DIR": root,
    }
    row = ("--venue", "binance", "--symbol", "BTC-USDT", "--sequence", "31", "--hour", "2024-08-08T22:00")
    shown = called("correct", *row, "--dry-run", environ=environ).stdout.decode()
    assert [line.split()[0] for line in shown.splitlines()] == ["md_orderbook_depth_store", "md_top_of_book_store"]
    assert refused(called("correct", *row, environ=environ)).startswith("--reason is needed")
    said = called("correct", *row, "--reason", "crossed", environ=environ).stdout.decode().splitlines()
    name = said[-1].split()[1].rstrip(";")
    listed = called("correct", "--list", environ=environ).stdout.decode()
    assert listed.startswith(name)
    assert "books binance BTC-USDT 31 of 2024-08-08 22:00, by " in listed
    undone = called("correct", "--undo", name, environ=environ).stdout.decode().splitlines()
    assert undone[0] == "put back 2 rows"
    assert undone[-1] == f"correction {name} is undone"
