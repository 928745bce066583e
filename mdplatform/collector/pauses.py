"""Venues that an operator has paused: a file each in the data directory, so that a pause outlives every process.

Nobody collects from a paused venue, so nobody would state its feeds either. ``state`` does: they are ``down`` with the
cause ``paused`` until a collector proves them again, and coverage counts that time as missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mdplatform.bus.admin import Admin, platform_topics
from mdplatform.bus.kafka import KafkaBus
from mdplatform.bus.reader import Reader
from mdplatform.collector.downtime import Feed
from mdplatform.collector.process import feeds_of
from mdplatform.collector.publisher import EventPublisher
from mdplatform.core.clock import SECOND, SystemClock
from mdplatform.core.errors import UNREADABLE, BusError, ConfigError
from mdplatform.core.events import FeedStatus
from mdplatform.core.private import AS_USUAL, private_file
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.core.symbols import check_rule
from mdplatform.core.topics import Topics

CAUSE = "paused"
STATED_S = 60.0  # an interval that lasts is stated again this often, well within any retention of the status topic
DELIVERY_S = 10.0


class Pause(msgspec.Struct, frozen=True):
    """``by``: whom to ask. ``since_ns`` since the epoch."""

    venue: str
    since_ns: int
    by: str
    reason: str = ""

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since_ns // SECOND, UTC)
        why = f": {self.reason}" if self.reason else ""
        return f"{self.venue} is paused by an operator ({self.by}) since {since:%Y-%m-%d %H:%M:%S} UTC{why}"


def pause(data_dir: str, wanted: Pause) -> Pause:
    """Pause its venue; gives the pause that holds, which is the earlier one where there is one. Raises ConfigError."""
    if (before := read(data_dir).get(wanted.venue)) is not None:
        return before
    path = _path(data_dir, wanted.venue)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with private_file(temporary, AS_USUAL) as file:
            file.write(msgspec.json.encode(wanted))
        os.utime(temporary, (0, 0))  # not stated yet
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    return wanted


def resume(data_dir: str, venue: str) -> Pause | None:
    """End the pause of a venue; gives it, or None where there was none."""
    before = read(data_dir).get(venue)
    _path(data_dir, venue).unlink(missing_ok=True)
    return before


def read(data_dir: str) -> dict[str, Pause]:
    """The pauses that hold, by venue. A file that cannot be read is a pause too: somebody wanted one."""
    found = {}
    for path in sorted(_folder(data_dir).glob("*.json")):
        try:
            found[path.stem] = msgspec.json.decode(path.read_bytes(), type=Pause)
        except FileNotFoundError:
            continue  # resumed meanwhile
        except (OSError, *UNREADABLE) as error:
            found[path.stem] = Pause(path.stem, 0, "unknown", f"{path} cannot be read ({error})")
    return found


def due(data_dir: str, pauses: Iterable[Pause], now: float) -> list[Pause]:
    """Those whose feeds were not stated for STATED_S; ``now`` in s since the epoch. A file's mtime says when it was."""
    return [each for each in pauses if now - _stated_at(_path(data_dir, each.venue)) >= STATED_S]


def state(settings: Settings, pauses: Mapping[str, Pause], shards: Iterable[Shard], now_ns: int) -> int:
    """Publish that the feeds of these shards, whose venues are paused, are down; gives how many. Raises BusError.

    For shards that nobody collects: a living collector states its feeds itself.
    """
    chosen, stated = list(shards), 0
    Admin(settings).ensure(platform_topics(settings, sorted({shard.venue for shard in chosen})))
    with Reader(settings) as reader, KafkaBus(settings) as bus:
        for shard in chosen:
            publisher = EventPublisher(bus, Topics.from_settings(settings), SystemClock(), shard.collector)
            for status in _statuses(reader, settings, pauses[shard.venue], shard, now_ns):
                publisher.publish(status)
                stated += 1
        if bus.flush(DELIVERY_S):
            raise BusError(f"Kafka at {settings.kafka_brokers} did not acknowledge that paused feeds are down")
    for venue in {shard.venue for shard in chosen}:
        os.utime(_path(settings.data_dir, venue), ns=(now_ns, now_ns))
    return stated


def _statuses(reader: Reader, settings: Settings, pause: Pause, shard: Shard, now_ns: int) -> Iterable[FeedStatus]:
    topic = Topics.from_settings(settings).name("status", shard.venue)
    feeds = feeds_of(shard.venue, shard.symbols, shard.channels)
    pairs = [check_rule(name)[0] for name in shard.symbols if "@" in name]
    last = reader.last_status(topic, shard.venue, feeds, shard.collector, pairs)
    # Not every channel is one of every symbol (spot has no funding): of a symbol that was collected, what it has.
    collected = {symbol for symbol, _ in last}
    for feed in dict.fromkeys((*(feed for feed in feeds if feed[0] not in collected), *last)):
        yield from follow(shard.venue, feed, last.get(feed), pause.since_ns, now_ns)


def follow(exchange: str, feed: Feed, last: FeedStatus | None, since_ns: int, now_ns: int) -> list[FeedStatus]:
    """What to state of a paused feed after its last status: the end of what it was, and that it is down until now."""
    if last is not None and (last.state, last.cause) == ("down", CAUSE):
        return [msgspec.structs.replace(last, ended_ns=max(now_ns, last.started_ns))]
    if last is None:
        return [FeedStatus(exchange, *feed, "down", CAUSE, since_ns, now_ns)]
    # What is valid is so up to its last update; anything else up to the pause.
    reached = max(last.started_ns, last.ended_ns or 0)
    begins = reached if last.state == "valid" else max(reached, since_ns)
    sequence = last.last_sequence if last.state in ("valid", "down") else None
    down = FeedStatus(exchange, *feed, "down", CAUSE, begins, max(now_ns, begins), last_sequence=sequence)
    return [msgspec.structs.replace(last, ended_ns=begins), down]


def _folder(data_dir: str) -> Path:
    return Path(data_dir) / "paused"


def _path(data_dir: str, venue: str) -> Path:
    return _folder(data_dir) / f"{venue}.json"


def _stated_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
