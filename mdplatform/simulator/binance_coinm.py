"""Binance COIN-M futures: inverse contracts, all streams on one path."""

from __future__ import annotations

from mdplatform.core.symbols import Kind
from mdplatform.simulator.binance_futures import FuturesExchange, dated
from mdplatform.simulator.binance_futures_feed import PUBLISH_NS, FuturesFeed
from mdplatform.simulator.binance_futures_rest import CoinmCalls
from mdplatform.simulator.pit import Pit
from mdplatform.simulator.profiles import Asset, Instrument, Lattice

VENUE = "binance-coinm"


class CoinmExchange(FuturesExchange):
    venue = VENUE
    calls = CoinmCalls


class CoinmFeed(FuturesFeed):
    venue = VENUE


def _lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """Sizes are contracts of a hundred dollars of BTC, ten of anything else."""
    tick = 1 if asset.name == "BTC" else asset.tick_decimals
    perpetual = Instrument(
        asset,
        f"{asset.name}USD_PERP",
        "USD",
        Lattice(tick, tick),
        Lattice(0, 0),
        kind=Kind.PERPETUAL,
        settle=asset.name,
        contract_size="100" if asset.name == "BTC" else "10",
        inverse=True,
    )
    return [perpetual, *dated(perpetual, f"{asset.name}USD", start_ns)]


PIT = Pit(VENUE, _lists, PUBLISH_NS, ((CoinmExchange, CoinmFeed),))
