"""Bitget: what it lists of an asset in each category, and the row of its instrument list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters

SPOT, COIN = "spot", "coin-futures"
CATEGORIES = (SPOT, "usdt-futures", "usdc-futures", COIN)
_MONTHS = {3: "H", 6: "M", 9: "U", 12: "Z"}
_TICKS = {"BTC": 1}  # decimals of a contract's price, where they are not those of spot


def lists(asset: Asset, start_ns: int) -> Iterator[Instrument]:
    """Spot, perpetuals in both stablecoins and in the coin, and a quarterly future in the coin: all in base units.

    Names of coin futures end in _CM, by which alone v3 knows them.
    """
    decimals, name = _TICKS.get(asset.name, asset.tick_decimals), asset.name
    spot, price = Lattice(asset.tick_decimals, asset.tick_decimals), Lattice(decimals, decimals)
    lots, steps = (Lattice(n, n) for n in (asset.lot_decimals, min(asset.lot_decimals, 4)))
    yield Instrument(asset, f"{name}USDT", "USDT", spot, lots, section=SPOT)
    yield Instrument(asset, f"{name}USDT", "USDT", price, steps, Kind.PERPETUAL, "USDT", section="usdt-futures")
    yield Instrument(asset, f"{name}PERP", "USDC", price, steps, Kind.PERPETUAL, "USDC", section="usdc-futures")
    yield Instrument(asset, f"{name}USD_CM", "USD", price, steps, Kind.PERPETUAL, name, section=COIN)
    for day in quarters(start_ns, 1):
        symbol = f"{name}USD{_MONTHS[day.month]}{day:%y}_CM"
        yield Instrument(asset, symbol, "USD", price, steps, Kind.FUTURE, name, expiry=f"{day:%Y%m%d}", section=COIN)


def row(instrument: Instrument) -> dict[str, Any]:
    """The instrument as listed."""
    listed = {
        "symbol": instrument.symbol,
        "category": instrument.section.upper(),
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "minOrderQty": instrument.size.step,
        "pricePrecision": str(instrument.price.decimals),
        "quantityPrecision": str(instrument.size.decimals),
        "status": "online",
    }
    if instrument.kind is Kind.SPOT:
        return {**listed, "symbolType": "crypto", "areaSymbol": "no"}
    return {
        **listed,
        "priceMultiplier": instrument.price.step,
        "quantityMultiplier": instrument.size.step,
        "symbolType": "perpetual" if instrument.expiry is None else "delivery",
        "deliveryTime": "" if instrument.expiry is None else str(expires_ms(instrument.expiry)),
        "fundInterval": str(instrument.funding_hours),
        "isRwa": "NO" if instrument.asset.asset_class == "crypto" else "YES",
    }
