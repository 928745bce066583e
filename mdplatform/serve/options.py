"""What a client asks for: the ``options`` of a request, refused in one line where they cannot be answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import msgspec

from mdplatform.core.errors import UNREADABLE, ConfigError, WarehouseError
from mdplatform.core.settings import Settings
from mdplatform.core.symbols import Kind
from mdplatform.export import ticker
from mdplatform.read.instruments import symbols as instruments
from mdplatform.venues import venue_ids
from mdplatform.warehouse import queries
from mdplatform.warehouse.client import connect_reader

SymbolsOf = Callable[[str, str], Sequence[str]]
MOST_BYTES = 64 * 1024
MOST_OPTIONS, MOST_SYMBOLS, MOST_TYPES = 50, 1_000, 20
_CONTRACTS = (Kind.PERPETUAL, Kind.FUTURE)
# The protocol's own names of venues, where they are others or name a part of one: our id, and the kinds that are meant.
VENUES: dict[str, tuple[str, tuple[Kind, ...]]] = {
    "binance-futures": ("binance-usdm", _CONTRACTS),
    "binance-delivery": ("binance-coinm", _CONTRACTS),
    "bitget-futures": ("bitget", _CONTRACTS),
    "bybit-spot": ("bybit", (Kind.SPOT,)),
    "crypto-com": ("cryptocom", tuple(Kind)),
    "cryptofacilities": ("kraken", _CONTRACTS),
    "gate-io": ("gate", (Kind.SPOT,)),
    "gate-io-futures": ("gate", _CONTRACTS),
    "kucoin-futures": ("kucoin", _CONTRACTS),
    "okex": ("okx", (Kind.SPOT,)),
    "okex-futures": ("okx", (Kind.FUTURE,)),
    "okex-swap": ("okx", (Kind.PERPETUAL,)),
}
PLAIN = ("trade", "book_change", "derivative_ticker", "liquidation", "book_ticker")
_NEEDED = {
    **{"trade": ("trades",), "liquidation": ("liquidations",), "book_ticker": ("quotes",)},
    "derivative_ticker": ticker.DATASETS,
}
_SNAPSHOT = re.compile(r"book_snapshot_(\d{1,4})_(\d{1,9})(ms|s|m)")
_QUOTE = re.compile(r"quote(?:_(\d{1,9})(ms|s|m))?")
_BAR = re.compile(r"trade_bar_(\d{1,12})(ms|s|m|ticks|vol)")
_MS = {"ms": 1, "s": 1_000, "m": 60_000, "ticks": 1, "vol": 1}


_WIRE = {
    **{"start": "from", "end": "to", "data_types": "dataTypes"},
    **{"with_disconnects": "withDisconnectMessages", "with_raw_disconnects": "withDisconnects"},
}


class Filter(msgspec.Struct):
    """Raw frames of a channel, of all its symbols where none is named; in the venue's words."""

    channel: str
    symbols: list[str] | None = None


class Asked(msgspec.Struct, rename=_WIRE):
    """One object of ``options`` as it comes."""

    exchange: str
    symbols: list[str] | None = None
    data_types: list[str] = []
    start: str | None = None
    end: str | None = None
    with_disconnects: bool = False
    with_raw_disconnects: bool = False
    filters: list[Filter] | None = None


@dataclass(frozen=True)
class Snapshots:
    """``book_snapshot_<depth>_<interval>`` or ``quote``; ``interval_ms`` 0: at each change within the depth."""

    name: str
    depth: int
    interval_ms: int


@dataclass(frozen=True)
class Bars:
    """``trade_bar_<interval><suffix>``: by ms of venue time, by number of trades or by volume in base units."""

    name: str
    kind: Literal["time", "tick", "volume"]
    interval: int


@dataclass(frozen=True)
class Feeds:
    """Some symbols of one venue. ``exchange`` and the values of ``names`` are the client's words for them."""

    exchange: str
    venue: str
    names: Mapping[str, str]  # canonical symbol -> what the client calls it
    plain: tuple[str, ...]
    computed: tuple[Snapshots | Bars, ...]
    with_disconnects: bool

    @property
    def datasets(self) -> tuple[str, ...]:
        """Of ours, that are needed."""
        found = {dataset for name in self.plain for dataset in _NEEDED.get(name, ())}
        if "book_change" in self.plain or any(isinstance(each, Snapshots) for each in self.computed):
            found.add("increments")
        if any(isinstance(each, Bars) for each in self.computed):
            found.add("trades")
        return tuple(sorted(found))


def parsed(text: str) -> list[Asked]:
    """The objects of ``options``, one or a list of them. Raises ConfigError."""
    if len(text) > MOST_BYTES:
        raise ConfigError(f"options of {len(text):,} characters are too long")
    try:
        found = msgspec.json.decode(text, type=list[Asked] | Asked)
    except UNREADABLE as error:
        raise ConfigError(f"options must be an object or a list of objects: {error}") from None
    asked = found if isinstance(found, list) else [found]
    if not 1 <= len(asked) <= MOST_OPTIONS:
        raise ConfigError(f"options must be 1 to {MOST_OPTIONS} objects, not {len(asked)}")
    return asked


