"""All of an hour's partitions, out of the warehouse into the archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import version
from itertools import groupby

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from mdplatform.archive import layout
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Gap, Manifest, Origin
from mdplatform.archive.open_store import Root
from mdplatform.archive.publish import publish
from mdplatform.archive.retention import retired
from mdplatform.archive.statements import export, export_venues
from mdplatform.warehouse import queries
from mdplatform.warehouse.batches import stream

AT_ONCE = 100_000  # rows of a dataset and an hour that one query brings into memory for all venues


def publish_hour(client: Client, root: Root, hour: datetime) -> list[Manifest]:
    """Archive the hour, in the order of its partitions. Raises WarehouseError, ArchiveError."""
    found = partitions(client, root, hour)
    known = origins(client, {each.exchange for each in found}, hour)
    manifests = []
    for name, members in groupby(sorted(found), lambda each: each.dataset):
        query = export(name).name
        for each, rows in _rows(client, name, hour, {each: found[each] for each in members}).items():
            manifests.append(publish(root, each, rows, msgspec.structs.replace(known[each.exchange], query=query)))
    return manifests


def partitions(client: Client, root: Root, hour: datetime) -> dict[Partition, int]:
    """What the hour has to hold: every dataset of each venue that was collected, and what is published already; and
    how many rows it has."""
    found = rows_of(client, hour)
    gone = retired(client, hour)  # of these the archive is all there is
    wanted = {Partition(dataset, each.exchange, hour) for dataset in DATASETS for each in found}
    every = {each for each in wanted | set(published_in(root, hour)) if each.dataset not in gone}
    return {each: found.get(each, 0) for each in every}


def rows_of(client: Client, hour: datetime) -> dict[Partition, int]:
    """How many rows the warehouse has of each partition of the hour; none is named that has no rows."""
    found = queries.run(client, "hour_exchanges", hour=hour)
    return {Partition(row["dataset"], row["exchange"], hour): row["rows"] for row in found}


def published_in(root: Root, hour: datetime) -> list[Partition]:
    """The partitions of one hour that readers find."""
    return [partition for partition in layout.published_in(root, hour) if partition.dataset in DATASETS]


def origins(client: Client, exchanges: Iterable[str], hour: datetime) -> dict[str, Origin]:
    """What is known of each venue's hour beside its rows, the same for all its datasets."""
    covered, gaps = (queries.run(client, name, hour=hour) for name in ("hour_coverage", "hour_gaps"))
    return {
        exchange: Origin(
            query="",
            code_version=version("mdplatform"),
            coverage={row["symbol"]: row["coverage"] for row in covered if row["exchange"] == exchange},
            gaps=msgspec.convert([row for row in gaps if row["exchange"] == exchange], list[Gap]),
        )
        for exchange in exchanges
    }


def _rows(
    client: Client, name: str, hour: datetime, partitions: Mapping[Partition, int]
) -> dict[Partition, Iterable[pa.RecordBatch]]:
    """The rows of each partition of a dataset, of which there are so many as ``partitions`` says.

    To plan a query costs more than to read some thousand rows: up to AT_ONCE one query brings those of all venues. Of
    more, each venue's are streamed once they are wanted.
    """
    filled = [each for each, rows in partitions.items() if rows]
    found: dict[Partition, Iterable[pa.RecordBatch]] = dict.fromkeys(partitions, ())
    if sum(partitions.values()) > AT_ONCE:
        return found | {each: stream(client, export(name), exchange=each.exchange, hour=hour) for each in filled}
    batches = list(stream(client, export_venues(name), hour=hour)) if filled else []
    return found | {each: [_of_venue(batch, each.exchange) for batch in batches] for each in filled}


def _of_venue(batch: pa.RecordBatch, exchange: str) -> pa.RecordBatch:
    return batch.filter(pc.equal(batch["exchange"], exchange))
