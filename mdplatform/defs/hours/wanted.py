"""Which feeds were wanted in an hour: the setting is kept with the hour's build while it still describes the hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from mdplatform.core.shards import Shard
from mdplatform.defs.hours.last_build import SPREAD_HOURLY
from mdplatform.defs.partitions import key_of
from mdplatform.venues import venue

WANTED = "wanted"  # metadata of a build
VALID_FOR = timedelta(hours=3)  # after an hour's end: what is wanted later need not have been wanted in the hour
MOST_BUILDS = 20  # looked at


def wanted_books(shards: Iterable[Shard]) -> list[str]:
    """``venue/symbol`` of each book that the shards collect; ``venue/`` where a rule names the symbol."""
    feeds = set()
    for shard in shards:
        facts = venue(shard.venue)
        names = shard.channels or facts.default_channels
        if any(channel.kind == "book" and channel.name in names for channel in facts.channels):
            feeds |= {f"{shard.venue}/{'' if '@' in symbol else symbol}" for symbol in shard.symbols}
    return sorted(feeds)


def note_of(shards: Iterable[Shard], hour: datetime, now: datetime) -> dict[str, Any]:
    """Metadata for a build of the hour; empty if the build is too late to know."""
    if now > hour + timedelta(hours=1) + VALID_FOR:
        return {}
    return {WANTED: dg.MetadataValue.json(wanted_books(shards))}


def wanted_then(instance: dg.DagsterInstance, hour: datetime) -> list[str] | None:
    """What a build of the hour noted; None if no build noted anything."""
    wanted = dg.AssetRecordsFilter(asset_key=SPREAD_HOURLY, asset_partitions=[key_of(hour)])
    for record in instance.fetch_materializations(wanted, limit=MOST_BUILDS).records:
        event = record.asset_materialization
        note = event.metadata.get(WANTED) if event else None
        if isinstance(note, dg.JsonMetadataValue):
            return [str(feed) for feed in note.value or ()]
    return None
