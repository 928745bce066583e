"""Deribit: what it lists, and the calls that it answers alike on a socket and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, expires_ms, quarters
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.venues.deribit.feed import DeribitFeed

_TICKS = {"BTC": Lattice(1, 1, 5), "ETH": Lattice(2, 2, 5)}  # 0.5 and 0.05
_DOLLARS = {"BTC": Lattice(0, 1, 10), "ETH": Lattice(0, 1)}  # an amount is at least 10 USD of BTC, 1 USD of ETH
_NEVER_MS = 32503708800000
_DEPTHS = ("1", "5", "10", "20", "50", "100", "1000", "10000")


class Refused(Exception):
    """A call that is not granted: (code, message)."""


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


def answer(markets: Markets, method: str, params: Mapping[str, Any], now_ns: int) -> Any:
    """The result of a public call; raises Refused."""
    match method:
        case "public/test":
            return {"version": "1.2.26"}
        case "public/get_time":
            return now_ns // 1_000_000
        case "public/get_instruments":
            return _instruments(markets, params)
        case "public/get_order_book":
            return _order_book(_runner(markets, params), str(params.get("depth", "5")), now_ns)
        case "public/get_last_trades_by_instrument":
            return _last_trades(_runner(markets, params), params)
    raise Refused(-32601, "Method not found")


def _instruments(markets: Markets, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    currency, kind = params.get("currency", "any"), params.get("kind", "any")
    if kind not in ("any", "future", "option", "spot", "future_combo", "option_combo"):
        raise Refused(-32602, "Invalid params")
    if kind not in ("any", "future"):
        return []
    return [_row(one) for one in markets.instruments.values() if currency in ("any", one.settle)]


def _row(instrument: Instrument) -> dict[str, Any]:
    step = float(instrument.size.step)
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


def _runner(markets: Markets, params: Mapping[str, Any]) -> MarketRunner:
    name = params.get("instrument_name")
    if not isinstance(name, str) or name not in markets:
        raise Refused(-32602, "Invalid params")
    return markets[name]


def _order_book(runner: MarketRunner, depth: str, now_ns: int) -> dict[str, Any]:
    if depth not in _DEPTHS:
        raise Refused(-32602, "Invalid params")
    market = runner.market
    price, size, mark = market.instrument.price.text, market.instrument.size.text, market.mark(now_ns)
    bids, asks = (
        [(float(price(tick)), float(size(lots))) for tick, lots in side.top(int(depth))]
        for side in (market.bids, market.asks)
    )
    return {
        "instrument_name": market.instrument.symbol,
        "timestamp": now_ns // 1_000_000,
        "change_id": market.update_id,
        "state": "open",
        "mark_price": round(mark.mark_price, 4),
        "index_price": round(mark.index_price, 4),
        "bids": bids,
        "asks": asks,
    }


def _last_trades(runner: MarketRunner, params: Mapping[str, Any]) -> dict[str, Any]:
    try:
        first, last = int(params.get("start_seq", 0)), int(params.get("end_seq", 2**62))
        count = min(1000, max(1, int(params.get("count", 10))))
    except ValueError:
        raise Refused(-32602, "Invalid params") from None
    kept = [trade for trade in runner.trades if first <= trade.trade_id <= last]
    forwards = params.get("sorting") == "asc"
    chosen = kept[:count] if forwards else kept[::-1][:count]
    feed = runner.feed(DeribitFeed)
    rows = [msgspec.Raw(feed.trade(trade).encode()) for trade in chosen]
    return {"trades": rows, "has_more": len(kept) > count}
