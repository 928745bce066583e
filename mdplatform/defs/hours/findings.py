"""What a check finds out about an hour, and how it reads in the UI."""

import json
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg

from mdplatform.defs.partitions import HOURLY, key_of

SHOWN_ROWS = 20
VENUES = "venues"  # metadata: those of the rows shown, by which alerts find their route


def hour_check(name: str, asset: dg.AssetKey, meaning: str, blocking: bool = False) -> dg.AssetCheckSpec:
    """A check of each hour of ``asset``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of a check spec are new in Dagster 1.13
        return dg.AssetCheckSpec(name, asset=asset, description=meaning, blocking=blocking, partitions_def=HOURLY)


@dataclass(frozen=True)
class Finding:
    """What a check found out about one hour."""

    check: dg.AssetCheckKey
    passed: bool
    severity: dg.AssetCheckSeverity
    metadata: dict[str, Any]
    remark: str | None = None  # of one that passed: why there was nothing to judge

    @property
    def description(self) -> str | None:
        """What a list of evaluations shows beside it."""
        if self.passed:
            return self.remark
        found = next(name for name in ("differences", "bad_rows") if name in self.metadata)
        return f"{found.replace('_', ' ')}: {self.metadata[found]}. {self.metadata['next_step']}"

    def evaluation(self, target: Any, hour: datetime) -> dg.AssetCheckEvaluation:
        """The event; ``target`` is what ``target_of`` gives.

        Stated by ourselves, because Dagster (1.13) loses the partition of a check's result in a range; and not as
        blocking: such an event ends the whole step, and the run has other hours.
        """
        return dg.AssetCheckEvaluation(
            asset_key=self.check.asset_key,
            check_name=self.check.name,
            passed=self.passed,
            severity=self.severity,
            metadata=self.metadata,
            description=self.description,
            partition=key_of(hour),
            target_materialization_data=target,
        )


def target_of(instance: dg.DagsterInstance, asset: dg.AssetKey, hour: datetime) -> Any:
    """The materialization that a check of the hour is about, from which the UI sees whether it is out of date; None
    if there is none. Dagster exports no constructor for it, but reads its serialized form."""
    wanted = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[key_of(hour)])
    records = instance.fetch_materializations(wanted, limit=1).records
    if not records:
        return None
    fields = {name: getattr(records[0], name) for name in ("storage_id", "run_id", "timestamp")}
    return dg.deserialize_value(json.dumps({"__class__": "AssetCheckEvaluationTargetMaterializationData", **fields}))


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table of the rows, without the column that counts them."""
    names = [name for name in rows[0] if name != "bad_rows"]
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row[name]).replace("|", "\\|") for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)
