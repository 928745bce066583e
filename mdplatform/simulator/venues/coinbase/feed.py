"""Coinbase: what the channels of one product publish, by both protocols."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from random import Random
from uuid import UUID

from mdplatform.simulator.engine.events import Change, Event, Quote, Trade
from mdplatform.simulator.engine.feed import Batch, Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.protocol.exchange import SECOND
from mdplatform.simulator.protocol.wire import iso

VENUE, ADVANCED = "coinbase", "coinbase-advanced"
MARK = "@"  # starts the topics of this protocol: the address of Exchange speaks both
PUBLISH_NS = 50_000_000
_TRADES_NS = 250_000_000


class CoinbaseFeed(Feed):
    """The channels of one product."""

    def __init__(self, market: Market, wanted: Container[str], venue: str = VENUE) -> None:
        super().__init__(market, wanted)
        self.venue = venue  # whose address it is published at
        self._batch = Batch()
        self._quote = market.quote(0)
        self._orders = Random(f"orders/{self.symbol}")

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            self._batch.add(event)
        elif isinstance(event, Trade):
            yield from self.to(event.ns, "matches", self._match, event)
            yield from self.to(event.ns, "ticker", self._ticker, event)
        elif isinstance(event, Quote):
            self._quote = event

    def edge(self, ns: int) -> Iterator[Frame]:
        if self._batch:
            batch, self._batch = self._batch, Batch()
            yield from self.to(ns, "level2_50", self._update, batch)
        if ns % SECOND == 0:
            yield from self.to(ns, "heartbeat", self._heartbeat)

    def snapshot(self, ns: int) -> Frame:
        """The whole book, as sent once to who subscribes."""
        bids, asks = self.top()
        body = f'{{"type":"snapshot","product_id":"{self.symbol}","asks":[{asks}],"bids":[{bids}],"time":"{iso(ns)}"}}'
        return self.frame("level2_50", body, ns)

    def last(self, channel: str, trade: Trade) -> Frame:
        """The latest trade, again, for who subscribes."""
        if channel == "ticker":
            body = self._ticker(trade, trade.ns)
        else:
            body = self._match(trade, trade.ns).replace('"match"', '"last_match"', 1)
        return self.frame(channel, body, trade.ns)

    def _match(self, trade: Trade, ns: int) -> str:
        maker, taker = (UUID(int=self._orders.getrandbits(128), version=4) for _ in range(2))
        return (
            f'{{"type":"match","trade_id":{trade.trade_id},"maker_order_id":"{maker}","taker_order_id":"{taker}",'
            f'"side":"{trade.maker_side}","size":"{self.size(trade.lots)}","price":"{self.price(trade.tick)}",'
            f'"product_id":"{self.symbol}","sequence":{trade.update_id},"time":"{iso(trade.ns)}"}}'
        )

    def _ticker(self, trade: Trade, ns: int) -> str:
        market, price, size, quote = self.market, self.price, self.size, self._quote
        start, volume = price(market.instrument.start_tick), size(int(market.instrument.order_lots) * 20_000)
        side = trade.taker_side  # the taker's here
        return (
            f'{{"type":"ticker","sequence":{trade.update_id},"product_id":"{self.symbol}","price":"{price(trade.tick)}",'
            f'"open_24h":"{start}","volume_24h":"{volume}","low_24h":"{start}","high_24h":"{start}",'
            f'"volume_30d":"{volume}","best_bid":"{price(quote.bid)}","best_bid_size":"{size(quote.bid_lots)}",'
            f'"best_ask":"{price(quote.ask)}","best_ask_size":"{size(quote.ask_lots)}","side":"{side}",'
            f'"time":"{iso(trade.ns)}","trade_id":{trade.trade_id},"last_size":"{size(trade.lots)}"}}'
        )

    def _update(self, batch: Batch, ns: int) -> str:
        price, size = self.price, self.size
        changes = [f'["buy","{price(tick)}","{size(lots)}"]' for tick, lots in batch.bids.items()]
        changes += [f'["sell","{price(tick)}","{size(lots)}"]' for tick, lots in batch.asks.items()]
        return f'{{"type":"l2update","product_id":"{self.symbol}","changes":[{",".join(changes)}],"time":"{iso(ns)}"}}'

    def _heartbeat(self, _: None, ns: int) -> str:
        market = self.market
        return (
            f'{{"type":"heartbeat","last_trade_id":{market.trade_id},"product_id":"{self.symbol}",'
            f'"sequence":{market.update_id},"time":"{iso(ns)}"}}'
        )


class AdvancedFeed(Feed):
    """The channels of one product. Bodies are the `events` array; the connection writes the envelope around it."""

    venue = ADVANCED

    def __init__(self, market: Market, wanted: Container[str], venue: str = ADVANCED) -> None:
        super().__init__(market, wanted)
        self.venue = venue  # whose address it is published at
        self._batch = Batch()
        self._trades: list[Trade] = []
        self._quote = market.quote(0)

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            self._batch.add(event)
        elif isinstance(event, Trade):
            self._trades.append(event)
            if self.topic("ticker") in self.wanted:
                yield self.ticker("update", event.ns, event)
        elif isinstance(event, Quote):
            self._quote = event

    def edge(self, ns: int) -> Iterator[Frame]:
        if self._batch:
            batch, self._batch = self._batch, Batch()
            if self.topic("level2") in self.wanted:
                yield self._level2("update", ns, batch.bids.items(), batch.asks.items())
        if self._trades and ns % _TRADES_NS == 0:
            trades, self._trades = self._trades, []
            if self.topic("market_trades") in self.wanted:
                yield self.trades("update", ns, trades)

    def topic(self, channel: str) -> str:
        return f"{MARK}{channel}:{self.symbol}"

    def snapshot(self, ns: int) -> Frame:
        bids, asks = self.market.bids, self.market.asks
        return self._level2("snapshot", ns, bids.top(len(bids)), asks.top(len(asks)))

    def trades(self, kind: str, ns: int, trades: list[Trade]) -> Frame:
        """A batch, newest first."""
        rows = ",".join(
            f'{{"product_id":"{self.symbol}","trade_id":"{trade.trade_id}","price":"{self.price(trade.tick)}",'
            f'"size":"{self.size(trade.lots)}","time":"{iso(trade.ns)}","side":"{trade.maker_side.upper()}"}}'
            for trade in reversed(trades)
        )
        return self.frame("market_trades", f'[{{"type":"{kind}","trades":[{rows}]}}]', ns)

    def ticker(self, kind: str, ns: int, trade: Trade) -> Frame:
        quote, price, size = self._quote, self.price, self.size
        start, volume = price(self.market.instrument.start_tick), size(int(self.market.instrument.order_lots) * 20_000)
        row = (
            f'{{"type":"ticker","product_id":"{self.symbol}","price":"{price(trade.tick)}","volume_24_h":"{volume}",'
            f'"low_24_h":"{start}","high_24_h":"{start}","low_52_w":"{start}","high_52_w":"{start}",'
            f'"price_percent_chg_24_h":"0","best_bid":"{price(quote.bid)}","best_bid_quantity":"{size(quote.bid_lots)}",'
            f'"best_ask":"{price(quote.ask)}","best_ask_quantity":"{size(quote.ask_lots)}"}}'
        )
        return self.frame("ticker", f'[{{"type":"{kind}","tickers":[{row}]}}]', ns)

    def _level2(self, kind: str, ns: int, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> Frame:
        price, size, time = self.price, self.size, iso(ns)
        updates = ",".join(
            f'{{"side":"{side}","event_time":"{time}","price_level":"{price(tick)}","new_quantity":"{size(lots)}"}}'
            for side, levels in (("bid", bids), ("offer", asks))
            for tick, lots in levels
        )
        events = f'[{{"type":"{kind}","product_id":"{self.symbol}","updates":[{updates}]}}]'
        return self.frame("level2", events, ns)


class CoinbaseFeeds(Feed):
    """What both protocols publish of one product."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self.exchange = CoinbaseFeed(market, wanted, self.venue)
        self.advanced = AdvancedFeed(market, wanted, self.venue)

    def event(self, event: Event) -> Iterator[Frame]:
        yield from self.exchange.event(event)
        yield from self.advanced.event(event)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self.exchange.edge(ns)
        yield from self.advanced.edge(ns)


class AdvancedFeeds(CoinbaseFeeds):
    """The same at the address of Advanced Trade."""

    venue = ADVANCED
