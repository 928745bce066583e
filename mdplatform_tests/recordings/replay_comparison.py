"""Whether a recording gives again what was published while it was made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from operator import attrgetter

import msgspec

from mdplatform.bus import Message
from mdplatform.bus.memory import MemoryBus
from mdplatform.collector.config import CollectorConfig
from mdplatform.core.codec import decode_raw
from mdplatform.core.events import RawFrame
from mdplatform.core.topics import Topics
from mdplatform.recordings.player import Player
from mdplatform.recordings.replay_tape import play
from mdplatform.recordings.tape import tape_line
from mdplatform.venues import venue
from mdplatform_tests.recordings.checksum_sink import SumBus

# Compared whole, no field left out. Not statuses and statistics: what they say of a collector's own time and sockets
# is not on tape.
DATASETS = ("books", "quotes", "trades", "liquidations", "funding")

Log = Mapping[str, Sequence[Message]]  # messages by topic, in order


class Difference(msgspec.Struct, frozen=True):
    """The first place where a symbol's messages are not the same; None: there is no such message."""

    topic: str
    key: bytes
    number: int  # of the message among those of its topic and key, from 0
    published: bytes | None
    replayed: bytes | None


class Comparison(msgspec.Struct, frozen=True):
    """``messages``: how many were compared, by topic. ``sums``: sha256 of everything that each of two replays gave."""

    messages: dict[str, int]
    differences: list[Difference]
    sums: tuple[str, str]

    @property
    def is_same(self) -> bool:
        return bool(self.messages) and not self.differences and len(set(self.sums)) == 1


async def compare(config: CollectorConfig, published: Log, topics: Topics) -> Comparison:
    """What a collector with ``keep_raw`` published, and what its raw frames give by replay; each symbol by itself.

    Other exchanges' messages are passed over. Raises ConfigError for an unknown venue, channel or symbol.
    """
    raw = [decode_raw(message.value) for message in published.get(topics.expand("raw", [config.venue])[0], ())]
    lines, lists = _tape(raw), [each.frame for each in raw if each.is_list]
    channels = config.channels or venue(config.venue).default_channels
    bus, sums = MemoryBus(), (SumBus(), SumBus())
    for target in (bus, *sums):
        player = Player(config.venue, channels=channels, symbols=config.symbols, instruments=lists, depth=config.depth)
        await play(player, lines, target, topics, asyncio.Event())
    messages, differences = dict[str, int](), list[Difference]()
    for name in (name for dataset in DATASETS for name in topics.expand(dataset, [config.venue])):
        before, after = (_by_key(log.get(name, ()), config.venue) for log in (published, bus.topics))
        if before:
            messages[name] = sum(map(len, before.values()))
        for key in sorted(before.keys() | after.keys()):
            differences += _first_difference(name, key, before.get(key, []), after.get(key, []))
    return Comparison(messages, differences, (sums[0].sha256, sums[1].sha256))


def _tape(raw: Sequence[RawFrame]) -> list[bytes]:
    """The lines of a recording, of the raw frames and REST answers that were published, in order of receipt."""
    # Several connections are several partitions; what one loop has received, it has received one after the other.
    taken = sorted(raw, key=attrgetter("received_ns"))
    return [tape_line(each.received_ns, each.frame, each.request, each.path) for each in taken]


class _Of(msgspec.Struct):
    exchange: str


_of = msgspec.json.Decoder(_Of).decode


def _by_key(messages: Iterable[Message], exchange: str) -> dict[bytes, list[bytes]]:
    """The exchange's messages of each key: only these have an order in a topic of several partitions."""
    out: dict[bytes, list[bytes]] = {}
    for message in messages:
        if _of(message.value).exchange == exchange:
            out.setdefault(message.key, []).append(message.value)
    return out


def _first_difference(topic: str, key: bytes, before: list[bytes], after: list[bytes]) -> Iterator[Difference]:
    for number, (published, replayed) in enumerate(zip_longest(before, after)):
        if published != replayed:
            yield Difference(topic, key, number, published, replayed)
            return
