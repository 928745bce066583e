"""Whether all that an hour's topics held at its end has become rows."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from mdplatform.bus.admin import Admin, Spot
from mdplatform.defs.feeds import table_groups
from mdplatform.settings import Settings
from mdplatform.warehouse.render import topics_read

# What an hour is made from. Messages of its last moment reach the broker a little after its end.
DATASETS = ("books", "trades", "status")
MARGIN = timedelta(minutes=1)


def unread(settings: Settings, hour: datetime) -> dict[Spot, int]:
    """Messages by topic and partition that the tables must read yet before the hour can be built; raises BusError."""
    admin = Admin(settings)
    topics = [topic for dataset in DATASETS for topic in topics_read(settings, dataset)]
    ends = hour + timedelta(hours=1) + MARGIN
    needed = admin.offsets_at(topics, round(ends.timestamp() * 1000))
    committed: dict[Spot, int] = {}
    for group in table_groups(admin, settings):
        committed |= admin.committed(group)
    return missing(needed, committed, {spot: first for spot, (first, _) in admin.watermarks(topics).items()})


def missing(needed: Mapping[Spot, int], committed: Mapping[Spot, int], first: Mapping[Spot, int]) -> dict[Spot, int]:
    """How far ``committed`` is from ``needed``; what no table has read at all counts from the first message kept."""
    return {
        spot: offset - read
        for spot, offset in needed.items()
        if (read := committed.get(spot, first.get(spot, 0))) < offset
    }
