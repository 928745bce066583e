"""What is wanted and not collected, as the statuses of feeds state it: for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from mdplatform.collector.downtime import Feed
from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus

CAUSES = ("not_listed", "refused")
STATED_NS = 60 * SECOND  # what lasts is stated every few seconds; what was not for so long is over


class Uncollected(msgspec.Struct, frozen=True):
    """One symbol of a venue. ``since_ns``: when the oldest of its intervals began."""

    exchange: str
    symbol: str
    channels: tuple[str, ...]
    cause: str
    since_ns: int

    def __str__(self) -> str:
        since = f"{datetime.fromtimestamp(self.since_ns // SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.symbol} of {self.exchange} ({', '.join(self.channels)}): {self.cause} since {since}"


def uncollected(last: Mapping[Feed, FeedStatus], now_ns: int) -> list[Uncollected]:
    """By the last status of each feed; what nobody states any more is left out."""
    found: dict[tuple[str, str, str], list[FeedStatus]] = {}
    for status in last.values():
        reach = max(status.started_ns, status.ended_ns or 0)
        if status.state == "down" and status.cause in CAUSES and now_ns - reach < STATED_NS:
            found.setdefault((status.exchange, status.symbol, status.cause), []).append(status)
    return [_one(statuses) for _, statuses in sorted(found.items())]


def _one(statuses: Iterable[FeedStatus]) -> Uncollected:
    first, *_ = ordered = sorted(statuses, key=lambda status: status.channel)
    since_ns = min(status.started_ns for status in ordered)
    channels = tuple(status.channel for status in ordered)
    return Uncollected(first.exchange, first.symbol, channels, first.cause, since_ns)
