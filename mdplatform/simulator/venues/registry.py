"""The matching engines there are: a line for each module of this room that states some as ENGINES."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.protocol.exchange import MatchingEngine

_MODULES = (
    "binance.spot",
    "binance.futures",
    "coinbase.exchange",
    "deribit.exchange",
    "bybit.exchange",
    "okx.exchange",
    "bitget.exchange",
    "gate.exchange",
    "kucoin.exchange",
    "kraken.exchange",
    "hyperliquid.exchange",
    "cryptocom.exchange",
)


@cache
def matching_engines() -> tuple[MatchingEngine, ...]:
    modules = (importlib.import_module(f"mdplatform.simulator.venues.{name}") for name in _MODULES)
    return tuple(engine for module in modules for engine in module.ENGINES)


def venue_ids() -> tuple[str, ...]:
    """Every protocol of every engine."""
    return tuple(exchange.venue for engine in matching_engines() for exchange, _ in engine.protocols)


def of_venues(venues: Iterable[str]) -> list[MatchingEngine]:
    """The engines with only the protocols of these venues; of all venues where none is named.

    ConfigError for an unknown venue.
    """
    wanted = set(venues) or set(venue_ids())
    if unknown := wanted.difference(venue_ids()):
        raise ConfigError(f"the simulator has no venue {min(unknown)!r}; it has {', '.join(venue_ids())}")
    narrowed = (
        engine._replace(protocols=tuple(one for one in engine.protocols if one[0].venue in wanted))
        for engine in matching_engines()
    )
    return [engine for engine in narrowed if engine.protocols]
