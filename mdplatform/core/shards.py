"""Which collectors are wanted: the setting MDPLATFORM_INGEST as values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from mdplatform.core.errors import ConfigError
from mdplatform.core.symbols import check_rule

VARIABLE = "MDPLATFORM_INGEST"
FIRST = "A"
MOST_COLLECTORS = 4  # of one feed: more prove nothing more, and venues count connections


@dataclass(frozen=True)
class Shard:
    """What one collector process takes: symbols of one venue, or rules that name them.

    No ``channels``: the venue's default ones. ``collector`` distinguishes those that collect the same feed: A, B,
    C ...
    """

    venue: str
    symbols: tuple[str, ...]
    channels: tuple[str, ...] = ()
    collector: str = FIRST

    def __str__(self) -> str:
        tail = f":{','.join(self.channels)}" if self.channels else ""
        twin = "" if self.collector == FIRST else f" ({self.collector})"
        return f"{self.venue}:{','.join(self.symbols)}{tail}{twin}"

    @property
    def key(self) -> str:
        """The name of these symbols and channels, in whatever order; fit for file names and tags."""
        wanted = "|".join((self.venue, ",".join(sorted(self.symbols)), ",".join(sorted(self.channels))))
        twin = "" if self.collector == FIRST else f"-{self.collector}"
        return f"{self.venue}-{hashlib.sha256(wanted.encode()).hexdigest()[:10]}{twin}"

    def overlaps(self, other: Shard) -> bool:
        """Whether both would collect the same feed."""
        if self.venue != other.venue or not set(self.symbols) & set(other.symbols):
            return False
        return not (self.channels and other.channels) or bool(set(self.channels) & set(other.channels))


def parse(text: str, venues: Collection[str], collectors: int = 1) -> tuple[Shard, ...]:
    """``venue:SYMBOL,SYMBOL[:channel,channel]`` joined by ``;``, each ``collectors`` times.

    Raises ConfigError naming the part that is wrong.
    """
    if not 1 <= collectors <= MOST_COLLECTORS:
        raise ConfigError(f"MDPLATFORM_COLLECTORS must be 1 to {MOST_COLLECTORS}, not {collectors}")
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
    return tuple(replace(shard, collector=chr(ord(FIRST) + n)) for shard in shards for n in range(collectors))


def followed_books(text: str, venue: str) -> Callable[[str], bool]:
    """Which of a venue's canonical symbols MDPLATFORM_INCREMENTS names: ``none``, ``all``, or ``venue:SYMBOL,SYMBOL``
    joined by ``;``. Raises ConfigError naming the part that is wrong."""
    if text.strip() in ("", "none", "all"):
        is_all = text.strip() == "all"
        return lambda symbol: is_all
    named: set[str] = set()
    for part in (part.strip() for part in text.split(";")):
        if not part:
            continue
        of, separator, symbols = part.partition(":")
        names = [name.strip() for name in symbols.split(",")]
        if not separator or not of.strip() or not all(names):
            raise ConfigError(f"MDPLATFORM_INCREMENTS must be none, all, or venue:SYMBOL,SYMBOL;..., not {part!r}")
        if of.strip() == venue:
            named.update(names)
    return named.__contains__


def _shard(part: str) -> Shard:
    venue, *lists = (piece.strip() for piece in part.split(":"))
    names = [tuple(name.strip() for name in piece.split(",")) for piece in lists]
    if not venue or len(names) not in (1, 2) or not all(all(group) for group in names):
        raise ConfigError(f"{VARIABLE} must read venue:SYMBOL,SYMBOL[:channel,channel], not {part!r}")
    if any(len(set(group)) != len(group) for group in names):
        raise ConfigError(f"{VARIABLE}: {part!r} names something twice")
    for name in names[0]:
        if "@" in name:
            check_rule(name)
    return Shard(venue, names[0], names[1] if len(names) == 2 else ())
