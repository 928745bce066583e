"""``verify`` and ``restore`` as commands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.archive.layout import Partition
from mdplatform.archive.publish import publish
from mdplatform.core.settings import Settings
from mdplatform_tests.archive.rows import BOOKS, HOUR, ORIGIN, START_MS, TRADES, books, trades
from mdplatform_tests.cli.calling import called, refused
from mdplatform_tests.warehouse.conftest import empty, warehouse

__all__ = ["empty", "warehouse"]

LATER = Partition("trades", "binance", HOUR + timedelta(hours=1))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three hours: books, trades, and trades of the hour after."""
    publish(tmp_path, BOOKS, [books()], ORIGIN)
    publish(tmp_path, TRADES, [trades()], ORIGIN)
    publish(tmp_path, LATER, [trades(7, START_MS + 3600_000)], ORIGIN)
    return tmp_path


def said(root: Path | str, *options: str) -> tuple[int, list[str]]:
    answer = called("verify", str(root), *options)
    assert answer.stderr == b""
    return answer.returncode, answer.stdout.decode().splitlines()


def part(root: Path, partition: Partition) -> Path:
    return root / partition.path / "part-0000.parquet"


def flip_a_byte(root: Path) -> str:
    data = bytearray(part(root, TRADES).read_bytes())
    data[len(data) // 3] ^= 1
    part(root, TRADES).write_bytes(data)
    return f"{part(root, TRADES)} has the sha256 "


def truncate(root: Path) -> str:
    size = part(root, TRADES).stat().st_size
    part(root, TRADES).write_bytes(part(root, TRADES).read_bytes()[:-1])
    return f"{part(root, TRADES)} has {size - 1} bytes; the manifest says {size}"


def delete_a_file(root: Path) -> str:
    part(root, TRADES).unlink()
    return f"{part(root, TRADES)} is missing"


def delete_a_manifest(root: Path) -> str:
    (root / TRADES.manifest).unlink()
    return f"{TRADES} is not published: {root / TRADES.manifest} is missing"


@pytest.mark.parametrize("damage", [flip_a_byte, truncate, delete_a_file, delete_a_manifest])
def test_damage_is_named_and_nothing_else(root: Path, damage: Callable[[Path], str]) -> None:
    complaint = damage(root)
    code, lines = said(root)
    failed = [line for line in lines if "FAILED" in line]
    assert (code, len(lines), len(failed)) == (1, 4, 1)
    assert complaint in failed[0]
    assert lines[-1].startswith("2 of 3 archived hours are proven")


def test_two_files_that_swapped_their_places_are_both_named(root: Path) -> None:
    one, other = part(root, TRADES).read_bytes(), part(root, LATER).read_bytes()
    part(root, TRADES).write_bytes(other)
    part(root, LATER).write_bytes(one)
    code, lines = said(root)
    assert code == 1
    for partition in (TRADES, LATER):
        assert sum("FAILED" in line and str(part(root, partition)) in line for line in lines) == 1
    assert lines[-1].startswith("1 of 3 archived hours are proven")


def test_a_whole_archive_is_proven_in_aligned_lines(root: Path) -> None:
    code, lines = said(root)
    assert code == 0
    assert [line.split()[0] for line in lines[:3]] == ["[1/3]", "[2/3]", "[3/3]"]
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[-1].startswith("3 of 3 archived hours are proven: 17 rows, ")


@pytest.mark.parametrize(
    ("options", "hours"),
    [
        (("--dataset", "books"), 1),
        (("--exchange", "binance"), 3),
        (("--from", "2024-08-08T11"), 1),
        (("--to", "2024-08-08T11:00"), 2),
        (("--from", "2024-08-08", "--to", "2024-08-09", "--dataset", "trades"), 2),
    ],
)
def test_a_part_of_an_archive_can_be_chosen(root: Path, options: tuple[str, ...], hours: int) -> None:
    assert said(root, *options)[1][-1].startswith(f"{hours} of {hours} archived hours are proven")


def test_an_empty_archive_is_one_line(tmp_path: Path) -> None:
    assert refused(called("verify", str(tmp_path))) == f"{tmp_path} holds no archived hour: it is empty"


def test_a_selection_that_holds_nothing_is_one_line(root: Path) -> None:
    line = refused(called("verify", str(root), "--from", "2025-01-01", "--exchange", "okx"))
    assert line == f"{root} holds no archived hour: exchange okx, from 2025-01-01T00:00"


def test_an_unknown_dataset_is_one_line(root: Path) -> None:
    assert "has no dataset 'trade'; it has books" in refused(called("verify", str(root), "--dataset", "trade"))


def environ(settings: Settings) -> dict[str, str]:
    return {"CLICKHOUSE_URL": settings.clickhouse_url, "MDPLATFORM_DATABASE": settings.clickhouse_database}


def count(client: Client) -> list[int]:
    return [
        client.query(f"SELECT count() FROM {table}").result_rows[0][0] for table in ("md_trades", "md_orderbook_depth")
    ]


def test_chosen_hours_are_restored(root: Path, warehouse: Client, empty: Settings) -> None:
    answer = called("restore", str(root), "--dataset", "trades", "--from", "2024-08-08T11", environ=environ(empty))
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert answer.stdout.decode().splitlines()[-1].startswith("1 of 1 archived hours are loaded: 7 rows, ")
    assert count(warehouse) == [7, 0]


def test_a_dry_run_restores_nothing(root: Path, warehouse: Client, empty: Settings) -> None:
    answer = called("restore", str(root), "--dry-run", environ=environ(empty))
    assert answer.stdout.decode().splitlines()[-1].startswith("3 of 3 archived hours would be loaded: 17 rows, ")
    assert count(warehouse) == [0, 0]


def test_a_damaged_hour_is_named_and_left_out(root: Path, warehouse: Client, empty: Settings) -> None:
    complaint = flip_a_byte(root)
    answer = called("restore", str(root), environ=environ(empty))
    assert answer.returncode == 1
    assert complaint in answer.stdout.decode()
    assert count(warehouse) == [7, 4]
