"""KuCoin: what it lists of an asset, and the rows of its lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters

SPOT, FUTURES = "spot", "futures"
_CONTRACTS = {"BTC": "0.001", "ETH": "0.01", "SOL": "0.1", "XRP": "10", "DOGE": "100", "LTC": "0.1", "LINK": "0.1"}


def lists(asset: Asset, start_ns: int) -> Iterator[Instrument]:
    """Spot, a linear perpetual, and of Bitcoin an inverse perpetual and a quarterly."""
    price = Lattice(asset.tick_decimals, asset.tick_decimals)
    coins, contracts = Lattice(asset.lot_decimals, asset.lot_decimals), Lattice(0, 0)
    old = "XBT" if asset.name == "BTC" else asset.name
    yield Instrument(asset, f"{asset.name}-USDT", "USDT", price, coins, section=SPOT)
    yield Instrument(
        asset,
        f"{old}USDTM",
        "USDT",
        price,
        contracts,
        Kind.PERPETUAL,
        "USDT",
        _CONTRACTS.get(asset.name, "1"),
        section=FUTURES,
    )
    if asset.name == "BTC":
        inverse = (asset, "XBTUSDM", "USD", price, contracts, Kind.PERPETUAL, "BTC", "1", True)
        yield Instrument(*inverse, section=FUTURES)
        for day in quarters(start_ns, 1):
            letter = "HMUZ"[(day.month - 1) // 3]
            yield Instrument(
                asset,
                f"XBTM{letter}{day:%y}",
                "USD",
                price,
                contracts,
                Kind.FUTURE,
                "BTC",
                "1",
                True,
                f"{day:%Y%m%d}",
                section=FUTURES,
            )


def row(instrument: Instrument) -> dict[str, Any]:
    """The instrument as listed."""
    return _pair(instrument) if instrument.section == SPOT else _contract(instrument)


def _pair(instrument: Instrument) -> dict[str, Any]:
    return {
        "symbol": instrument.symbol,
        "name": instrument.symbol,
        "baseCurrency": instrument.base,
        "quoteCurrency": instrument.quote,
        "market": "USDS",
        "baseMinSize": instrument.size.step,
        "baseIncrement": instrument.size.step,
        "priceIncrement": instrument.price.step,
        "enableTrading": True,
    }


def _contract(instrument: Instrument) -> dict[str, Any]:
    base = _old(instrument.base)
    return {
        "symbol": instrument.symbol,
        "type": "FFWCSX" if instrument.expiry is None else "FFICSX",
        "expireDate": None if instrument.expiry is None else expires_ms(instrument.expiry),
        "baseCurrency": base,
        "quoteCurrency": instrument.quote,
        "settleCurrency": base if instrument.inverse else instrument.quote,
        "lotSize": 1,
        "tickSize": float(instrument.price.step),
        "multiplier": -1.0 if instrument.inverse else float(instrument.contract_size or 1),
        "isInverse": instrument.inverse,
        "status": "Open",
    }


def _old(name: str) -> str:
    return "XBT" if name == "BTC" else name
