"""Binance USD-M futures: streams of two classes on two paths."""

from __future__ import annotations

from mdplatform.core.symbols import Kind
from mdplatform.simulator.binance_futures import FuturesExchange, dated
from mdplatform.simulator.binance_futures_feed import PUBLISH_NS, FuturesFeed
from mdplatform.simulator.binance_futures_rest import UsdmCalls
from mdplatform.simulator.pit import Pit
from mdplatform.simulator.profiles import Asset, Instrument, Lattice

VENUE = "binance-usdm"


class UsdmExchange(FuturesExchange):
    venue = VENUE
    calls = UsdmCalls
    classes = ("/public", "/market")


class UsdmFeed(FuturesFeed):
    venue = VENUE


def _lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """Sizes are in base units."""
    tick = 1 if asset.name == "BTC" else asset.tick_decimals
    lot = min(3, asset.lot_decimals)
    price, size = Lattice(tick, max(2, tick)), Lattice(lot, lot)
    symbol = f"{asset.name}USDT"
    perpetual = Instrument(asset, symbol, "USDT", price, size, kind=Kind.PERPETUAL, settle="USDT")
    return [perpetual, *dated(perpetual, symbol, start_ns)]


PIT = Pit(VENUE, _lists, PUBLISH_NS, ((UsdmExchange, UsdmFeed),))
