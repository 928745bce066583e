"""What must be true of an hour. Each claim's query returns the rows that contradict it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.compare import refuse_difference
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.verify import verify
from mdplatform.defs.archives import parquet_archive, partitions, published_in
from mdplatform.defs.partitions import HOURLY, hour_built, is_over
from mdplatform.defs.resources import Platform
from mdplatform.defs.rollups import spread_hourly
from mdplatform.errors import ArchiveError
from mdplatform.warehouse import queries

SHOWN_ROWS = 20


@dataclass(frozen=True)
class Claim:
    """``name`` is also its query's. A blocking one that fails keeps the hour out of the archive."""

    name: str
    meaning: str
    next_step: str
    severity: dg.AssetCheckSeverity
    blocking: bool


CLAIMS = (
    Claim(
        "book_is_not_crossed",
        "The best bid of every book is below its best ask.",
        "A crossed book was rebuilt wrongly: compare its sequence with md_feed_status and the raw frames of that time, "
        "mend the cause, collect the symbol anew and build the hour again.",
        dg.AssetCheckSeverity.ERROR,
        blocking=True,
    ),
    Claim(
        "prices_are_positive",
        "Every price and size of books and trades is a number above zero.",
        "No venue sends such a level: find the message by its offset, and add its frame to the venue's golden frames.",
        dg.AssetCheckSeverity.ERROR,
        blocking=True,
    ),
    Claim(
        "sequence_has_no_gap",
        "Every book follows the one before it, or md_feed_status says why not.",
        "Updates are missing that nobody noticed: look for lost messages between collector and table (lag, dead "
        "letters, retention) around these offsets.",
        # Aggregates count proven time only, and the rows that are there are right: the hour may be archived.
        dg.AssetCheckSeverity.WARN,
        blocking=False,
    ),
)


def hour_check(claim: Claim) -> dg.AssetChecksDefinition:
    """The check of a claim on the hour that spread_hourly was built from."""

    @dg.asset_check(
        asset=spread_hourly,
        name=claim.name,
        description=claim.meaning,
        blocking=claim.blocking,
        partitions_def=HOURLY,
        pool="clickhouse",
    )
    def check(context: dg.AssetCheckExecutionContext, platform: Platform) -> dg.AssetCheckResult:
        hour = hour_built(context)
        with platform.warehouse() as client:
            rows = queries.run(client, claim.name, hour=hour, limit=SHOWN_ROWS)
        return verdict(claim, rows)

    return check


def verdict(claim: Claim, rows: list[dict[str, Any]]) -> dg.AssetCheckResult:
    """``rows`` contradict the claim; each says in ``bad_rows`` how many there are in all."""
    count = rows[0]["bad_rows"] if rows else 0
    metadata: dict[str, Any] = {"bad_rows": count}
    if rows:
        metadata |= {"first_rows": dg.MetadataValue.md(markdown(rows)), "next_step": claim.next_step}
    return dg.AssetCheckResult(passed=not rows, severity=claim.severity, metadata=metadata)


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table of the rows, without the column that counts them."""
    names = [name for name in rows[0] if name != "bad_rows"]
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row[name]).replace("|", "\\|") for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


@dg.asset_check(
    asset=parquet_archive,
    description="Every file is as its manifest says, and holds the rows that the warehouse has of the hour.",
    partitions_def=HOURLY,
    pool="clickhouse",
)
def archive_matches_warehouse(context: dg.AssetCheckExecutionContext, platform: Platform) -> dg.AssetCheckResult:
    root, hour = platform.archive_root(), hour_built(context)
    # Rows of the hour under way arrive while one looks: its files can be proven, not compared.
    compared = is_over(hour, datetime.now(UTC))
    with platform.warehouse() as client:
        found = partitions(client, root, hour) if compared else published_in(root, hour)
        differences = [text for partition in found if (text := difference(client, root, partition, compared))]
    metadata: dict[str, Any] = {
        "partitions": len(found),
        "differences": len(differences),
        "compared": "files with manifests and warehouse" if compared else "files with manifests: the hour is under way",
    }
    if differences:
        metadata["first_differences"] = dg.MetadataValue.md("\n".join(f"- {d}" for d in differences[:SHOWN_ROWS]))
        metadata["next_step"] = (
            "Late rows or a damaged file: build the hour again. If it still differs, the archive's disk is at fault."
        )
    return dg.AssetCheckResult(passed=not differences, severity=dg.AssetCheckSeverity.ERROR, metadata=metadata)


def difference(client: Client, root: Path, partition: Partition, compared: bool = True) -> str | None:
    """In what a partition is not what it should be; None when it is."""
    query = DATASETS[partition.dataset].fingerprint
    try:
        if compared:
            (expected,) = queries.run(client, query, exchange=partition.exchange, hour=partition.hour)
            refuse_difference(root, partition, expected)
        else:
            verify(root, partition)
    except ArchiveError as error:
        return str(error)
    return None


CHECKS = [*map(hour_check, CLAIMS), archive_matches_warehouse]
