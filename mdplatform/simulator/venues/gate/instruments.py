"""Gate: what it lists of an asset in each section, and the rows of its lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters

SPOT, USDT, BTC, USD1 = "spot", "futures/usdt", "futures/btc", "futures/usd1"  # as in the paths of its REST calls
DELIVERY = "delivery/usdt"
_CONTRACTS = {"BTC": "0.0001", "ETH": "0.01", "BNB": "0.001", "BCH": "0.01", "LTC": "0.1", "XRP": "10", "DOGE": "10"}
_PARTS = {"ETH", "SOL", "XRP"}  # assets of whose contracts parts are traded
_TICKS = {"BTC": 1}  # decimals of a contract's price, where they are not those of spot


def lists(asset: Asset, start_ns: int) -> Iterator[Instrument]:
    """Spot, a linear perpetual, a quarterly future, and of Bitcoin an inverse perpetual and one in USD1."""
    decimals = _TICKS.get(asset.name, asset.tick_decimals)
    coins, price = Lattice(asset.tick_decimals, asset.tick_decimals), Lattice(decimals, decimals)
    lots, whole = Lattice(asset.lot_decimals, asset.lot_decimals), Lattice(0, 0)
    parts = Lattice(1, 1) if asset.name in _PARTS else whole
    name, size = f"{asset.name}_USDT", _CONTRACTS.get(asset.name, "1")
    yield Instrument(asset, name, "USDT", coins, lots, section=SPOT)
    yield Instrument(asset, name, "USDT", price, parts, Kind.PERPETUAL, "USDT", size, section=USDT)
    for day in quarters(start_ns, 1):
        expiry = f"{day:%Y%m%d}"
        yield Instrument(
            asset, f"{name}_{expiry}", "USDT", price, whole, Kind.FUTURE, "USDT", size, False, expiry, section=DELIVERY
        )
    if asset.name == "BTC":
        yield Instrument(asset, "BTC_USD1", "USD1", price, whole, Kind.PERPETUAL, "USD1", size, section=USD1)
        yield Instrument(asset, "BTC_USD", "USD", price, whole, Kind.PERPETUAL, "BTC", "1", True, section=BTC)


def row(instrument: Instrument) -> dict[str, Any]:
    """The instrument as listed."""
    return _pair(instrument) if instrument.section == SPOT else _contract(instrument)


def _pair(instrument: Instrument) -> dict[str, Any]:
    return {
        "id": instrument.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "fee": "0.2",
        "min_quote_amount": "3",
        "amount_precision": instrument.size.decimals,
        "precision": instrument.price.decimals,
        "trade_status": "tradable",
    }


def _contract(instrument: Instrument) -> dict[str, Any]:
    in_parts = instrument.size.decimals > 0
    listed = {
        "name": instrument.symbol,
        "type": "inverse" if instrument.inverse else "direct",
        "quanto_multiplier": "0" if instrument.inverse else instrument.contract_size,
        "order_price_round": instrument.price.step,
        "order_size_min": 0 if in_parts else 1,
        "enable_decimal": in_parts,
        "in_delisting": False,
        "status": "trading",
    }
    if instrument.expiry is None:
        return {**listed, "funding_interval": 3600 * instrument.funding_hours}
    underlying = f"{instrument.base}_{instrument.quote}"
    return {**listed, "underlying": underlying, "expire_time": expires_ms(instrument.expiry) // 1000}
