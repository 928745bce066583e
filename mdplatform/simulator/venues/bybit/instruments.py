"""Bybit: what it lists of an asset in each category, and the row of its instrument list."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters
from mdplatform.simulator.engine.options import chain

CATEGORIES = ("spot", "linear", "inverse", "option")
_MONTHS = {3: "H", 6: "M", 9: "U", 12: "Z"}
_TICKS = {"BTC": 1}  # decimals of a contract's price, where they are not those of spot
_OF_OPTIONS = {"BTC": (Lattice(0, 0, 5), Lattice(2, 2)), "ETH": (Lattice(1, 1), Lattice(1, 1))}  # tick and step
_LISTED_MS = "1584230400000"


def lists(asset: Asset, start_ns: int) -> Iterator[Instrument]:
    """Spot, linear perpetuals in both stablecoins, an inverse one, and a quarterly future of either kind."""
    decimals = _TICKS.get(asset.name, asset.tick_decimals)
    spot, price = Lattice(asset.tick_decimals, asset.tick_decimals), Lattice(decimals, decimals)
    coins, steps, dollars = (Lattice(n, n) for n in (asset.lot_decimals, min(asset.lot_decimals, 3), 0))
    name = asset.name
    usdt = f"{name}USDT"
    yield Instrument(asset, usdt, "USDT", spot, coins, section="spot")
    yield Instrument(asset, usdt, "USDT", price, steps, Kind.PERPETUAL, "USDT", section="linear")
    yield Instrument(asset, f"{name}PERP", "USDC", price, steps, Kind.PERPETUAL, "USDC", section="linear")
    inverse = partial(Instrument, asset, quote="USD", contract_size="1", inverse=True, section="inverse")
    yield inverse(f"{name}USD", price=price, size=dollars, kind=Kind.PERPETUAL, settle=name)
    for day in quarters(start_ns, 1):
        expiry, word = f"{day:%Y%m%d}", f"{day:%d%b%y}".upper()
        yield Instrument(
            asset, f"{usdt}-{word}", "USDT", price, steps, Kind.FUTURE, "USDT", expiry=expiry, section="linear"
        )
        symbol = f"{name}USD{_MONTHS[day.month]}{day:%y}"
        yield inverse(symbol, price=price, size=dollars, kind=Kind.FUTURE, settle=name, expiry=expiry)


def options(asset: Asset, start_ns: int, strikes: int) -> Iterator[Instrument]:
    """Paid and quoted in USDT."""
    price, size = _OF_OPTIONS[asset.name]
    for one in chain(asset, start_ns, strikes):
        symbol = f"{asset.name}-{one.expiry.day}{one.expiry:%b%y}-{one.strike}-{one.right}-USDT".upper()
        option: dict[str, Any] = {"expiry": f"{one.expiry:%Y%m%d}", "strike": one.strike, "right": one.right}
        option |= {"settle": "USDT", "section": "option", "start_price": one.dollars}
        yield Instrument(asset, symbol, "USDT", price, size, Kind.OPTION, **option)


def row(instrument: Instrument) -> dict[str, Any]:
    """The instrument as listed."""
    common = {
        "symbol": instrument.symbol,
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "priceFilter": {"tickSize": instrument.price.step},
    }
    step = instrument.size.step
    if instrument.kind is Kind.SPOT:
        return {**common, "innovation": "0", "lotSizeFilter": {"basePrecision": step, "minOrderQty": step}}
    if instrument.expiry and instrument.right:
        return {
            **common,
            "optionsType": "Call" if instrument.right == "C" else "Put",
            "settleCoin": instrument.settle,
            "launchTime": _LISTED_MS,
            "deliveryTime": str(expires_ms(instrument.expiry)),
            "deliveryFeeRate": "0.00015",
            "lotSizeFilter": {"qtyStep": step, "minOrderQty": step},
        }
    which = "Inverse" if instrument.inverse else "Linear"
    return {
        **common,
        "contractType": which + ("Perpetual" if instrument.kind is Kind.PERPETUAL else "Futures"),
        "settleCoin": instrument.settle,
        "launchTime": _LISTED_MS,
        "deliveryTime": "0" if instrument.expiry is None else str(expires_ms(instrument.expiry)),
        "lotSizeFilter": {"qtyStep": step, "minOrderQty": step},
        "fundingInterval": 60 * instrument.funding_hours,
    }
