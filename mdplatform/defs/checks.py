"""The checks of an hour and of its archive: what they find, and how a finding is told."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.compare import refuse_difference
from mdplatform.archive.datasets import DATASETS
from mdplatform.archive.layout import Partition
from mdplatform.archive.store import Store
from mdplatform.archive.verify import verify
from mdplatform.core.errors import ArchiveError
from mdplatform.defs.archives import PARQUET_ARCHIVE, published_in
from mdplatform.defs.claims import CLAIMS, Claim
from mdplatform.defs.partitions import HOURLY, is_over
from mdplatform.defs.rollups import SPREAD_HOURLY
from mdplatform.warehouse import queries

SHOWN_ROWS = 20
NOTHING: dict[str, Any] = {"rows": 0, "min_sequence": None, "max_sequence": None, "checksum": 0}


def hour_check(name: str, asset: dg.AssetSpec, meaning: str, blocking: bool = False) -> dg.AssetCheckSpec:
    """A check of each hour of ``asset``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of a check spec are new in Dagster 1.13
        return dg.AssetCheckSpec(name, asset=asset.key, description=meaning, blocking=blocking, partitions_def=HOURLY)


CLAIM_SPECS = [hour_check(claim.name, SPREAD_HOURLY, claim.meaning, claim.blocking) for claim in CLAIMS]
ARCHIVE_SPEC = hour_check(
    "archive_matches_warehouse",
    PARQUET_ARCHIVE,
    "Every file is as its manifest says, and holds the rows that the warehouse has of the hour.",
)


@dataclass(frozen=True)
class Finding:
    """What a check found out about one hour."""

    check: dg.AssetCheckKey
    passed: bool
    severity: dg.AssetCheckSeverity
    metadata: dict[str, Any]

    @property
    def description(self) -> str | None:
        """What a list of evaluations shows beside a failed one."""
        if self.passed:
            return None
        found = "differences" if self.check == ARCHIVE_SPEC.key else "bad_rows"
        return f"{found.replace('_', ' ')}: {self.metadata[found]}. {self.metadata['next_step']}"


def judge(client: Client, claim: Claim, hour: datetime) -> Finding:
    """The hour against a claim. Each row that contradicts it says in ``bad_rows`` how many there are in all."""
    rows = queries.run(client, claim.name, hour=hour, limit=SHOWN_ROWS, **claim.parameters)
    metadata: dict[str, Any] = {"bad_rows": rows[0]["bad_rows"] if rows else 0}
    if rows:
        metadata |= {"first_rows": dg.MetadataValue.md(markdown(rows)), "next_step": claim.next_step}
    return Finding(dg.AssetCheckKey(SPREAD_HOURLY.key, claim.name), not rows, claim.severity, metadata)


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table of the rows, without the column that counts them."""
    names = [name for name in rows[0] if name != "bad_rows"]
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row[name]).replace("|", "\\|") for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def compare_archive(client: Client, root: Store, hour: datetime) -> Finding:
    """The hour's files against their manifests and the warehouse."""
    # Rows of the hour under way arrive while one looks: its files can be proven, not compared.
    compared = is_over(hour, datetime.now(UTC))
    expected = fingerprints(client, hour) if compared else {}
    venues = {partition.exchange for partition in expected}
    every = {Partition(dataset, venue, hour) for dataset in DATASETS for venue in venues} | {*published_in(root, hour)}
    told = (difference(root, each, expected.get(each, NOTHING) if compared else None) for each in sorted(every))
    differences = [text for text in told if text]
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
    return {
        Partition(name, row["exchange"], hour): row
        for name, dataset in DATASETS.items()
        for row in queries.run(client, dataset.fingerprint, hour=hour)
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
