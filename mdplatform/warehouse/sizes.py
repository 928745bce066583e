"""How much room there is, how fast it is filled, and when it is gone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client

from mdplatform.warehouse import queries

SCARCE_SHARE, SCARCE_TIME = 0.10, timedelta(days=7)
GRAVE_SHARE, GRAVE_TIME = 0.03, timedelta(days=1)
LONG = timedelta(days=3650)  # a disk that is full later than this is not


@dataclass(frozen=True)
class Room:
    """One disk: what is free of it, and by how much what we keep there grows in a day. Bytes."""

    name: str
    free: int
    total: int
    growth: int  # a day

    @property
    def share(self) -> float:
        """Of the disk that is free."""
        return self.free / self.total if self.total else 1.0

    def full_at(self, now: datetime) -> datetime | None:
        """When nothing is left at this pace; None: it does not grow, or not within ten years."""
        if self.growth <= 0 or (left := timedelta(days=min(self.free / self.growth, LONG.days))) >= LONG:
            return None
        return now + left

    def __str__(self) -> str:
        return f"{self.name}: {size(self.free)} of {size(self.total)} free, +{size(self.growth)} a day"


def is_scarce(room: Room, now: datetime, grave: bool = False) -> bool:
    """Whether somebody should do something about it; ``grave``: at once."""
    share, left = (GRAVE_SHARE, GRAVE_TIME) if grave else (SCARCE_SHARE, SCARCE_TIME)
    full = room.full_at(now)
    return room.share < share or (full is not None and full - now < left)


def tables(client: Client) -> list[dict[str, Any]]:
    """Rows, bytes and bytes a day of each stored table, the largest first. Raises WarehouseError."""
    return queries.run(client, "table_sizes")


def rooms(client: Client, archive: Path | None, now: datetime) -> list[Room]:
    """ClickHouse's disks, and that of the archive where it is a directory. Raises WarehouseError."""
    growth = sum(row["bytes_a_day"] for row in tables(client))
    found = [
        Room(f"ClickHouse's disk {row['name']}", row["free_bytes"], row["total_bytes"], growth)
        for row in queries.run(client, "disks")
    ]
    if archive is None or not archive.exists():
        return found
    usage, more = shutil.disk_usage(archive), archive_growth(archive, now)
    shared = [room for room in found if room.total == usage.total]  # as far as can be known: one disk, both on it
    if not shared:
        return [*found, Room("the archive's disk", usage.free, usage.total, more)]
    return [replace(room, growth=room.growth + more) if room in shared else room for room in found]


def archive_growth(archive: Path, now: datetime) -> int:
    """Bytes a day that an archive takes, by its hours of yesterday and today."""
    sizes: dict[str, int] = {}
    for day in (now - timedelta(days=1), now):
        for file in archive.glob(f"*/exchange=*/date={day:%Y-%m-%d}/hour=*/*"):
            hour = f"{day:%d} {file.parent.name}"
            sizes[hour] = sizes.get(hour, 0) + file.stat().st_size
    return sum(sizes.values()) * 24 // len(sizes) if sizes else 0


def size(count: float) -> str:
    """Bytes as people write them: 1.2 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
