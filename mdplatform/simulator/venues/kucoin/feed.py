"""KuCoin: what the topics of one symbol publish. Diffs of futures hold one change, those of spot what 50 ms brought."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

from mdplatform.simulator.engine.events import Change, Event, Quote, Trade
from mdplatform.simulator.engine.feed import MS, Batch, Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.kucoin.instruments import SPOT

VENUE = "kucoin"
PUBLISH_NS = 50_000_000
_WHOLE_NS = 100_000_000
_MARK_NS = 1_000_000_000
_RATE_NS = 60_000_000_000
UTA_LEVELS = 500
_TRADE_STEP = 16  # spot trade ids rise, but not by one

TOPICS = {
    SPOT: {
        "level2": "/market/level2",
        "match": "/market/match",
        "best": "/spotMarket/level1",
        "whole": "/spotMarket/level2Depth50",
    },
    "futures": {
        "level2": "/contractMarket/level2",
        "match": "/contractMarket/execution",
        "best": "/contractMarket/tickerV2",
        "whole": "/contractMarket/level2Depth50",
        "state": "/contract/instrument",
    },
}


class KucoinFeed(Feed):
    """One instrument."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._is_spot = self.instrument.section == SPOT
        self._topics = {name: f"{topic}:{self.symbol}" for name, topic in TOPICS[self.instrument.section].items()}
        self._batch = Batch()
        self._uta = f"obu/{self.instrument.section}:{self.symbol}"
        self._since = Batch()  # what changed since the last delta of the UTA socket

    def level(self, price: str, size: str) -> str:
        """Sizes are numbers where they are contracts."""
        return super().level(price, size) if self._is_spot else f'["{price}",{size}]'

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                self._since.add(event)
                if self._is_spot:
                    self._batch.add(event)
                else:
                    yield from self._to(event.ns, "level2", "level2", self._change, event)
            case Trade():
                subject = "trade.l3match" if self._is_spot else "match"
                yield from self._to(event.ns, "match", subject, self._match, event)
            case Quote():
                subject = "level1" if self._is_spot else "tickerV2"
                yield from self._to(event.ns, "best", subject, self._best, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        if self._batch:
            batch, self._batch = self._batch, Batch()
            yield from self._to(ns, "level2", "trade.l2update", self._diff, batch)
        if self._uta in self.wanted:
            yield from self.pending(ns)
        if ns % _WHOLE_NS == 0:
            yield from self._to(ns, "whole", "level2", self._whole, None)
        if not self._is_spot and ns % _MARK_NS == 0:
            yield from self._to(ns, "state", "mark.index.price", self._mark, None)
            if ns % _RATE_NS == 0:
                yield from self._to(ns, "state", "funding.rate", self.rate, None)

    # --- books of the UTA socket, which are pushed every 10 ms; time moves by 50 here

    def uta_snapshot(self, ns: int) -> Frame:
        """The best 500 levels, which the next delta goes on from."""
        self._since = Batch()
        asks, bids = (dict(side.top(UTA_LEVELS)) for side in (self.market.asks, self.market.bids))
        last = self.market.update_id
        return self._push("snapshot", last, last, bids, asks, ns)

    def pending(self, ns: int) -> Iterator[Frame]:
        """What changed since the last delta."""
        if self._since:
            batch, self._since = self._since, Batch()
            yield self._push("delta", batch.first, batch.last, batch.bids, batch.asks, ns)

    def _push(self, kind: str, first: int, last: int, bids: dict[int, int], asks: dict[int, int], ns: int) -> Frame:
        a, b = (
            ",".join([f'["{self.price(tick)}","{self.size(lots) if lots else 0}"]' for tick, lots in side.items()])
            for side in (asks, bids)
        )
        trade_type = self.instrument.section.upper()
        body = (
            f'{{"T":"obu.{trade_type}","dp":"increment@10ms","t":"{kind}","P":{ns},'
            f'"d":{{"s":"{self.symbol}","O":{first},"C":{last},"M":{ns},"a":[{a}],"b":[{b}]}}}}'
        )
        return self.frame_on(self._uta, "obu", body, ns)

    def _quantity(self, lots: int) -> str:
        """Sizes are numbers where they are contracts."""
        return f'"{self.size(lots)}"' if self._is_spot else self.size(lots)

    def rate(self, _: None, ns: int) -> str:
        return f'{{"granularity":60000,"fundingRate":{self.market.mark(ns).funding_rate:.8f},"timestamp":{ns // MS}}}'

    def rest_trade(self, trade: Trade) -> str:
        """The trade as REST lists it."""
        side = trade.taker_side
        price, size = self.price(trade.tick), self._quantity(trade.lots)
        if self._is_spot:
            number = trade.trade_id * _TRADE_STEP
            return f'{{"sequence":"{number}","price":"{price}","size":{size},"side":"{side}","time":{trade.ns}}}'
        return (
            f'{{"sequence":{trade.update_id},"tradeId":"{trade.trade_id}","side":"{side}","size":{size},'
            f'"price":"{price}","ts":{trade.ns}}}'
        )

    def _diff(self, batch: Batch, ns: int) -> str:
        asks, bids = (
            ",".join(
                [f'["{self.price(tick)}","{self.size(lots) if lots else 0}","{batch.last}"]' for tick, lots in side]
            )
            for side in (batch.asks.items(), batch.bids.items())
        )
        return (
            f'{{"changes":{{"asks":[{asks}],"bids":[{bids}]}},"sequenceStart":{batch.first},'
            f'"sequenceEnd":{batch.last},"symbol":"{self.symbol}","time":{ns // MS}}}'
        )

    def _change(self, change: Change, ns: int) -> str:
        side = "buy" if change.is_bid else "sell"
        text = f"{self.price(change.tick)},{side},{self.size(change.lots)}"
        return f'{{"sequence":{change.update_id},"change":"{text}","timestamp":{ns // MS}}}'

    def _match(self, trade: Trade, ns: int) -> str:
        head = f'{{"symbol":"{self.symbol}","side":"{trade.taker_side}",'
        priced = f'"size":{self._quantity(trade.lots)},"price":"{self.price(trade.tick)}",'
        orders = f'"makerOrderId":"{trade.update_id:024x}","takerOrderId":"{trade.order_id:024x}",'
        if self._is_spot:
            number = trade.trade_id * _TRADE_STEP
            return f'{head}{priced}{orders}"tradeId":"{number}","sequence":"{number}","time":"{ns}","type":"match"}}'
        return f'{head}{priced}{orders}"tradeId":"{trade.trade_id}","sequence":{trade.update_id},"ts":{ns}}}'

    def _best(self, quote: Quote, ns: int) -> str:
        bid, ask = self.price(quote.bid), self.price(quote.ask)
        bid_size, ask_size = self._quantity(quote.bid_lots), self._quantity(quote.ask_lots)
        if self._is_spot:
            return f'{{"asks":["{ask}",{ask_size}],"bids":["{bid}",{bid_size}],"timestamp":{ns // MS}}}'
        return (
            f'{{"symbol":"{self.symbol}","sequence":{quote.update_id},"bestBidSize":{bid_size},"bestBidPrice":"{bid}",'
            f'"bestAskPrice":"{ask}","bestAskSize":{ask_size},"ts":{ns}}}'
        )

    def _whole(self, _: None, ns: int) -> str:
        bids, asks = self.top(50)
        number = "" if self._is_spot else f'"sequence":{self.market.update_id},'
        return f'{{"asks":[{asks}],"bids":[{bids}],{number}"timestamp":{ns // MS}}}'

    def _mark(self, _: None, ns: int) -> str:
        mark = self.market.mark(ns)
        prices = f'"markPrice":{mark.mark_price:.6f},"indexPrice":{mark.index_price:.6f}'
        return f'{{{prices},"granularity":1000,"timestamp":{ns // MS}}}'

    def topic(self, channel: str) -> str:
        return self._topics[channel]

    def _to(self, ns: int, channel: str, subject: str, write: Callable[[Any, int], str], about: Any) -> Iterator[Frame]:
        """The frame, if somebody subscribes to the topic."""
        topic = self._topics[channel]
        if topic in self.wanted:
            text = f'{{"topic":"{topic}","type":"message","subject":"{subject}","data":{write(about, ns)}}}'
            yield self.frame(channel, text, ns)
