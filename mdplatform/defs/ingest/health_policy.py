"""Whether a venue is collected: its feeds, by symbol group (a shard), judged from what collectors stated last. Pure.

A table that all venues fill stays fresh while one of them is dead; here each venue stands for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from mdplatform.core.shards import Shard

PATIENCE_S = 45.0  # a feed may be unproven for so long: a reconnect or a resync takes seconds
START_S = 120.0  # from the moment on in which a venue is wanted: as long as the supervisor waits for a first heartbeat
SILENT_S = 45.0  # collectors state each feed every 5 s, the tables store it within seconds
SHOWN = 8  # feeds that a sentence names

Grade = Literal["starting", "alive", "partly", "dead", "paused"]


@dataclass(frozen=True)
class FeedState:
    """What a collector stated last of a feed. Times in s since the epoch."""

    exchange: str
    symbol: str
    channel: str
    collector: str
    state: str
    cause: str
    since_s: float  # since when it is in this state
    stated_s: float  # when this was stated

    def trouble(self, now: float) -> str | None:
        """What is wrong with it; None: nothing, or not for long."""
        if now - self.stated_s > SILENT_S:
            return f"nothing is stated of it since {clock(self.stated_s)}"
        if self.state != "valid" and now - self.since_s > PATIENCE_S:
            return f"{self.state} ({self.cause}) since {clock(self.since_s)}"
        return None


@dataclass(frozen=True)
class Verdict:
    """``kind`` changes where an operator should look again; ``text`` says what is so now."""

    grade: Grade
    kind: str
    text: str


def judge(shards: Sequence[Shard], states: Iterable[FeedState], wanted_since: float, now: float) -> Verdict:
    """A venue that is to be collected since ``wanted_since``. Dead: one of its symbol groups has no living feed; for
    ``START_S`` it is only starting.
    """
    known = list(states)
    groups = [_group(shard, shards, known, now) for shard in shards if shard.collector == shards[0].collector]
    dead = [text for grade, text in groups if grade == "dead"]
    if dead and now - wanted_since <= START_S:
        return Verdict("starting", "", "starting")
    if dead:
        return Verdict("dead", "; ".join(dead), "; ".join(dead))
    partly = [text for grade, text in groups if grade == "partly"]
    if partly:
        return Verdict("partly", "; ".join(partly), "; ".join(partly))
    return Verdict("alive", "", f"feeds stated: {len(known)}; none is without proof for long")


def _group(shard: Shard, shards: Sequence[Shard], states: Sequence[FeedState], now: float) -> tuple[Grade, str]:
    """One symbol group, whichever of its collectors proves a feed."""
    rules = any("@" in symbol for symbol in shard.symbols)
    elsewhere = {symbol for other in shards for symbol in other.symbols} - set(shard.symbols)
    mine = [s for s in states if s.symbol in shard.symbols or (rules and s.symbol not in elsewhere)]
    feeds: dict[tuple[str, str], list[str | None]] = {}
    for state in mine:
        feeds.setdefault((state.symbol, state.channel), []).append(state.trouble(now))
    broken = {feed: troubles[0] for feed, troubles in feeds.items() if None not in troubles}
    name = ", ".join(shard.symbols[:SHOWN]) + (" ..." if len(shard.symbols) > SHOWN else "")
    if not feeds:
        return "dead", f"{name}: no collector has stated anything of it for minutes"
    if len(broken) == len(feeds):
        return "dead", f"{name}: {_most_common(broken.values())}"
    if broken:
        named = [f"{symbol} {channel}: {trouble}" for (symbol, channel), trouble in list(broken.items())[:SHOWN]]
        more = f"; and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        return "partly", "; ".join(named) + more
    return "alive", ""


def _most_common(troubles: Iterable[str | None]) -> str:
    found = [trouble for trouble in troubles if trouble]
    return max(sorted(set(found)), key=found.count)


def clock(seconds: float) -> str:
    """A moment as people write it, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
