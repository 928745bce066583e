"""The check of each venue that is collected, judged twice a minute: ``feed_is_alive``."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from mdplatform.core.errors import MdplatformError
from mdplatform.core.shards import Shard
from mdplatform.defs.external.assets import feed_key
from mdplatform.defs.failures import RETRY, plainly
from mdplatform.defs.ingest.health_policy import FeedState, Grade, Verdict, judge
from mdplatform.defs.resources import Platform
from mdplatform.venues import venue_ids
from mdplatform.warehouse import queries

INTERVAL_S = 30
STATED_S = 300  # how far back the tables are asked; a feed of which nothing is stated for longer is dead anyway
REPEATED_S = 7200.0  # a verdict that stays is stated again: the event log must not grow with every look
NAME = "feed_is_alive"
NEXT_STEP = {
    "dead": "Look at the venue's ingest run and its log; `mdplatform doctor` says whether the broker answers. Where "
    "the venue itself is away nothing is to be done: it is collected as soon as it answers.",
    "partly": "The causes say why: a symbol that the venue does not list, a market that stands still, or a gap that "
    "does not heal. `mdplatform doctor --venues --live` compares the venue with its documents.",
    "paused": "Run the job resume_venue or `mdplatform resume` once it is to be collected again.",
}
SEVERITY: Mapping[Grade, dg.AssetCheckSeverity] = {
    "dead": dg.AssetCheckSeverity.ERROR,
    "partly": dg.AssetCheckSeverity.WARN,
    "paused": dg.AssetCheckSeverity.WARN,
    "alive": dg.AssetCheckSeverity.ERROR,
}
SPECS = {
    venue_id: dg.AssetCheckSpec(
        NAME,
        asset=feed_key(venue_id),
        description="Each symbol group of the venue that is to be collected has feeds that are proven, whatever other "
        "venues write into the same tables. Hours are judged by feeds_are_covered, a partition each.",
    )
    for venue_id in venue_ids()
}
Wanted = Mapping[str, float]  # since when each venue is to be collected, in s since the epoch


@dg.multi_asset_check(
    name="feed_health",
    specs=list(SPECS.values()),
    can_subset=True,
    retry_policy=RETRY,
    description="Whether each venue that is to be collected is alive now. The sensor feed_watch judges it twice a "
    "minute.",
)
def feed_health(context: dg.AssetCheckExecutionContext, platform: Platform) -> Iterator[dg.AssetCheckResult]:
    with plainly(context):
        verdicts = look(platform, dict.fromkeys(venue_ids(), 0.0), time.time())
    for venue_id, spec in SPECS.items():
        if spec.key in context.selected_asset_check_keys:
            verdict = verdicts.get(venue_id, Verdict("alive", "", "MDPLATFORM_INGEST does not name this venue"))
            found = evaluation(venue_id, verdict)
            yield dg.AssetCheckResult(
                passed=found.passed,
                asset_key=found.asset_key,
                check_name=NAME,
                severity=found.severity,
                metadata=found.metadata,
                description=found.description,
            )


@dg.sensor(
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Judges twice a minute whether each venue of MDPLATFORM_INGEST is alive (check feed_is_alive), and "
    "states what has changed.",
)
def feed_watch(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    now, before = time.time(), json.loads(context.cursor) if context.cursor else {}
    try:
        active = {shard.venue for shard in platform.shards()} - platform.pauses().keys()
        # What was not to be collected a moment ago gets its time to begin.
        since = {venue: before.get(venue, {}).get("wanted_since") or now for venue in active}
        verdicts = look(platform, since, now)
    except MdplatformError as error:
        return dg.SkipReason(f"whether venues are alive is not known: {error}")
    kept: dict[str, dict[str, Any]] = {}
    events = []
    gone = {venue: Verdict("alive", "", "it is no longer to be collected") for venue in before.keys() - verdicts.keys()}
    for venue_id, verdict in {**verdicts, **gone}.items():
        known = before.get(venue_id, {})
        is_news = known.get("kind") != [verdict.grade, verdict.kind] or now - known["at"] >= REPEATED_S
        # The first statement of a venue is one about feeds: while it starts there is nothing to judge.
        if (is_news and verdict.grade != "starting") or venue_id in gone:
            events.append(evaluation(venue_id, verdict))
        if venue_id not in gone:
            at = now if is_news else known["at"]
            kept[venue_id] = {"kind": [verdict.grade, verdict.kind], "at": at, "wanted_since": since.get(venue_id)}
    wrong = [f"{venue_id}: {verdict.text}" for venue_id, verdict in verdicts.items() if verdict.grade != "alive"]
    reason = "; ".join(wrong) or f"{len(verdicts)} venues, all alive"
    return dg.SensorResult(asset_events=events, cursor=json.dumps(kept), skip_reason=dg.SkipReason(reason))


def look(platform: Platform, wanted_since: Wanted, now: float) -> dict[str, Verdict]:
    """A verdict on each venue that MDPLATFORM_INGEST names. Raises ConfigError, WarehouseError."""
    paused, by_venue = platform.pauses(), _by_venue(platform.shards())
    with platform.warehouse() as client:
        rows = queries.run(client, "feed_states", seconds=STATED_S)
    states = [FeedState(**row) for row in rows]
    return {
        venue_id: Verdict("paused", "", str(paused[venue_id]))
        if venue_id in paused
        else judge(shards, [s for s in states if s.exchange == venue_id], wanted_since[venue_id], now)
        for venue_id, shards in by_venue.items()
    }


def evaluation(venue_id: str, verdict: Verdict) -> dg.AssetCheckEvaluation:
    """The event that states the verdict."""
    passed = verdict.grade == "alive"
    return dg.AssetCheckEvaluation(
        asset_key=feed_key(venue_id),
        check_name=NAME,
        passed=passed,
        severity=SEVERITY[verdict.grade],
        description=verdict.text,
        metadata={"state": verdict.grade, **({} if passed else {"next_step": NEXT_STEP[verdict.grade]})},
    )


def _by_venue(shards: tuple[Shard, ...]) -> dict[str, list[Shard]]:
    found: dict[str, list[Shard]] = {}
    for shard in shards:
        found.setdefault(shard.venue, []).append(shard)
    return found
