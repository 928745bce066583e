"""The check of an hour's archive: files against their manifests and the warehouse."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.compare import refuse_difference
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.hours import published_in, rows_of
from mdplatform.archive.layout import Partition
from mdplatform.archive.retention import retired
from mdplatform.archive.statements import fingerprint
from mdplatform.archive.store import Store
from mdplatform.archive.verify import verify
from mdplatform.core.errors import ArchiveError
from mdplatform.defs.hours.findings import SHOWN_ROWS, Finding, hour_check
from mdplatform.defs.partitions import is_over
from mdplatform.warehouse import queries

PARQUET_ARCHIVE = dg.AssetKey("parquet_archive")
NOTHING: dict[str, Any] = {"rows": 0, "min_sequence": None, "max_sequence": None, "checksum": 0}
ARCHIVE_SPEC = hour_check(
    "archive_matches_warehouse",
    PARQUET_ARCHIVE,
    "Every file is as its manifest says, and holds the rows that the warehouse has of the hour.",
)


def compare_archive(client: Client, root: Store, hour: datetime) -> Finding:
    """The hour's files against their manifests and the warehouse."""
    # Rows of the hour under way arrive while one looks: its files can be proven, not compared.
    compared = is_over(hour, datetime.now(UTC))
    expected = fingerprints(client, hour) if compared else {}
    gone = retired(client, hour)  # what has left the warehouse has to prove itself only
    venues = {partition.exchange for partition in expected}
    every = {Partition(dataset, venue, hour) for dataset in DATASETS if dataset not in gone for venue in venues}
    every |= {*published_in(root, hour)}
    texts = (
        difference(root, each, expected.get(each, NOTHING) if compared and each.dataset not in gone else None)
        for each in sorted(every)
    )
    differences = [text for text in texts if text]
    metadata: dict[str, Any] = {
        "partitions": len(every),
        "differences": len(differences),
        "compared": "files with manifests and warehouse" if compared else "files with manifests: the hour is under way",
    }
    if differences:
        metadata["first_differences"] = dg.MetadataValue.md("\n".join(f"- {d}" for d in differences[:SHOWN_ROWS]))
        metadata["next_step"] = (
            "Late rows or a damaged file: build the hour again. If it still differs, the archive's disk is at fault."
        )
    return Finding(ARCHIVE_SPEC.key, not differences, dg.AssetCheckSeverity.ERROR, metadata)


def fingerprints(client: Client, hour: datetime) -> dict[Partition, dict[str, Any]]:
    """What the files must agree with, of the partitions that have rows in the warehouse."""
    filled = {partition.dataset for partition in rows_of(client, hour)}  # most datasets have none in most hours
    return {
        Partition(name, row["exchange"], hour): row
        for name in DATASETS
        if name in filled
        for row in queries.run(client, fingerprint(name), hour=hour)
    }


def difference(root: Store, partition: Partition, expected: Mapping[str, Any] | None) -> str | None:
    """In what a partition is not what it should be; None when it is. No ``expected``: it has to prove itself only."""
    try:
        if expected is None:
            verify(root, partition)
        else:
            refuse_difference(root, partition, expected)
    except ArchiveError as error:
        return str(error)
    return None
