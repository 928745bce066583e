"""Kraken futures: what the feeds of one product publish."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Trade
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.kraken.spot_feed import VENUE

_TICKER_NS = 1_000_000_000
_MS = 1_000_000
LATEST = 100  # trades that a subscription begins with


class FuturesFeed(Feed):
    """One product. A book message is one level, numbered by product."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._price, self._size = market.instrument.price.text, market.instrument.size.text

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            yield from self._to(event.ns, "book", self._delta, event)
        elif isinstance(event, Trade):
            yield from self._to(event.ns, "trade", self.trade, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        if ns % _TICKER_NS == 0:
            yield from self._to(ns, "ticker", self._ticker, None)

    def snapshot(self, ns: int) -> Frame:
        bids, asks = (self._levels(side.top(len(side))) for side in (self.market.bids, self.market.asks))
        text = (
            f'{{"feed":"book_snapshot","product_id":"{self.symbol}","timestamp":{ns // _MS},'
            f'"seq":{self.market.update_id},"tickSize":null,"bids":[{bids}],"asks":[{asks}]}}'
        )
        return self.frame(f"book:{self.symbol}", "book", text.encode(), ns)

    def latest(self, trades: Iterable[Trade], ns: int) -> Frame:
        rows = ",".join([self.trade(trade, ns) for trade in trades][::-1])
        text = f'{{"feed":"trade_snapshot","product_id":"{self.symbol}","trades":[{rows}]}}'
        return self.frame(f"trade:{self.symbol}", "trade", text.encode(), ns)

    def trade(self, trade: Trade, ns: int) -> str:
        return (
            f'{{"feed":"trade","product_id":"{self.symbol}","uid":"{trade.trade_id:032x}",'
            f'"side":"{trade.taker_side}","type":"{"liquidation" if trade.forced else "fill"}",'
            f'"seq":{trade.trade_id},"time":{trade.ns // _MS},"qty":{self._size(trade.lots)},'
            f'"price":{self._price(trade.tick)}}}'
        )

    def _delta(self, change: Change, ns: int) -> str:
        return (
            f'{{"feed":"book","product_id":"{self.symbol}","side":"{"buy" if change.is_bid else "sell"}",'
            f'"seq":{change.update_id},"price":{self._price(change.tick)},"qty":{self._size(change.lots)},'
            f'"timestamp":{ns // _MS}}}'
        )

    def _ticker(self, _: None, ns: int) -> str:
        mark, quote, is_perpetual = self.market.mark(ns), self.market.quote(ns), self._is_perpetual
        funding = (
            f'"relative_funding_rate":{mark.funding_rate:.12f},"next_funding_rate_time":{mark.next_funding_ns // _MS},'
            if is_perpetual
            else ""
        )
        return (
            f'{{"feed":"ticker","time":{ns // _MS},"product_id":"{self.symbol}",{funding}'
            f'"bid":{self._price(quote.bid)},"bid_size":{self._size(quote.bid_lots)},'
            f'"ask":{self._price(quote.ask)},"ask_size":{self._size(quote.ask_lots)},'
            f'"index":{mark.index_price:.6f},"markPrice":{mark.mark_price:.6f},'
            f'"tag":"{"perpetual" if is_perpetual else "quarter"}"}}'
        )

    @property
    def _is_perpetual(self) -> bool:
        return self.market.instrument.kind is Kind.PERPETUAL

    def _levels(self, levels: Iterable[tuple[int, int]]) -> str:
        return ",".join([f'{{"price":{self._price(tick)},"qty":{self._size(lots)}}}' for tick, lots in levels])

    def _to(self, ns: int, channel: str, write: Callable[[Any, int], str], subject: Any) -> Iterator[Frame]:
        topic = f"{channel}:{self.symbol}"
        if topic in self.wanted:
            yield self.frame(topic, channel, write(subject, ns).encode(), ns)
