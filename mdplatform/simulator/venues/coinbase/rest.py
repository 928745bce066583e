"""Coinbase Exchange: the REST calls a market data client needs.

https://docs.cdp.coinbase.com/exchange/reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.engine.market_runner import MarketRunner, Markets
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.protocol.wire import iso

_NOT_FOUND = Answer(404, b'{"message":"NotFound"}')
_BOOK_LEVELS = {"1": 1, "2": 1_000_000}


def respond(markets: Markets, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer `/products`, `/products/{id}`, `/products/{id}/book`, `/products/{id}/trades` and `/time`."""
    parts = path.strip("/").split("/")
    if parts == ["time"]:
        return answer({"iso": iso(now_ns), "epoch": now_ns / 1e9})
    if parts == ["products"]:
        return answer([product(instrument) for instrument in markets.instruments.values()])
    if parts[0] != "products" or len(parts) < 2 or parts[1] not in markets:
        return _NOT_FOUND
    return _about(markets[parts[1]], parts[2:], query, now_ns)


def _about(runner: MarketRunner, what: list[str], query: Mapping[str, str], now_ns: int) -> Answer:
    match what:
        case []:
            return answer(product(runner.market.instrument))
        case ["book"]:
            return _book(runner, query.get("level", "1"), now_ns)
        case ["trades"]:
            return _trades(runner, query)
    return _NOT_FOUND


def product(instrument: Instrument) -> dict[str, Any]:
    return {
        "id": instrument.symbol,
        "base_currency": instrument.base,
        "quote_currency": instrument.quote,
        "quote_increment": instrument.price.step,
        "base_increment": instrument.size.step,
        "display_name": f"{instrument.base}-{instrument.quote}",
        "min_market_funds": "1",
        "margin_enabled": False,
        "post_only": False,
        "limit_only": False,
        "cancel_only": False,
        "status": "online",
        "status_message": "",
        "trading_disabled": False,
        "fx_stablecoin": False,
        "max_slippage_percentage": "0.02000000",
        "auction_mode": False,
        "high_bid_limit_percentage": "",
    }


def _book(runner: MarketRunner, level: str, now_ns: int) -> Answer:
    """Level 2: the whole book, each level with its number of orders (one here)."""
    if level not in _BOOK_LEVELS:
        return Answer(400, b'{"message":"Invalid level"}')
    market, count = runner.market, _BOOK_LEVELS[level]
    price, size = market.instrument.price.text, market.instrument.size.text
    bids, asks = (
        [(price(tick), size(lots), 1) for tick, lots in side.top(count)] for side in (market.bids, market.asks)
    )
    return answer(
        {"bids": bids, "asks": asks, "sequence": market.update_id, "auction_mode": False, "time": iso(now_ns)}
    )


def _trades(runner: MarketRunner, query: Mapping[str, str]) -> Answer:
    """Newest first; `after` pages to older trades, `before` to newer ones, by trade id."""
    instrument = runner.market.instrument
    try:
        limit = min(1000, max(1, int(query.get("limit", 1000))))
        after, before = int(query.get("after", 2**62)), int(query.get("before", 0))
    except ValueError:
        return Answer(400, b'{"message":"Invalid value for pagination"}')
    kept = [trade for trade in reversed(runner.trades) if before < trade.trade_id < after][:limit]
    rows = [
        {
            "trade_id": trade.trade_id,
            "side": trade.maker_side,
            "size": instrument.size.text(trade.lots),
            "price": instrument.price.text(trade.tick),
            "time": iso(trade.ns),
        }
        for trade in kept
    ]
    cursors = (("CB-BEFORE", str(kept[0].trade_id)), ("CB-AFTER", str(kept[-1].trade_id))) if kept else ()
    return answer(rows)._replace(headers=cursors)
