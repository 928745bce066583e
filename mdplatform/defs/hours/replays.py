"""Whether an hour's raw frames, through the collector's code once more, give the rows that are stored."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import dagster as dg
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from mdplatform.bus.admin import Admin
from mdplatform.core.codec import encode
from mdplatform.core.errors import BusError, ConfigError, FrameError
from mdplatform.core.events import Book, Event, FeedStatus, Trade
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.core.topics import Topics
from mdplatform.defs.hours.findings import SHOWN_ROWS, Finding, hour_check, markdown
from mdplatform.defs.hours.last_build import SPREAD_HOURLY
from mdplatform.defs.partitions import is_over
from mdplatform.recordings.replay_topic import replayed
from mdplatform.venues import venue_ids
from mdplatform.warehouse import queries
from mdplatform.warehouse.batches import load
from mdplatform.warehouse.rollups import partition_of

REPLAY_SPEC = hour_check(
    "replay_equals_live",
    SPREAD_HOURLY,
    "A replay of the hour's raw frames gives the books and trades that are stored, where both prove the feed. Judged "
    "where raw frames are kept (MDPLATFORM_KEEP_RAW).",
)
NEXT_STEP = (
    "Not stored: `mdplatform replay` publishes it again, nothing is doubled by it. Not in the replay, or not the same: "
    "the code that collected was another one, or a session hangs on more than its frames; md_replayed holds the "
    "replayed messages for a day."
)
BATCH = 10_000


def compare_replay(
    client: Client, settings: Settings, shards: Iterable[Shard], hour: datetime, now: datetime, log: logging.Logger
) -> Finding:
    """Raises WarehouseError. Where there is nothing to judge the check passes, and says why."""
    if not settings.keep_raw:
        return _nothing("not asked for: raw frames are not kept (MDPLATFORM_KEEP_RAW)")
    if not is_over(hour, now):
        return _nothing("the hour is under way: it is replayed once it is over")
    try:
        given = _replay(client, settings, {shard.key: shard for shard in shards}, hour)
    except (BusError, ConfigError, FrameError) as error:
        # Not raised: neither the hour's rows nor its archive need the broker.
        untold = {"bad_rows": 0, "next_step": f"It could not be replayed: {error}. Mend that, build the hour again."}
        return Finding(REPLAY_SPEC.key, False, dg.AssetCheckSeverity.WARN, untold)
    log.info(f"replayed raw frames: {', '.join(f'{n} messages of {each}' for each, n in given.items() if n) or 'none'}")
    if not any(given.values()):
        return _nothing("no raw frames of this hour are kept")
    covered = queries.run(client, "replay_coverage", hour=hour)
    rows = queries.run(client, REPLAY_SPEC.name, hour=hour, limit=SHOWN_ROWS)
    metadata: dict[str, Any] = {
        "bad_rows": rows[0]["bad_rows"] if rows else 0,
        "replayed": dg.MetadataValue.md(markdown(covered)),
    }
    if rows:
        metadata |= {"first_rows": dg.MetadataValue.md(markdown(rows)), "next_step": NEXT_STEP}
    # Not blocking: what is stored is what was collected, and an archive of it is no less true.
    return Finding(REPLAY_SPEC.key, not rows, dg.AssetCheckSeverity.ERROR, metadata)


def _nothing(remark: str) -> Finding:
    return Finding(REPLAY_SPEC.key, True, dg.AssetCheckSeverity.ERROR, {}, remark)


def _replay(client: Client, settings: Settings, shards: Mapping[str, Shard], hour: datetime) -> dict[str, int]:
    """Put what the hour's frames give into md_replayed, in the place of what was there; the messages by exchange."""
    exchanges = _kept(settings)
    queries.command(client, "replayed_clear", partition=partition_of(hour))
    return {each: load(client, "md_replayed", _batches(settings, each, hour, shards)) for each in exchanges}


def _kept(settings: Settings) -> list[str]:
    """The exchanges whose raw frames have a topic."""
    there, topics = Admin(settings).topics(), Topics.from_settings(settings)
    return [exchange for exchange in venue_ids() if set(topics.expand("raw", [exchange])) <= there.keys()]


def _batches(settings: Settings, exchange: str, hour: datetime, shards: Mapping[str, Shard]) -> Iterator[pa.Table]:
    """Rows of md_replayed, as many at a time as memory bears whatever the hour holds."""
    events = replayed(settings, exchange, hour, hour + timedelta(hours=1), shards)
    stored = ((dataset, event) for event in events if (dataset := _dataset(event)) is not None)
    while batch := list(islice(stored, BATCH)):
        yield pa.table(
            {
                "hour": pa.array([hour] * len(batch), pa.timestamp("s", "UTC")),
                "exchange": [exchange] * len(batch),
                "dataset": [dataset for dataset, _ in batch],
                "message": [encode(event)[1].decode() for _, event in batch],
            }
        )


def _dataset(event: Event) -> str | None:
    """What is compared, and by which it is known from when to when."""
    match event:
        case Book():
            return "books"
        case Trade():
            return "trades"
        case FeedStatus(state="valid", ended_ns=ended_ns) if ended_ns is not None:
            return "status"
    return None
