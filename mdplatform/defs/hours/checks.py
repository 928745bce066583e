"""The checks of an hour: what they find, and how a finding reads in the UI."""

import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.defs.hours.claims import CLAIMS, Claim
from mdplatform.defs.hours.rollups import SPREAD_HOURLY
from mdplatform.defs.partitions import HOURLY
from mdplatform.warehouse import queries

SHOWN_ROWS = 20


def hour_check(name: str, asset: dg.AssetSpec, meaning: str, blocking: bool = False) -> dg.AssetCheckSpec:
    """A check of each hour of ``asset``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of a check spec are new in Dagster 1.13
        return dg.AssetCheckSpec(name, asset=asset.key, description=meaning, blocking=blocking, partitions_def=HOURLY)


CLAIM_SPECS = [hour_check(claim.name, SPREAD_HOURLY, claim.meaning, claim.blocking) for claim in CLAIMS]


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
        found = next(name for name in ("differences", "bad_rows") if name in self.metadata)
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
