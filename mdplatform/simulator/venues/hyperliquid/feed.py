"""Hyperliquid: what the channels of one coin publish.

Cadences are those that others measured in 2026-09: books every 5.4 s (documented: 0.5 s), fast ones every 0.54 s, the
best levels by block.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Event, Quote, Trade
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.ladder import Ladder
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.protocol.exchange import SECOND

VENUE = "hyperliquid"
BLOCK_NS = SECOND // 10
BOOK_NS = 54 * BLOCK_NS
FAST_NS = 5 * BLOCK_NS
CONTEXT_NS = SECOND
LEVELS = 20
FAST_LEVELS = 5
FAST = "l2Book.fast"  # what the books of the subscription with ``fast`` are called here


class HyperliquidFeed(Feed):
    """The channels of one coin."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._unpublished: list[Trade] = []
        self._quoted = False

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Trade):
            self._unpublished.append(event)
        elif isinstance(event, Quote):
            self._quoted = True
        return iter(())

    def edge(self, ns: int) -> Iterator[Frame]:
        if ns % BLOCK_NS:
            return
        trades, self._unpublished = self._unpublished, []
        quoted, self._quoted = self._quoted, False
        if trades:
            yield from self._to(ns, "trades", lambda: self.trades(trades))
        if quoted:
            yield from self._to(ns, "bbo", lambda: self.bbo(ns))
        if self.due(ns, BOOK_NS):
            yield from self._to(ns, "l2Book", lambda: self.book(ns))
        if ns % FAST_NS == 0:
            yield from self._to(ns, FAST, lambda: self.fast_book(ns))
        if ns % CONTEXT_NS == 0:
            yield from self._to(ns, "activeAssetCtx", lambda: self.context(ns))

    def book(self, ns: int, levels: int = LEVELS) -> dict[str, Any]:
        sides = [self._levels(side, levels) for side in (self.market.bids, self.market.asks)]
        return {"coin": self.symbol, "time": ns // 1_000_000, "levels": sides}

    def fast_book(self, ns: int) -> dict[str, Any]:
        return self.book(ns, FAST_LEVELS) | {"fast": True}

    def bbo(self, ns: int) -> dict[str, Any]:
        best = [next(iter(self._levels(side, 1)), None) for side in (self.market.bids, self.market.asks)]
        return {"coin": self.symbol, "time": ns // 1_000_000, "bbo": best}

    def trades(self, trades: Iterable[Trade]) -> list[dict[str, Any]]:
        return [
            {
                "coin": self.symbol,
                "side": "B" if one.taker_buys else "A",
                "px": self.price(one.tick),
                "sz": self.size(one.lots),
                "hash": f"0x{one.order_id:064x}",
                "time": one.ns // 1_000_000,
                "tid": tid(one.trade_id),
                "users": [f"0x{side:040x}" for side in (1, 2)],
            }
            for one in trades
        ]

    def context(self, ns: int) -> dict[str, Any]:
        mark, places = self.market.mark(ns), self.instrument.price.decimals + 1
        middle = (self.market.bids.best + self.market.asks.best) / 2
        ctx = {
            "funding": f"{mark.funding_rate:.10f}",
            "openInterest": self.size(2 * self.market.open_lots),
            "prevDayPx": self.price(self.instrument.start_tick),
            "dayNtlVlm": "1000000.0",
            "premium": f"{mark.mark_price / mark.index_price - 1:.8f}",
            "oraclePx": f"{mark.index_price:.{places}f}",
            "markPx": f"{mark.mark_price:.{places}f}",
            "midPx": f"{self.instrument.price.value(middle):.{places}f}",
            "impactPxs": [self.price(side.best) for side in (self.market.bids, self.market.asks)],
            "dayBaseVlm": self.size(int(self.instrument.order_lots) * 20_000),
        }
        return {"coin": self.symbol, "ctx": ctx}

    def _levels(self, side: Ladder, count: int) -> list[dict[str, Any]]:
        return [{"px": self.price(tick), "sz": self.size(lots), "n": 1} for tick, lots in side.top(count)]

    def _to(self, ns: int, channel: str, data: Callable[[], object]) -> Iterator[Frame]:
        topic = self.topic(channel)
        if topic in self.wanted:
            name = answers_on(channel, self.market)
            yield Frame(VENUE, topic, self.symbol, channel.partition(".")[0], message(name, data()), ns)


def tid(trade_id: int) -> int:
    """50 bits that are unique and not in order."""
    return trade_id * 0x9E3779B97F4A7C15 % 2**50


def message(channel: str, data: object) -> bytes:
    return msgspec.json.encode({"channel": channel, "data": data})


def answers_on(kind: str, market: Market) -> str:
    """The venue's channel on which data of this one come."""
    if kind == FAST:
        return "l2Book"
    is_spot = market.instrument.kind is Kind.SPOT
    return "activeSpotAssetCtx" if is_spot and kind == "activeAssetCtx" else kind
