"""Which collectors are wanted: the setting MDPLATFORM_INGEST as values."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from mdplatform.errors import ConfigError

VARIABLE = "MDPLATFORM_INGEST"


@dataclass(frozen=True)
class Shard:
    """What one collector process takes: symbols of one venue. No ``channels``: the venue's usual ones."""

    venue: str
    symbols: tuple[str, ...]
    channels: tuple[str, ...] = ()

    def __str__(self) -> str:
        tail = f":{','.join(self.channels)}" if self.channels else ""
        return f"{self.venue}:{','.join(self.symbols)}{tail}"

    @property
    def key(self) -> str:
        """The name of these symbols and channels, in whatever order; fit for file names and tags."""
        wanted = "|".join((self.venue, ",".join(sorted(self.symbols)), ",".join(sorted(self.channels))))
        return f"{self.venue}-{hashlib.sha256(wanted.encode()).hexdigest()[:10]}"

    def overlaps(self, other: Shard) -> bool:
        """Whether both would collect the same feed."""
        if self.venue != other.venue or not set(self.symbols) & set(other.symbols):
            return False
        return not (self.channels and other.channels) or bool(set(self.channels) & set(other.channels))


def parse(text: str, venues: Collection[str]) -> tuple[Shard, ...]:
    """``venue:SYMBOL,SYMBOL[:channel,channel]`` joined by ``;``. Raises ConfigError naming the part that is wrong."""
    shards: list[Shard] = []
    for part in (part.strip() for part in text.split(";")):
        if not part:
            continue
        shard = _shard(part)
        if shard.venue not in venues:
            raise ConfigError(f"{VARIABLE}: unknown venue {shard.venue!r} in {part!r}; there are {', '.join(venues)}")
        for other in shards:
            if shard.overlaps(other):
                raise ConfigError(f"{VARIABLE}: {part!r} and {str(other)!r} would collect the same feed twice")
        shards.append(shard)
    return tuple(shards)


def _shard(part: str) -> Shard:
    venue, *lists = (piece.strip() for piece in part.split(":"))
    names = [tuple(name.strip() for name in piece.split(",")) for piece in lists]
    if not venue or len(names) not in (1, 2) or not all(all(group) for group in names):
        raise ConfigError(f"{VARIABLE} must read venue:SYMBOL,SYMBOL[:channel,channel], not {part!r}")
    if any(len(set(group)) != len(group) for group in names):
        raise ConfigError(f"{VARIABLE}: {part!r} names something twice")
    return Shard(venue, names[0], names[1] if len(names) == 2 else ())
