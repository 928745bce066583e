"""Wanted collectors against living runs: what to start, end and give up. Pure: all it knows is handed to it.

Only a run that nobody can hear is given up; a run in the queue is merely waiting. Two runs of one shard are never
started on purpose, and where two live, all but one are ended.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mdplatform.core.backoff import doubled
from mdplatform.core.shards import Shard

State = Literal["waiting", "starting", "running", "ending"]

SILENT_S = 20.0  # without a heartbeat, which comes every second
START_S = 120.0  # from the launch to the first heartbeat; measured 2-10 s on two busy cores
SHORT_LIFE_S = 60.0  # a run that ended sooner counts as a failure to start
FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0


@dataclass(frozen=True)
class LivingRun:
    """A run that Dagster has not finished. Times are s since the epoch; ``beat``: its last sign of life, if any."""

    id: str
    shard: str  # key of its shard
    state: State
    since: float  # when it entered the queue, or started
    beat: float | None = None

    def silent_for(self, now: float) -> float:
        return now - max(self.since, self.beat or 0.0)


@dataclass(frozen=True)
class PastRun:
    """A run that has ended."""

    shard: str
    started: float | None  # None: it never did
    ended: float


@dataclass(frozen=True)
class Decision:
    """Carried out in this order. ``abandon`` and ``end`` hold run ids with the reason."""

    abandon: dict[str, str] = field(default_factory=dict)  # believed dead: report them failed
    end: dict[str, str] = field(default_factory=dict)
    start: list[Shard] = field(default_factory=list)
    waiting: dict[str, float] = field(default_factory=dict)  # shard key -> s until it may be started again


def decide(
    wanted: Sequence[Shard],
    living: Sequence[LivingRun],
    past: Sequence[PastRun],
    now: float,
    paused: Collection[str] = (),
) -> Decision:
    """What to start and to end so that the living runs become the wanted ones.

    ``paused``: keys of shards that an operator has paused.
    """
    decision = Decision()
    audible = []
    for run in living:
        reason = silence(run, now)
        if reason:
            decision.abandon[run.id] = reason
        else:
            audible.append(run)
    keys = {shard.key for shard in wanted}
    for run in audible:
        if run.shard not in keys and run.state != "ending":
            is_paused = run.shard in paused
            decision.end[run.id] = "an operator paused its venue" if is_paused else "its shard is no longer wanted"
    for shard in wanted:
        _settle(shard, [run for run in audible if run.shard == shard.key], past, now, decision)
    return decision


def _settle(shard: Shard, runs: list[LivingRun], past: Sequence[PastRun], now: float, decision: Decision) -> None:
    """One run a shard: the one that beats, else the oldest. One that is ending still counts: it drains."""
    for extra in sorted((r for r in runs if r.state != "ending"), key=lambda r: (r.beat is None, r.since))[1:]:
        decision.end[extra.id] = "another run has its shard"
    if runs:
        return
    pause = pause_seconds(shard, past) - (now - max((p.ended for p in past if p.shard == shard.key), default=0.0))
    if pause > 0:
        decision.waiting[shard.key] = pause
    else:
        decision.start.append(shard)


def pause_seconds(shard: Shard, past: Sequence[PastRun]) -> float:
    """How long to wait after the last end: nothing after a long life, then 5 s, 10 s, 20 s, ... for short ones."""
    failures = 0
    for run in sorted((p for p in past if p.shard == shard.key), key=lambda p: p.ended, reverse=True):
        if run.started is not None and run.ended - run.started >= SHORT_LIFE_S:
            break
        failures += 1
    return doubled(FIRST_PAUSE_S, failures - 1, LONGEST_PAUSE_S) if failures else 0.0


def silence(run: LivingRun, now: float) -> str | None:
    """Why a run is believed dead; None when it may live."""
    if run.state == "waiting":
        return None
    limit = START_S if run.beat is None and run.state != "ending" else SILENT_S
    silent = run.silent_for(now)
    return f"no sign of life for {silent:.0f} s" if silent > limit else None
