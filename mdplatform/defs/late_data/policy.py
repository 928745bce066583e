"""Which built hours got rows afterwards and are to be built again. Pure: all it knows is handed to it.

An hour is judged when nothing came for QUIET, and built again at most once in PAUSE however much trickles in; until
then it stays owed. Rows of an hour that the schedule has yet to build are the schedule's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

QUIET = timedelta(minutes=2)
PAUSE = timedelta(hours=1)
NEGLECTED = timedelta(hours=3)


@dataclass(frozen=True)
class Arrival:
    """The last row of a venue that was stored into an hour."""

    exchange: str
    hour: datetime
    at: datetime


@dataclass(frozen=True)
class Look:
    """What one look leaves for the next: from when to look, and the venues with late rows by hour."""

    since: datetime
    owed: Mapping[datetime, tuple[str, ...]] = field(default_factory=dict)


def note(look: Look, arrivals: Iterable[Arrival], built: Mapping[datetime, datetime | None], now: datetime) -> Look:
    """``look`` with the hours that ``arrivals`` reopened; ``built``: when each hour's last build began to read.

    Arrivals younger than QUIET are left to the next look, which begins before them. An hour that was never built is
    owed once it has been over for NEGLECTED: then the schedule no longer looks at it.
    """
    owed = {hour: set(venues) for hour, venues in look.owed.items()}
    for arrival in arrivals:
        ended = arrival.hour + timedelta(hours=1)
        last = built.get(arrival.hour)
        if arrival.at > now - QUIET or ended > now:
            continue
        if (last is None and now - ended > NEGLECTED) or (last is not None and last < arrival.at):
            owed.setdefault(arrival.hour, set()).add(arrival.exchange)
    return Look(max(look.since, now - QUIET), {hour: tuple(sorted(venues)) for hour, venues in sorted(owed.items())})


def due(look: Look, built: Mapping[datetime, datetime | None], now: datetime) -> list[datetime]:
    """The owed hours whose last build is long enough ago, earliest first."""
    return [hour for hour in sorted(look.owed) if (last := built.get(hour)) is None or now - last >= PAUSE]


def ranges(hours: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """Hours in ascending order as (first, last) of each unbroken row of them."""
    found: list[tuple[datetime, datetime]] = []
    for hour in hours:
        if found and found[-1][1] + timedelta(hours=1) == hour:
            found[-1] = (found[-1][0], hour)
        else:
            found.append((hour, hour))
    return found
