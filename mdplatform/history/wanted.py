"""What is to be loaded: the setting MDPLATFORM_HISTORY as values."""

from __future__ import annotations

from dataclasses import dataclass

from mdplatform.core.errors import ConfigError
from mdplatform.core.settings import Settings, addresses
from mdplatform.core.shards import parse
from mdplatform.history.layout import VENUES, HistoryFile

VARIABLE = "MDPLATFORM_HISTORY"


@dataclass(frozen=True)
class Wanted:
    """One instrument; ``venue_symbol`` None: as the venue's instrument list says."""

    venue: str
    symbol: str
    venue_symbol: str | None = None


def wanted(settings: Settings) -> list[Wanted]:
    """The instruments of MDPLATFORM_HISTORY, in order; where it is empty, those of MDPLATFORM_INGEST whose venue has
    archives. What is named by a rule there is another contract every quarter: history names it itself. Raises
    ConfigError."""
    if settings.history.strip():
        found = [one for part in settings.history.split(";") if part.strip() for one in _part(part)]
    else:
        shards = parse(settings.ingest, (*VENUES, *_venues(settings.ingest)))
        named = [(shard.venue, name) for shard in shards for name in shard.symbols if "@" not in name]
        found = [Wanted(venue, symbol) for venue, symbol in named if venue in VENUES]
    return list(dict.fromkeys(found))


def base_url(settings: Settings, file: HistoryFile) -> str:
    """Where the venue's files are, its own address unless the settings name another; raises ConfigError."""
    return addresses(settings.history_urls, "MDPLATFORM_HISTORY_URLS").get(file.venue, file.base_url).rstrip("/")


def _part(part: str) -> list[Wanted]:
    venue, colon, symbols = (piece.strip() for piece in part.partition(":"))
    if venue not in VENUES:
        raise ConfigError(f"{VARIABLE}: {venue!r} in {part.strip()!r} has no archives; there are {', '.join(VENUES)}")
    pairs = [tuple(name.strip() for name in pair.partition("=")) for pair in symbols.split(",")]
    if not colon or any(not symbol or bool(equals) != bool(own) for symbol, equals, own in pairs):
        raise ConfigError(f"{VARIABLE} must read venue:SYMBOL[=VENUESYMBOL],SYMBOL joined by ';', not {part.strip()!r}")
    return [Wanted(venue, symbol, own or None) for symbol, _, own in pairs]


def _venues(ingest: str) -> list[str]:
    """Whether they exist is asked where collectors are started."""
    return [part.partition(":")[0].strip() for part in ingest.split(";")]