def feeds_of(asked: Asked, settings: Settings, symbols_of: SymbolsOf | None = None) -> Feeds:
    """Raises ConfigError for a venue, symbol or data type that there is not.

    ``symbols_of``: the symbols of a dataset and venue, which are all wanted where none is named.
    """
    venue, kinds = venue_of(asked)
    if len(asked.symbols or ()) > MOST_SYMBOLS:
        raise ConfigError(f"name up to {MOST_SYMBOLS} symbols of {asked.exchange}, not {len(asked.symbols or ())}")
    if not 1 <= len(asked.data_types) <= MOST_TYPES:
        raise ConfigError(f"name 1 to {MOST_TYPES} dataTypes: {', '.join(PLAIN)}, book_snapshot_10_100ms, trade_bar_1s")
    feeds = Feeds(
        asked.exchange,
        venue,
        {canonical(name, venue, kinds, settings): name for name in asked.symbols or ()},
        tuple(name for name in asked.data_types if name in PLAIN),
        tuple(_computed(name) for name in asked.data_types if name not in PLAIN),
        asked.with_disconnects,
    )
    if asked.symbols or symbols_of is None:
        names = feeds.names
    else:
        found = {symbol for dataset in feeds.datasets for symbol in symbols_of(dataset, venue)}
        names = _venue_names(sorted(found), venue, kinds, settings)
    if not 1 <= len(names) <= MOST_SYMBOLS:
        raise ConfigError(f"{len(names)} symbols of {asked.exchange} are wanted; 1 to {MOST_SYMBOLS} can be")
    return replace(feeds, names=names)


def _venue_names(found: Sequence[str], venue: str, kinds: Sequence[Kind], settings: Settings) -> dict[str, str]:
    """Canonical symbol -> the venue's own name, ours where the venue's list is not known; only of these kinds."""
    try:
        with connect_reader(settings) as client:
            called = {
                row["symbol"]: row["venue_symbol"] for row in queries.run(client, "venue_symbols", exchange=venue)
            }
    except WarehouseError:
        called = {}
    return {symbol: called.get(symbol, symbol) for symbol in found if _kind(symbol) in kinds}


def _kind(symbol: str) -> Kind:
    """As its canonical name says."""
    parts = symbol.split("-")
    if len(parts) == 2:
        return Kind.SPOT
    if len(parts) == 3:
        return Kind.PERPETUAL if parts[2] == "PERP" else Kind.FUTURE
    return Kind.OPTION


def venue_of(asked: Asked) -> tuple[str, tuple[Kind, ...]]:
    """Our venue, and the kinds of instrument that are meant; raises ConfigError."""
    venue, kinds = VENUES.get(asked.exchange, (asked.exchange, tuple(Kind)))
    if venue not in venue_ids():
        raise ConfigError(f"no exchange {asked.exchange[:64]!r}; there are {', '.join([*venue_ids(), *VENUES])}")
    return venue, kinds


def span(asked: Asked) -> tuple[datetime, datetime]:
    """[from, to) in UTC; a time without a zone is UTC. Raises ConfigError."""
    start, end = (_time(name, text) for name, text in (("from", asked.start), ("to", asked.end)))
    if start >= end:
        raise ConfigError(f"the range is empty: from {asked.start} to {asked.end}")
    return start, end


def canonical(name: str, venue: str, kinds: Sequence[Kind], settings: Settings) -> str:
    """Our name of what a client calls by the venue's own name, or by ours; raises ConfigError.

    The venue's names are known from the lists in ClickHouse; without it, ours alone are understood.
    """
    try:
        listed = instruments(name, venues=venue, kinds=[*kinds], settings=settings)
    except WarehouseError:
        listed = []
    named = [each for each in listed if name.upper() in (each.venue_symbol.upper(), each.symbol)]
    if named:
        return named[0].symbol
    if "-" not in name or len(name) > 100:
        raise ConfigError(
            f"no instrument {name[:64]!r} of {venue} is known; our names are like BTC-USDT, BTC-USDT-PERP"
        )
    return name


def _computed(name: str) -> Snapshots | Bars:
    if match := _SNAPSHOT.fullmatch(name):
        return Snapshots(name, int(match[1]) or 1, int(match[2]) * _MS[match[3]])
    if match := _QUOTE.fullmatch(name):
        return Snapshots(name, 1, int(match[1] or 0) * _MS[match[2] or "ms"])
    if (match := _BAR.fullmatch(name)) and int(match[1]):
        kind: Literal["time", "tick", "volume"] = "time"
        if match[2] in ("ticks", "vol"):
            kind = "tick" if match[2] == "ticks" else "volume"
        return Bars(name, kind, int(match[1]) * _MS[match[2]])
    known = f"{', '.join(PLAIN)}, book_snapshot_10_100ms, quote_1s, trade_bar_1s"
    raise ConfigError(f"no data type {name[:64]!r}; there are {known}")


def _time(name: str, text: str | None) -> datetime:
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        raise ConfigError(f"{name!r} must be a time such as 2026-11-30T12:34:00Z, not {str(text)[:40]!r}") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
