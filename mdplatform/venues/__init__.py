"""Venues by id: one folder and one line here each.

A folder always holds the same files: ``__init__`` (the venue's facts: addresses, limits, how connections are planned),
``channels``, ``instruments``, ``market`` (one instrument), ``session`` (one connection) and ``wire`` (what is sent).
Where a venue has several protocols, each has a folder of this kind within, for what differs. Any other file says in
its docstring why it is one.
"""

from __future__ import annotations

import importlib
from typing import cast

from mdplatform.core.errors import ConfigError
from mdplatform.core.session import Venue

# venue id -> package here that holds it as VENUE; imported when asked for
_MODULES = {
    "binance": "binance.spot",
    "binance-usdm": "binance.futures.usdm",
    "binance-coinm": "binance.futures.coinm",
    "coinbase": "coinbase",
    "deribit": "deribit",
    "bybit": "bybit",
    "okx": "okx",
    "bitget": "bitget",
    "gate": "gate",
    "kucoin": "kucoin",
    "kraken": "kraken",
    "hyperliquid": "hyperliquid",
    "cryptocom": "cryptocom",
}


def venue_ids() -> tuple[str, ...]:
    return tuple(_MODULES)


def venue(venue_id: str) -> Venue:
    """The venue with this id; raises ConfigError naming those there are."""
    if venue_id not in _MODULES:
        raise ConfigError(f"unknown venue {venue_id!r}; there are {', '.join(_MODULES)}")
    module = importlib.import_module(f"mdplatform.venues.{_MODULES[venue_id]}")
    return cast(Venue, module.VENUE)
