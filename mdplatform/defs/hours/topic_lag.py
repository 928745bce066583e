"""Whether all that an hour's topics held at its end has become rows."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta

from mdplatform.bus.admin import Admin, Spot
from mdplatform.bus.reader import Reader
from mdplatform.core.errors import BusError
from mdplatform.core.settings import Settings
from mdplatform.defs.external.assets import table_groups
from mdplatform.warehouse.render import topics_read

# What an hour is made from. Messages of its last moment reach the broker a little after its end.
DATASETS = ("books", "trades", "status")
MARGIN = timedelta(minutes=1)
# A broker on a busy machine may need longer than a question waits. An hour that is ready is not left for that.
ATTEMPTS = 3
PAUSE_S = 2.0
# Messages without a value (tombstones, markers of transactions) make no row, and a group that reads nothing else after
# them commits nothing. So many are looked at.
MOST_WITHOUT_VALUE = 1000


def unread(settings: Settings, hour: datetime) -> dict[Spot, int]:
    """Messages by topic and partition that the tables must read yet before the hour can be built.

    Raises BusError where the broker cannot say so, even when it is asked again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _unread(settings, hour)
        except BusError:
            if attempt == ATTEMPTS:
                raise
            time.sleep(PAUSE_S)
    raise AssertionError("unreachable")


def _unread(settings: Settings, hour: datetime) -> dict[Spot, int]:
    admin = Admin(settings)
    topics = [topic for dataset in DATASETS for topic in topics_read(settings, dataset)]
    ends = hour + timedelta(hours=1) + MARGIN
    needed = admin.offsets_at(topics, round(ends.timestamp() * 1000))
    committed: dict[Spot, int] = {}
    for group in table_groups(admin, settings):
        committed |= admin.committed(group)
    first = {spot: low for spot, (low, _) in admin.watermarks(topics).items()}
    behind = missing(needed, committed, first)
    few = {spot: (needed[spot] - count, needed[spot]) for spot, count in behind.items()}
    empty = without_values(settings, few)
    return {spot: count for spot, count in behind.items() if spot not in empty}


def without_values(settings: Settings, ranges: Mapping[Spot, tuple[int, int]]) -> set[Spot]:
    """The partitions whose messages in these ranges (first offset, one past the last) all have no value: no row will
    ever come of them. Long ranges are not looked at. Raises BusError."""
    short = {spot: ends for spot, ends in ranges.items() if ends[1] - ends[0] <= MOST_WITHOUT_VALUE}
    if not short:
        return set()
    with Reader(settings) as reader:
        return {
            spot
            for spot, (start, end) in short.items()
            if not any(message.value for message in reader.read_range(*spot, start, end))
        }


def missing(needed: Mapping[Spot, int], committed: Mapping[Spot, int], first: Mapping[Spot, int]) -> dict[Spot, int]:
    """How far ``committed`` is from ``needed``; what no table has read at all counts from the first message kept."""
    return {
        spot: offset - read
        for spot, offset in needed.items()
        if (read := committed.get(spot, first.get(spot, 0))) < offset
    }
