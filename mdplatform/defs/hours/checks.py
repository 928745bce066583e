"""The step that judges hours: every claim, and the replay of raw frames."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from clickhouse_connect.driver.client import Client

from mdplatform.archive.retention import retired
from mdplatform.defs.failures import RETRY, plainly
from mdplatform.defs.hours.assets import spread_hourly
from mdplatform.defs.hours.claims import CLAIMS, ERROR, Claim
from mdplatform.defs.hours.costs import noted_costs
from mdplatform.defs.hours.findings import SHOWN_ROWS, VENUES, Finding, hour_check, markdown, target_of
from mdplatform.defs.hours.last_build import last_built_hour
from mdplatform.defs.hours.replays import REPLAY_SPEC, compare_replay
from mdplatform.defs.hours.wanted import wanted_then
from mdplatform.defs.partitions import each_hour
from mdplatform.defs.resources import Platform
from mdplatform.warehouse import queries

JUDGED = frozenset({"books", "top_of_book", "trades", "statuses"})  # the datasets that claims are about
CLAIM_SPECS = [hour_check(claim.name, spread_hourly.key, claim.meaning, claim.blocking) for claim in CLAIMS]


@dg.multi_asset_check(
    name="hour_checks",
    specs=[*CLAIM_SPECS, REPLAY_SPEC],
    can_subset=True,
    retry_policy=RETRY,
    pool="clickhouse",
    description="Judges hours by their claims. Without a partition: the last hour that is built.",
)
def hour_checks(context: dg.AssetCheckExecutionContext, platform: Platform) -> Iterator[Any]:
    selected = context.selected_asset_check_keys
    settings = platform.settings()
    # Only a replay needs to know them: else a wrong setting would keep hours from being judged.
    shards = platform.shards() if settings.keep_raw and REPLAY_SPEC.key in selected else ()
    hours = each_hour(context, last_built_hour(context.instance))
    with plainly(context), platform.warehouse() as client, noted_costs(client, "hour_checks") as costs:
        for hour in hours:
            started = time.monotonic()
            wanted = wanted_then(context.instance, hour)
            target = target_of(context.instance, spread_hourly.key, hour)
            if gone := retired(client, hour) & JUDGED:
                for spec in (*CLAIM_SPECS, REPLAY_SPEC):
                    if spec.key in selected:
                        remark = f"not judged again: its {', '.join(sorted(gone))} are in the archive alone"
                        yield Finding(spec.key, True, ERROR, {}, remark).evaluation(target, hour)
                continue
            facts = {"wanted": wanted or [], "wanted_is_known": wanted is not None}
            for claim, spec in zip(CLAIMS, CLAIM_SPECS, strict=True):
                if spec.key in selected:
                    yield judge(client, claim, hour, facts).evaluation(target, hour)
            if REPLAY_SPEC.key in selected:
                found = compare_replay(client, settings, shards, hour, datetime.now(UTC), context.log)
                yield found.evaluation(target, hour)
            costs.add(hour, round(time.monotonic() - started, 3))
    for spec in (*CLAIM_SPECS, REPLAY_SPEC):
        if spec.key in selected:
            yield dg.Output(None, spec.get_python_identifier())  # the step has its outputs; the events are above


def judge(client: Client, claim: Claim, hour: datetime, facts: Mapping[str, Any] | None = None) -> Finding:
    """The hour against a claim; ``facts``: parameters known of this hour, in place of the claim's.

    Each row that contradicts the claim says in ``bad_rows`` how many there are in all.
    """
    known = {name: value for name, value in (facts or {}).items() if name in claim.parameters}
    rows = queries.run(client, claim.name, hour=hour, limit=SHOWN_ROWS, **{**claim.parameters, **known})
    metadata: dict[str, Any] = {"bad_rows": rows[0]["bad_rows"] if rows else 0}
    if rows and claim.reasons:
        reasons = {(r["exchange"], r["symbol"]): r["causes"] for r in queries.run(client, claim.reasons, hour=hour)}
        rows = [{**row, "causes": reasons.get((row["exchange"], row["symbol"]), "")} for row in rows]
    if rows:
        venues = sorted({str(row["exchange"]) for row in rows if row.get("exchange")})
        metadata |= {"first_rows": dg.MetadataValue.md(markdown(rows)), "next_step": claim.next_step}
        metadata |= {VENUES: dg.MetadataValue.json(venues)} if venues else {}
    severity = dg.AssetCheckSeverity.ERROR if any(map(claim.is_grave, rows)) else claim.severity
    return Finding(dg.AssetCheckKey(spread_hourly.key, claim.name), not rows, severity, metadata)
