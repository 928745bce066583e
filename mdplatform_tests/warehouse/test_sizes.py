"""How much room there is, and when it is gone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from mdplatform.warehouse.sizes import Room, archive_growth, is_scarce, rooms, size, tables
from mdplatform_tests.archive.stored import fill

NOW = datetime(2026, 11, 30, tzinfo=UTC)
GB = 10**9


@pytest.mark.parametrize(
    ("free", "growth", "scarce", "grave"),
    [
        (50 * GB, GB, False, False),
        (9 * GB, 0, True, False),
        (2 * GB, 0, True, True),
        (50 * GB, 10 * GB, True, False),  # five days
        (50 * GB, 60 * GB, True, True),
    ],
)
def test_room_is_scarce_by_its_share_and_by_its_pace(free: int, growth: int, scarce: bool, grave: bool) -> None:
    room = Room("disk", free, 100 * GB, growth)
    assert (is_scarce(room, NOW), is_scarce(room, NOW, grave=True)) == (scarce, grave)


def test_a_disk_is_full_when_its_growth_has_used_it() -> None:
    assert Room("disk", 50 * GB, 100 * GB, 10 * GB).full_at(NOW) == NOW + timedelta(days=5)
    assert Room("disk", 50 * GB, 100 * GB, 0).full_at(NOW) is None


def test_sizes_are_as_people_write_them() -> None:
    assert [size(count) for count in (12, 1_500, 2_000_000, 3.2e9, 5e12)] == [
        "12 B",
        "1.5 kB",
        "2.0 MB",
        "3.2 GB",
        "5.0 TB",
    ]


def test_tables_and_disks_state_their_sizes(warehouse: Client, tmp_path: Path) -> None:
    fill(warehouse)
    found = {row["name"]: row for row in tables(warehouse)}
    assert found["md_trades"]["rows"] == 27
    assert found["md_trades"]["bytes"] > 0
    assert found["md_trades"]["bytes_a_day"] == 0  # of 2024
    (room,) = rooms(warehouse, tmp_path, NOW)
    assert 0 < room.free < room.total


def test_an_archive_grows_by_its_hours(tmp_path: Path) -> None:
    for hour in ("22", "23"):
        folder = tmp_path / "trades" / "exchange=okx" / "date=2026-11-29" / f"hour={hour}"
        folder.mkdir(parents=True)
        (folder / "trades.parquet").write_bytes(b"x" * 1000)
    assert archive_growth(tmp_path, NOW) == 24_000
