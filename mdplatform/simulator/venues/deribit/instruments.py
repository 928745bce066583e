"""Deribit: what it lists of an asset, and the row of its instrument list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters
from mdplatform.simulator.engine.options import chain

_TICKS = {"BTC": Lattice(1, 1, 5), "ETH": Lattice(2, 2, 5)}  # 0.5 and 0.05
_DOLLARS = {"BTC": Lattice(0, 1, 10), "ETH": Lattice(0, 1)}  # an amount is at least 10 USD of BTC, 1 USD of ETH
_COINS = {"BTC": Lattice(1, 1), "ETH": Lattice(0, 1)}  # the least of an option
_OF_COINS = Lattice(4, 4)  # what it costs
_NEVER_MS = 32503708800000


def lists(asset: Asset, start_ns: int) -> Iterator[Instrument]:
    """A linear perpetual; of BTC and ETH also the inverse one and two quarterly futures."""
    name = asset.name
    price = _TICKS.get(name, Lattice(asset.tick_decimals, asset.tick_decimals))
    if name in _DOLLARS:
        dollars: dict[str, Any] = {"settle": name, "contract_size": "1", "inverse": True}
        yield Instrument(asset, f"{name}-PERPETUAL", "USD", price, _DOLLARS[name], Kind.PERPETUAL, **dollars)
        for day in quarters(start_ns):
            symbol = f"{name}-{day.day}{day:%b%y}".upper()
            dollars["expiry"] = f"{day:%Y%m%d}"
            yield Instrument(asset, symbol, "USD", price, _DOLLARS[name], Kind.FUTURE, **dollars)
    size = Lattice(asset.lot_decimals, max(1, asset.lot_decimals))
    yield Instrument(asset, f"{name}_USDC-PERPETUAL", "USDC", price, size, Kind.PERPETUAL, settle="USDC")


def options(asset: Asset, start_ns: int, strikes: int) -> Iterator[Instrument]:
    """Paid in coin and quoted in coin, by the venue's own word an inverse kind."""
    name = asset.name
    for one in chain(asset, start_ns, strikes):
        symbol = f"{name}-{one.expiry.day}{one.expiry:%b%y}-{one.strike}-{one.right}".upper()
        option: dict[str, Any] = {"expiry": f"{one.expiry:%Y%m%d}", "strike": one.strike, "right": one.right}
        option["start_price"] = one.coins
        yield Instrument(asset, symbol, "USD", _OF_COINS, _COINS[name], Kind.OPTION, name, **option)


def row(instrument: Instrument) -> dict[str, Any]:
    step = float(instrument.size.step)
    if instrument.strike is not None:
        return _option(instrument, step)
    kind = "reversed" if instrument.inverse else "linear"
    return {
        "instrument_name": instrument.symbol,
        "kind": "future",
        "instrument_type": kind,
        "future_type": kind,
        "base_currency": instrument.base,
        "quote_currency": instrument.quote,
        "counter_currency": instrument.quote,
        "settlement_currency": instrument.settle,
        "settlement_period": "month" if instrument.expiry else "perpetual",
        "price_index": f"{instrument.base}_{instrument.quote}".lower(),
        "contract_size": step,
        "min_trade_amount": step,
        "tick_size": float(instrument.price.step),
        "tick_size_steps": [],
        "is_active": True,
        "creation_timestamp": 1534167754000,
        "expiration_timestamp": expires_ms(instrument.expiry) if instrument.expiry else _NEVER_MS,
    }


def _option(instrument: Instrument, step: float) -> dict[str, Any]:
    return {
        "instrument_name": instrument.symbol,
        "kind": "option",
        "instrument_type": "reversed",
        "option_type": "call" if instrument.right == "C" else "put",
        "strike": float(instrument.strike or 0),
        "base_currency": instrument.base,
        "quote_currency": instrument.base,
        "counter_currency": instrument.quote,
        "settlement_currency": instrument.settle,
        "settlement_period": "month",
        "price_index": f"{instrument.base}_{instrument.quote}".lower(),
        "contract_size": 1.0,
        "min_trade_amount": step,
        "tick_size": float(instrument.price.step),
        "tick_size_steps": [],
        "is_active": True,
        "creation_timestamp": 1534167754000,
        "expiration_timestamp": expires_ms(instrument.expiry or ""),
    }
