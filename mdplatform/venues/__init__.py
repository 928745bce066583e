"""Venues by id: one file and one line here each."""

from __future__ import annotations

import importlib
from typing import cast

from mdplatform.core.errors import ConfigError
from mdplatform.core.session import Venue

# venue id -> module of this package that holds it as VENUE; imported when asked for
_MODULES = {
    "binance": "binance",
    "binance-usdm": "binance_usdm",
    "binance-coinm": "binance_coinm",
    "coinbase": "coinbase",
    "deribit": "deribit",
    "bybit": "bybit",
    "okx": "okx",
    "bitget": "bitget",
    "gate": "gate",
    "kucoin": "kucoin",
    "kraken": "kraken",
    "hyperliquid": "hyperliquid",
}


def venue_ids() -> tuple[str, ...]:
    return tuple(_MODULES)


def venue(venue_id: str) -> Venue:
    """The venue with this id; raises ConfigError naming those there are."""
    if venue_id not in _MODULES:
        raise ConfigError(f"unknown venue {venue_id!r}; there are {', '.join(_MODULES)}")
    module = importlib.import_module(f"mdplatform.venues.{_MODULES[venue_id]}")
    return cast(Venue, module.VENUE)
