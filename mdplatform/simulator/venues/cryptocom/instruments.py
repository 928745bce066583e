"""Crypto.com: what it lists of an asset, and the rows of its instrument list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters

_TICKS = {"BTC": 1}  # decimals of a contract's price, where they are not those of spot
_TYPES = {Kind.SPOT: "CCY_PAIR", Kind.PERPETUAL: "PERPETUAL_SWAP", Kind.FUTURE: "FUTURE"}


def lists(asset: Asset, start_ns: int) -> Iterator[Instrument]:
    """Two pairs, a perpetual that pays funding each hour, and a quarterly future."""
    decimals = _TICKS.get(asset.name, asset.tick_decimals)
    coins, price = Lattice(asset.tick_decimals, asset.tick_decimals), Lattice(decimals, decimals)
    lots = Lattice(asset.lot_decimals, asset.lot_decimals)
    for quote in ("USD", "USDT"):
        yield Instrument(asset, f"{asset.name}_{quote}", quote, coins, lots)
    name = f"{asset.name}USD"
    yield Instrument(asset, f"{name}-PERP", "USD", price, lots, Kind.PERPETUAL, "USD", funding_hours=1)
    for day in quarters(start_ns, 1):
        yield Instrument(asset, f"{name}-{day:%y%m%d}", "USD", price, lots, Kind.FUTURE, "USD", expiry=f"{day:%Y%m%d}")


def index_of(instrument: Instrument) -> str:
    """The index that a contract follows."""
    return f"{instrument.base}{instrument.quote}-INDEX"


def row(instrument: Instrument) -> dict[str, Any]:
    """The instrument as listed."""
    listed = {
        "symbol": instrument.symbol,
        "inst_type": _TYPES[instrument.kind],
        "display_name": instrument.symbol,
        "base_ccy": instrument.base,
        "quote_ccy": instrument.quote,
        "quote_decimals": instrument.price.decimals,
        "quantity_decimals": instrument.size.decimals,
        "price_tick_size": instrument.price.step,
        "qty_tick_size": instrument.size.step,
        "max_leverage": "50",
        "tradable": True,
        "expiry_timestamp_ms": 0 if instrument.expiry is None else expires_ms(instrument.expiry),
    }
    if instrument.kind is Kind.SPOT:
        return listed
    return {**listed, "beta_product": False, "underlying_symbol": index_of(instrument), "contract_size": "1"}
