"""Touches, trades and books for the tests of detectors; times in s after START_MS."""

from __future__ import annotations

from mdplatform.core.events import Side
from mdplatform.core.messages import BookMessage, TradeMessage
from mdplatform.signals.touch import Source, Touch
from mdplatform_tests.signals.books import START_MS

START_NS = START_MS * 1_000_000


def ns(at_s: float) -> int:
    return START_NS + round(at_s * 1e9)


def touch(
    bid: float,
    ask: float,
    at_s: float = 0,
    sequence: int = 1,
    symbol: str = "BTC-USDT",
    exchange: str = "binance",
    sizes: tuple[float, float] = (1.0, 1.0),
    source: Source = "book",
    continues: bool = True,
) -> Touch:
    return Touch(exchange, symbol, source, bid, sizes[0], ask, sizes[1], sequence, ns(at_s), ns(at_s), continues)


def around(mid: float, at_s: float = 0, sequence: int = 1, symbol: str = "BTC-USDT") -> Touch:
    """A touch half a unit to either side of ``mid``."""
    return touch(mid - 0.5, mid + 0.5, at_s, sequence, symbol)


def trade(
    qty: float,
    at_s: float,
    trade_id: str = "1",
    exchange: str = "binance",
    symbol: str = "BTC-USDT",
    side: Side = "buy",
    provenance: str = "live",
) -> TradeMessage:
    return TradeMessage(exchange, symbol, trade_id, 100.0, qty, side, ns(at_s) // 10**6, ns(at_s), ns(at_s), provenance)


def book(bids: list[float], asks: list[float], at_s: float) -> BookMessage:
    """Sizes of the levels below and above 100."""
    prices = [100.0 - n for n in range(len(bids))], [101.0 + n for n in range(len(asks))]
    return BookMessage(
        "binance", "BTC-USDT", prices[0], bids, prices[1], asks, ns(at_s) // 10**6, 1, None, ns(at_s), ns(at_s)
    )
