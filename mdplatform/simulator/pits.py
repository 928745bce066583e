"""The pits there are: a line for each module of this package that holds one as PIT."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.pit import Pit

_MODULES = (
    "binance",
    "binance_usdm",
    "binance_coinm",
    "coinbase",
    "deribit",
    "bybit",
    "okx",
    "bitget",
    "gate",
    "kucoin",
    "kraken",
    "hyperliquid",
)


@cache
def pits() -> tuple[Pit, ...]:
    return tuple(importlib.import_module(f"mdplatform.simulator.{module}").PIT for module in _MODULES)


def venue_ids() -> tuple[str, ...]:
    """Every door of every pit."""
    return tuple(exchange.venue for pit in pits() for exchange, _ in pit.doors)


def of_venues(venues: Iterable[str]) -> list[Pit]:
    """The pits with only the doors of these venues; of all venues where none is named.

    ConfigError for an unknown venue.
    """
    wanted = set(venues) or set(venue_ids())
    if unknown := wanted.difference(venue_ids()):
        raise ConfigError(f"the simulator has no venue {min(unknown)!r}; it has {', '.join(venue_ids())}")
    narrowed = (pit._replace(doors=tuple(door for door in pit.doors if door[0].venue in wanted)) for pit in pits())
    return [pit for pit in narrowed if pit.doors]
