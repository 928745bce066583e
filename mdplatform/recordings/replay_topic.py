"""Replays the raw frames of a time range from the topic that keeps them, through the collector's code."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal

from mdplatform.bus import Message
from mdplatform.bus.admin import Admin
from mdplatform.bus.reader import Reader
from mdplatform.collector.instrument_selection import LIST_EVERY_S
from mdplatform.core.codec import decode_raw
from mdplatform.core.errors import UNREADABLE
from mdplatform.core.events import Event, RawFrame
from mdplatform.core.settings import Settings
from mdplatform.core.shards import Shard
from mdplatform.core.symbols import Instruments
from mdplatform.core.topics import Topics
from mdplatform.recordings.player import Player
from mdplatform.recordings.tape import Entry
from mdplatform.venues import venue

log = logging.getLogger(__name__)

# Frames of a little before and after: what a venue dates into the stretch may come late, or be dated ahead.
MARGIN = timedelta(minutes=1)
# Without the venue's list its frames mean nothing, and a collector asks for it so often.
AHEAD_NS = 2 * 3600 * 10**9  # as long as a stretch may be
LISTED_WITHIN = timedelta(seconds=LIST_EVERY_S) + MARGIN


@dataclass
class _Recording:
    """One collector's. It begins to play at the first frame that counts and whose instruments are known."""

    exchange: str
    shard: Shard | None  # None: it is not wanted any more, what its channels were is not known
    depth: int
    lists: list[bytes] = field(default_factory=list)
    player: Player | None = None
    _tried: int = 0  # lists with which it could not begin
    _tried_at_frame: int = 0  # and with which it could not either where some symbols may be missing

    def take(self, raw: RawFrame) -> Iterable[Event]:
        is_new = len(self.lists) > (self._tried if raw.is_list else self._tried_at_frame)
        if self.player is None and is_new:
            self._begin(raw)
        kind: Literal["frame", "answer"] = "frame" if raw.request is None else "answer"
        return self.player.take(Entry(raw.received_ns, raw.frame, kind, raw.request, raw.path)) if self.player else ()

    def _begin(self, raw: RawFrame) -> None:
        """As soon as the lists hold all symbols; at the first frame without those that the collector lacked, too."""
        self._tried = len(self.lists)
        if not raw.is_list:
            self._tried_at_frame = len(self.lists)
        channels, names = (self.shard.channels, self.shard.symbols) if self.shard else ((), ())
        facts = venue(self.exchange)
        stated = [row for body in self.lists for row in facts.parse_instruments(body).instruments]
        listed = Instruments(self.exchange, [*facts.known_instruments(), *stated])
        # What a rule names may change within the stretch.
        times = (raw.received_ns, raw.received_ns + AHEAD_NS)
        found = {name: [row for at in times for row in listed.named_by(name, at).values()] for name in names}
        symbols = tuple(dict.fromkeys(row.symbol for rows in found.values() for row in rows))
        if (names and not symbols) or (raw.is_list and not all(found.values())):
            return
        self.player = Player(
            self.exchange, channels=channels, symbols=symbols, instruments=self.lists, depth=self.depth
        )


def replayed(
    settings: Settings, exchange: str, start: datetime, end: datetime, shards: Mapping[str, Shard]
) -> Iterator[Event]:
    """The events of an exchange's raw frames that were received from ``start`` to ``end`` or a minute beside, in order
    of receipt; nothing where no frames are kept. ``shards`` by key: what a collector takes.

    A book begins at the first snapshot among the frames. Raises BusError, ConfigError, FrameError.
    """
    recordings: dict[str, _Recording] = {}
    begins_ns = int((start - MARGIN).timestamp()) * 10**9
    for raw in raw_frames(settings, exchange, start - LISTED_WITHIN, end + MARGIN):
        if raw.exchange != exchange:  # one topic for all
            continue
        shard = raw.conn.partition("/")[0]
        if shard not in recordings:
            recordings[shard] = _Recording(exchange, shards.get(shard), settings.depth)
        recording = recordings[shard]
        if raw.is_list and recording.player is None:
            recording.lists.append(raw.frame)
        if raw.received_ns >= begins_ns:
            yield from recording.take(raw)
    for recording in recordings.values():
        if recording.player is not None:
            yield from recording.player.end()


def raw_frames(settings: Settings, exchange: str, start: datetime, end: datetime) -> Iterator[RawFrame]:
    """Of all partitions, by time of receipt."""
    admin, topics = Admin(settings), Topics.from_settings(settings).expand("raw", [exchange])
    first, last = (admin.offsets_at(topics, round(at.timestamp() * 1000)) for at in (start, end))
    with ExitStack() as stack:
        parts = []
        for spot, offset in first.items():
            reader = stack.enter_context(Reader(settings))
            parts.append(_readable(reader.read_range(*spot, offset, last[spot])))
        yield from heapq.merge(*parts, key=attrgetter("received_ns"))


def _readable(messages: Iterable[Message]) -> Iterator[RawFrame]:
    for message in messages:
        try:
            yield decode_raw(message.value)
        except UNREADABLE as error:
            log.warning("%s/%d@%d is no raw frame: %s", message.topic, message.partition, message.offset, error)
