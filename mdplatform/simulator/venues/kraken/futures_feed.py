"""Kraken futures: what the feeds of one product publish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Trade
from mdplatform.simulator.engine.feed import MS, Feed, Frame
from mdplatform.simulator.venues.kraken.spot_feed import VENUE

_TICKER_NS = 1_000_000_000
LATEST = 100  # trades that a subscription begins with


class FuturesFeed(Feed):
    """One product. A book message is one level, numbered by product."""

    venue = VENUE

    def level(self, price: str, size: str) -> str:
        return f'{{"price":{price},"qty":{size}}}'

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            yield from self.to(event.ns, "book", self._delta, event)
        elif isinstance(event, Trade):
            yield from self.to(event.ns, "trade", self._trade, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        if ns % _TICKER_NS == 0:
            yield from self.to(ns, "ticker", self._ticker)

    def snapshot(self, ns: int) -> Frame:
        bids, asks = self.top()
        text = (
            f'{{"feed":"book_snapshot","product_id":"{self.symbol}","timestamp":{ns // MS},'
            f'"seq":{self.market.update_id},"tickSize":null,"bids":[{bids}],"asks":[{asks}]}}'
        )
        return self.frame("book", text, ns)

    def latest(self, trades: Iterable[Trade], ns: int) -> Frame:
        """Newest first."""
        rows = ",".join([self._trade(trade, ns) for trade in trades])
        text = f'{{"feed":"trade_snapshot","product_id":"{self.symbol}","trades":[{rows}]}}'
        return self.frame("trade", text, ns)

    def _trade(self, trade: Trade, ns: int) -> str:
        return (
            f'{{"feed":"trade","product_id":"{self.symbol}","uid":"{trade.trade_id:032x}",'
            f'"side":"{trade.taker_side}","type":"{"liquidation" if trade.forced else "fill"}",'
            f'"seq":{trade.trade_id},"time":{trade.ns // MS},"qty":{self.size(trade.lots)},'
            f'"price":{self.price(trade.tick)}}}'
        )

    def _delta(self, change: Change, ns: int) -> str:
        return (
            f'{{"feed":"book","product_id":"{self.symbol}","side":"{"buy" if change.is_bid else "sell"}",'
            f'"seq":{change.update_id},"price":{self.price(change.tick)},"qty":{self.size(change.lots)},'
            f'"timestamp":{ns // MS}}}'
        )

    def _ticker(self, _: None, ns: int) -> str:
        mark, quote, is_perpetual = self.market.mark(ns), self.market.quote(ns), self._is_perpetual
        funding = (
            f'"relative_funding_rate":{mark.funding_rate:.12f},"next_funding_rate_time":{mark.next_funding_ns // MS},'
            f'"relative_funding_rate_prediction":{mark.predicted_rate:.12f},'
            if is_perpetual
            else ""
        )
        return (
            f'{{"feed":"ticker","time":{ns // MS},"product_id":"{self.symbol}",{funding}'
            f'"bid":{self.price(quote.bid)},"bid_size":{self.size(quote.bid_lots)},'
            f'"ask":{self.price(quote.ask)},"ask_size":{self.size(quote.ask_lots)},'
            f'"openInterest":{self.size(self.market.open_lots)},'
            f'"index":{mark.index_price:.6f},"markPrice":{mark.mark_price:.6f},'
            f'"tag":"{"perpetual" if is_perpetual else "quarter"}"}}'
        )

    @property
    def _is_perpetual(self) -> bool:
        return self.instrument.kind is Kind.PERPETUAL
