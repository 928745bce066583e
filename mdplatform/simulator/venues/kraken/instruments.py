"""Kraken: what it lists of an asset on spot and on futures, and its lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters
from mdplatform.simulator.protocol.wire import iso

SPOT, FUTURES = "spot", "futures"
_SIZE_DECIMALS = 8
_OLD = {"BTC": "XBT", "DOGE": "XDG"}  # as REST and futures name them


def lists(asset: Asset, start_ns: int) -> Iterator[Instrument]:
    """Spot, a linear perpetual, and of Bitcoin an inverse quarterly."""
    price = Lattice(asset.tick_decimals, asset.tick_decimals)
    coins = Lattice(asset.lot_decimals, asset.lot_decimals)
    padded = Lattice(asset.lot_decimals, max(_SIZE_DECIMALS, asset.lot_decimals))
    name = f"{'XBT' if asset.name == 'BTC' else asset.name}USD"
    yield Instrument(asset, f"{asset.name}/USD", "USD", price, padded, section=SPOT)
    yield Instrument(asset, f"PF_{name}", "USD", price, coins, Kind.PERPETUAL, "USD", funding_hours=1, section=FUTURES)
    for day in quarters(start_ns, 1) if asset.name == "BTC" else ():
        symbol, expiry = f"FI_{name}_{day:%y%m%d}", f"{day:%Y%m%d}"
        yield Instrument(
            asset, symbol, "USD", price, Lattice(0, 0), Kind.FUTURE, "BTC", "1", True, expiry, section=FUTURES
        )


def rest_name(pair: Instrument) -> str:
    return f"{_OLD.get(pair.base, pair.base)}{pair.quote}"


def pairs(instruments: Iterable[Instrument]) -> dict[str, Any]:
    """The answer of AssetPairs."""
    rows = {}
    for one in instruments:
        base = _OLD.get(one.base, one.base)
        rows[rest_name(one)] = {
            "altname": rest_name(one),
            "wsname": f"{base}/{one.quote}",
            "base": f"X{base}",
            "quote": f"Z{one.quote}",
            "pair_decimals": one.price.width,
            "lot_decimals": one.size.width,
            "tick_size": one.price.step,
            "status": "online",
        }
    return {"error": [], "result": rows}


def products(instruments: Iterable[Instrument]) -> dict[str, Any]:
    """The answer of instruments."""
    return {"result": "success", "instruments": [_product(one) for one in instruments]}


def _product(one: Instrument) -> dict[str, Any]:
    row = {
        "symbol": one.symbol,
        "type": "futures_inverse" if one.inverse else "flexible_futures",
        "pair": f"{_OLD.get(one.base, one.base)}:{one.quote}",
        "base": one.base,
        "quote": one.quote,
        "tickSize": float(one.price.step),
        "contractSize": 1,
        "contractValueTradePrecision": one.size.decimals,
        "tradeable": True,
    }
    ends = {} if one.expiry is None else {"lastTradingTime": iso(expires_ms(one.expiry) * 1_000_000)}
    return {**row, **ends}
