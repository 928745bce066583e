"""All of an hour's partitions, out of the warehouse into the archive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version

import msgspec
from clickhouse_connect.driver.client import Client

from mdplatform.archive import layout
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Gap, Manifest, Origin
from mdplatform.archive.open_store import Root
from mdplatform.archive.publish import publish
from mdplatform.archive.retention import retired
from mdplatform.archive.statements import export
from mdplatform.warehouse import queries
from mdplatform.warehouse.batches import stream


def publish_hour(client: Client, root: Root, hour: datetime) -> list[Manifest]:
    """Archive the hour, in the order of its partitions. Raises WarehouseError, ArchiveError."""
    found = partitions(client, root, hour)
    known = origins(client, {each.exchange for each in found}, hour)
    return [_publish(client, root, each, known[each.exchange], found[each]) for each in sorted(found)]


def partitions(client: Client, root: Root, hour: datetime) -> dict[Partition, bool]:
    """What the hour has to hold: every dataset of each venue that was collected, and what is published already; and
    whether it has rows. Most venues lack some datasets in most hours: these need no query."""
    found = {(row["dataset"], row["exchange"]) for row in queries.run(client, "hour_exchanges", hour=hour)}
    gone = retired(client, hour)  # of these the archive is all there is
    wanted = {Partition(dataset, exchange, hour) for dataset in DATASETS for _, exchange in found}
    every = {each for each in wanted | set(published_in(root, hour)) if each.dataset not in gone}
    return {each: (each.dataset, each.exchange) in found for each in every}


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


def _publish(client: Client, root: Root, partition: Partition, known: Origin, has_rows: bool) -> Manifest:
    """Export one partition and publish it."""
    query = export(partition.dataset)
    rows = stream(client, query, exchange=partition.exchange, hour=partition.hour) if has_rows else ()
    return publish(root, partition, rows, msgspec.structs.replace(known, query=query.name))
