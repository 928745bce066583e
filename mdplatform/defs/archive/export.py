"""An hour of the warehouse into Parquet files with manifests, and what its materialization says."""

from datetime import datetime
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.hours import publish_hour
from mdplatform.archive.manifest import Manifest
from mdplatform.archive.open_store import Root


def archive_hour(client: Client, root: Root, hour: datetime) -> dict[str, Any]:
    """Archive the hour; returns the metadata of its materialization. Raises WarehouseError, ArchiveError."""
    return summary(root, publish_hour(client, root, hour))


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
