"""The archive by the hour: Parquet files with manifests, from the warehouse."""

from datetime import datetime
from importlib.metadata import version
from typing import Any

import dagster as dg
import msgspec
from clickhouse_connect.driver.client import Client

from mdplatform.archive import layout
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.manifest import Gap, Manifest, Origin
from mdplatform.archive.places import Root
from mdplatform.archive.publish import publish
from mdplatform.defs.columns import archive_lineage, archive_schema, archive_source
from mdplatform.defs.partitions import HOURLY
from mdplatform.defs.rollups import FRESHNESS, OWNERS
from mdplatform.warehouse import queries
from mdplatform.warehouse.exports import stream

PARQUET_ARCHIVE = dg.AssetSpec(
    "parquet_archive",
    description="One hour of the warehouse as Parquet, a directory and a manifest for each dataset of each venue. The "
    "same rows give the same bytes. An hour without rows is a manifest that says so, and no file. Coverage in the "
    "manifest comes from spread_hourly.",
    partitions_def=HOURLY,
    deps=sorted({archive_source(dataset) for dataset in DATASETS.values()}),
    group_name="archive",
    kinds={"parquet"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    metadata={"dagster/column_schema": archive_schema(), "dagster/column_lineage": archive_lineage()},
)


def parquet_archive(client: Client, root: Root, hour: datetime) -> dict[str, Any]:
    """Archive the hour; gives what its materialization says. Raises WarehouseError, ArchiveError."""
    return summary(root, [archive_hour(client, root, partition) for partition in partitions(client, root, hour)])


def partitions(client: Client, root: Root, hour: datetime) -> list[Partition]:
    """What the hour has to hold: every dataset of each venue that was collected, and what is published already."""
    exchanges = {row["exchange"] for row in queries.run(client, "hour_exchanges", hour=hour)}
    wanted = {Partition(dataset, exchange, hour) for dataset in DATASETS for exchange in exchanges}
    return sorted(wanted | set(published_in(root, hour)))


def published_in(root: Root, hour: datetime) -> list[Partition]:
    """The partitions of one hour that readers find."""
    return [partition for partition in layout.published_in(root, hour) if partition.dataset in DATASETS]


def archive_hour(client: Client, root: Root, partition: Partition) -> Manifest:
    """Export one partition and publish it."""
    dataset = DATASETS[partition.dataset]
    where = {"exchange": partition.exchange, "hour": partition.hour}
    origin = Origin(
        query=dataset.query,
        code_version=version("mdplatform"),
        coverage={row["symbol"]: row["coverage"] for row in queries.run(client, "hour_coverage", **where)},
        gaps=msgspec.convert(queries.run(client, "hour_gaps", **where), list[Gap]),
    )
    return publish(root, partition, stream(client, dataset.query, **where), origin)


def summary(root: Root, manifests: list[Manifest]) -> dict[str, Any]:
    """Numbers and paths for the UI."""
    files = [f"| {m.partition}/{f.name} | {f.rows} | {f.bytes} | `{f.sha256}` |" for m in manifests for f in m.files]
    empty = [m.partition for m in manifests if not m.files]
    table = "\n".join(["| file | rows | bytes | sha256 |", "|---|---|---|---|", *files])
    return {
        "dagster/partition_row_count": sum(m.rows for m in manifests),
        "bytes": sum(m.bytes for m in manifests),
        "files": dg.MetadataValue.md(table),
        "empty": dg.MetadataValue.md(", ".join(empty) or "none"),
        "root": dg.MetadataValue.path(str(root)),
    }
