"""Rows leave the warehouse once they are old enough (MDPLATFORM_RETENTION_*) and their archive is proven.

A dataset leaves by partitions of its table: a day, a month or an hour. Each hour in it is first read back from the
archive and compared with the warehouse, venue by venue; one that differs or is not there keeps the whole partition.
What is never archived (statistics, dead letters, signals, ...) leaves by its age alone.

An hour that left is noted: building it again from what trickles in late would replace its archive by almost nothing.
Where ClickHouse takes no note, as on a full disk, nothing of that partition leaves, and the next one is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from mdplatform.archive.compare import refuse_difference
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.open_store import Root
from mdplatform.archive.statements import fingerprint
from mdplatform.core.errors import ArchiveError, WarehouseError
from mdplatform.core.retention import INTERNAL
from mdplatform.warehouse import queries

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Outcome:
    """What became of a partition of a table that is old enough to leave. ``kept``: why it stays."""

    dataset: str
    partition: str
    rows: int
    bytes: int
    kept: str = ""

    def __str__(self) -> str:
        what = f"{self.dataset} {self.partition}: {self.rows:,} rows, {self.bytes:,} bytes"
        return f"{what} stay: {self.kept}" if self.kept else f"{what} leave the warehouse"


def retire(
    client: Client, root: Root, days: Mapping[str, int], now: datetime, dry_run: bool = False
) -> Iterator[Outcome]:
    """Drop what is older than its ``days``, by dataset, the oldest first. Raises WarehouseError.

    ``dry_run``: prove, and drop nothing.
    """
    # Internals first: to drop them needs no room, and a full disk must not keep it full.
    for dataset, kept_days in sorted(days.items(), key=lambda item: item[0] in DATASETS):
        before = now - timedelta(days=kept_days)
        for table in INTERNAL[dataset] if dataset in INTERNAL else (DATASETS[dataset].stored_in,):
            for row in queries.run(client, "retention_partitions", table=table):
                if end_of(row["partition"]) <= before:
                    kept = _obstacle(client, root, dataset, row, before) if dataset in DATASETS else ""
                    if not kept and not dry_run:
                        kept = _drop(client, dataset, table, row)
                    yield Outcome(dataset, row["partition"], row["rows"], row["bytes"], kept)


def retired(client: Client, hour: datetime) -> frozenset[str]:
    """The datasets whose rows of the hour have left the warehouse. Raises WarehouseError."""
    return frozenset(row["dataset"] for row in queries.run(client, "retired_datasets", hour=hour))


def returned(client: Client, partition: Partition) -> None:
    """Note that the rows of a partition were loaded back. Raises WarehouseError."""
    queries.command(client, "retired_unmark", dataset=partition.dataset, hour=partition.hour)


def end_of(partition: str) -> datetime:
    """The end of the month, day or hour that a partition's id names. Raises WarehouseError."""
    try:
        start = datetime.strptime(partition, {6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H"}[len(partition)])
    except (KeyError, ValueError):
        raise WarehouseError(f"a partition that is no month, day or hour: {partition!r}") from None
    start = start.replace(tzinfo=UTC)
    if len(partition) == 6:
        return (start + timedelta(days=31)).replace(day=1)
    return start + (timedelta(days=1) if len(partition) == 8 else HOUR)


def _obstacle(client: Client, root: Root, dataset: str, row: Mapping[str, Any], before: datetime) -> str:
    """Why the partition must stay; empty where each of its hours is proven."""
    first, last = row["first_hour"], row["last_hour"]
    restored = queries.run(client, "restored_since", dataset=dataset, first=first, last=last, since=before)
    if restored[0]["hours"]:
        return f"{restored[0]['hours']} of its hours were restored since {before:%Y-%m-%d %H:%M} UTC"
    hour = first
    while hour <= last:
        for expected in queries.run(client, fingerprint(dataset), hour=hour):
            try:
                refuse_difference(root, Partition(dataset, expected["exchange"], hour), expected)
            except ArchiveError as error:
                return str(error)
        hour += HOUR
    return ""


def _drop(client: Client, dataset: str, table: str, row: Mapping[str, Any]) -> str:
    """1. look whether rows came meanwhile, 2. note the hours, 3. drop; gives why it was not done."""
    now = {each["partition"]: each for each in queries.run(client, "retention_partitions", table=table)}
    if now.get(row["partition"], row)["rows"] > row["rows"]:  # 1.
        return "rows came while it was proven"
    if dataset in DATASETS:  # 2. first: an interrupted drop must not look like an hour that can be built
        try:
            queries.command(client, "retired_mark", dataset=dataset, first=row["first_hour"], last=row["last_hour"])
        except WarehouseError as error:
            return f"that its hours left cannot be noted: {error}"
    queries.command(client, "retention_drop", table=table, partition=row["partition"])  # 3.
    return ""
