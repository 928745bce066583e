"""OKX: what it lists of an asset, and the row of its instrument list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters
from mdplatform.simulator.engine.options import chain

INST_TYPES = {Kind.SPOT: "SPOT", Kind.PERPETUAL: "SWAP", Kind.FUTURE: "FUTURES", Kind.OPTION: "OPTION"}
_LINEAR = {"BTC": "0.01", "ETH": "0.1", "BNB": "0.01", "BCH": "0.1", "XRP": "100", "DOGE": "1000", "ADA": "100"}
_TICKS = {"BTC": 1}  # decimals of a price, where they are the venue's own
_X_PERP, _X_PERP_DUE = "_UM_XPERP", "20310404"
_OF_COINS = Lattice(4, 4)  # what an option costs
_OPTIONS = {"BTC": "0.01", "ETH": "0.1"}  # coins a contract, which the venue states as a factor
_LISTED_MS = "1611916828000"


def lists(asset: Asset, start_ns: int) -> Iterator[Instrument]:
    """Spot, a swap in each of two kinds of contract, two quarterly futures, and an X-Perp."""
    decimals = _TICKS.get(asset.name, asset.tick_decimals)
    price, lots, contracts = Lattice(decimals, decimals), Lattice(asset.lot_decimals, asset.lot_decimals), Lattice(0, 0)
    usdt, usd, name = f"{asset.name}-USDT", f"{asset.name}-USD", asset.name
    yield Instrument(asset, usdt, "USDT", price, lots)
    linear = _LINEAR.get(name, "1")
    yield Instrument(asset, f"{usdt}-SWAP", "USDT", price, Lattice(2, 2), Kind.PERPETUAL, "USDT", linear)
    worth = "100" if name == "BTC" else "10"
    yield Instrument(asset, f"{usd}-SWAP", "USD", price, contracts, Kind.PERPETUAL, name, worth, inverse=True)
    for day in quarters(start_ns):
        symbol, expiry = f"{usd}-{day:%y%m%d}", f"{day:%Y%m%d}"
        yield Instrument(asset, symbol, "USD", price, contracts, Kind.FUTURE, name, worth, inverse=True, expiry=expiry)
    symbol = f"{usd}{_X_PERP}-{_X_PERP_DUE[2:]}"
    yield Instrument(asset, symbol, f"USD{_X_PERP}", price, contracts, Kind.FUTURE, "USDC", linear, expiry=_X_PERP_DUE)


def options(asset: Asset, start_ns: int, strikes: int) -> Iterator[Instrument]:
    """Paid and quoted in coin."""
    family, name = f"{asset.name}-USD", asset.name
    for one in chain(asset, start_ns, strikes):
        symbol = f"{family}-{one.expiry:%y%m%d}-{one.strike}-{one.right}"
        option: dict[str, Any] = {"expiry": f"{one.expiry:%Y%m%d}", "strike": one.strike, "right": one.right}
        option |= {"settle": name, "contract_size": _OPTIONS[name], "start_price": one.coins}
        yield Instrument(asset, symbol, "USD", _OF_COINS, Lattice(0, 0), Kind.OPTION, **option)


def pays_funding(instrument: Instrument) -> bool:
    """An X-Perp does too, though it is listed as a future."""
    return instrument.kind is Kind.PERPETUAL or _X_PERP in instrument.quote


def family(instrument: Instrument) -> str:
    """One for each way to settle."""
    return f"{instrument.base}-{instrument.quote}"


def underlying(instrument: Instrument) -> str:
    """Also the name of the index."""
    return f"{instrument.base}-{instrument.quote.partition('_')[0]}"


def row(instrument: Instrument) -> dict[str, str]:
    """The instrument as listed: what does not apply is empty."""
    spot, is_option = instrument.kind is Kind.SPOT, instrument.kind is Kind.OPTION
    return {
        "instType": INST_TYPES[instrument.kind],
        "instId": instrument.symbol,
        "uly": "" if spot else underlying(instrument),
        "instFamily": "" if spot else family(instrument),
        "baseCcy": instrument.base if spot else "",
        "quoteCcy": instrument.quote if spot else "",
        "settleCcy": instrument.settle or "",
        "ctVal": "1" if is_option else instrument.contract_size or "",
        "ctMult": "" if spot else instrument.contract_size or "1" if is_option else "1",
        "ctValCcy": "" if spot else instrument.quote if instrument.inverse else instrument.base,
        "ctType": "" if spot or is_option else "inverse" if instrument.inverse else "linear",
        "tickSz": instrument.price.step,
        "lotSz": instrument.size.step,
        "minSz": instrument.size.step,
        "alias": "",
        "category": "1",
        "instCategory": "1" if instrument.asset.asset_class == "crypto" else "3",
        "lever": "" if spot else "100",
        "listTime": _LISTED_MS,
        "expTime": "" if instrument.expiry is None else str(expires_ms(instrument.expiry)),
        "optType": instrument.right or "",
        "stk": "" if instrument.strike is None else str(instrument.strike),
        "ruleType": "normal",
        "state": "live",
    }
