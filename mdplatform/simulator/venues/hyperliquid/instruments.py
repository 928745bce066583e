"""What Hyperliquid lists, and how it says so: perpetuals by name, pairs of tokens by index."""

from __future__ import annotations

from math import floor, log10
from typing import Any
from zlib import crc32

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice


def lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """A perpetual of five significant figures, and a pair named by its index (here: derived from the asset's name)."""
    decimals = max(0, 4 - floor(log10(asset.price)))
    price, size = Lattice(decimals, max(1, decimals)), Lattice(asset.lot_decimals, max(1, asset.lot_decimals))
    index = 100 + crc32(asset.name.encode()) % 10**6
    return [
        Instrument(asset, asset.name, "USD", price, size, kind=Kind.PERPETUAL, settle="USDC", funding_hours=1),
        Instrument(asset, f"@{index}", "USDC", price, size),
    ]


def perpetuals(listed: list[Instrument]) -> dict[str, Any]:
    """The answer to meta."""
    rows = [{"name": one.symbol, "szDecimals": one.size.decimals, "maxLeverage": 20} for one in listed]
    return {"universe": rows, "marginTables": []}


def pairs(listed: list[Instrument]) -> dict[str, Any]:
    """The answer to spotMeta: tokens stand beside the pairs, which name them by index; USDC is the first."""
    tokens = [{"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0}]
    universe = []
    for pair in listed:
        index = int(pair.symbol[1:])
        tokens.append({"name": pair.base, "szDecimals": pair.size.decimals, "weiDecimals": 8, "index": index})
        universe.append({"name": pair.symbol, "tokens": [index, 0], "index": index, "isCanonical": False})
    return {"universe": universe, "tokens": tokens}
