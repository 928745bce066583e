"""OKX: what the channels of one instrument publish."""

from __future__ import annotations

from collections.abc import Container, Iterator

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Event, Liquidation, Quote, Trade
from mdplatform.simulator.engine.feed import MS, Feed, Fills, Frame, PublishedBook, Sides
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.okx.instruments import INST_TYPES, family, pays_funding, underlying

VENUE = "okx"
PUBLISH_NS = 100_000_000
LEVELS = 400
_MARK_NS = 200_000_000
_OPEN_NS = 3_000_000_000
_VALUED_NS = 1_000_000_000
_RATE_NS = 60_000_000_000
_QUIET_NS = 60_000_000_000  # after so long without a change a book says that there was none


class OkxFeed(Feed):
    """One instrument. Books hold the best 400 levels: what falls behind them is deleted, what comes up is published."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._type = INST_TYPES[self.instrument.kind]
        self._family, self._underlying = family(self.instrument), underlying(self.instrument)
        self._pays_funding = pays_funding(self.instrument)
        self._fills = Fills()
        self.book = PublishedBook(market, LEVELS)
        self._published_ns = 0

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Trade():
                yield from self._grouped(event)
                yield from self.to(event.ns, "trades-all", self._match, event)
            case Quote():
                yield from self.to(event.ns, "bbo-tbt", self._best, event)
            case Liquidation():
                yield from self.to(event.ns, "liquidation-orders", self.forced, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self._grouped(None)
        if ns % PUBLISH_NS == 0:
            yield from self._books(ns)
            yield from self.to(ns, "books5", self._five)
        if ns % (PUBLISH_NS if self.market.option is None else _VALUED_NS) == 0:
            yield from self.to(ns, "tickers", self._ticker)
        if self.instrument.kind is not Kind.SPOT:
            yield from self._prices(ns)

    def topic(self, channel: str) -> str:
        return f"{channel}:{self._about(channel)[1]}"

    def level(self, price: str, size: str) -> str:
        """The last number is that of the orders, one a level here."""
        return f'["{price}","{size}","0","{0 if size == "0" else 1}"]'

    def envelope(self, channel: str, text: str, ns: int) -> str:
        return self._push(channel, f'"data":[{text}]')

    def current(self, channel: str, ns: int) -> Frame:
        """The state, with which a subscription starts."""
        match channel:
            case "books":
                return self._book("snapshot", self.book.sides, -1, ns)
            case "bbo-tbt":
                text = self._best(self.market.quote(ns), ns)
            case "funding-rate":
                text = self._rate(None, ns)
            case "mark-price":
                text = self._mark(None, ns)
            case "open-interest":
                text = self._open(None, ns)
            case "tickers":
                text = self._ticker(None, ns)
            case _:
                text = self._index(None, ns)
        return self.frame(channel, text, ns)

    # --- the book

    def _books(self, ns: int) -> Iterator[Frame]:
        if self.topic("books") not in self.wanted:
            return
        changed = self.book.advance()
        if changed is not None:
            self._published_ns = ns
            yield self._book("update", changed, self.book.previous_id, ns)
        elif ns - self._published_ns >= _QUIET_NS:
            self._published_ns = ns
            yield self._book("update", ({}, {}), self.book.last_id, ns)

    def _book(self, action: str, sides: Sides, previous_id: int, ns: int) -> Frame:
        bids, asks = self.sides(*(side.items() for side in sides))
        row = (
            f'{{"asks":[{asks}],"bids":[{bids}],"ts":"{ns // MS}","checksum":0,"prevSeqId":{previous_id},'
            f'"seqId":{self.book.last_id}}}'
        )
        text = self._push("books", f'"action":"{action}","data":[{row}]')
        return self.frame_on(self.topic("books"), "books", text, ns)

    def _five(self, _: None, ns: int) -> str:
        return self._top(*self.top(5), self.market.update_id, ns)

    def _best(self, quote: Quote, ns: int) -> str:
        sides = self.sides([(quote.bid, quote.bid_lots)], [(quote.ask, quote.ask_lots)])
        return self._top(*sides, quote.update_id, ns)

    def _top(self, bids: str, asks: str, number: int, ns: int) -> str:
        return f'{{"asks":[{asks}],"bids":[{bids}],"ts":"{ns // MS}","seqId":{number}}}'

    # --- trades

    def _grouped(self, trade: Trade | None) -> Iterator[Frame]:
        if done := self._fills.ended_by(trade):
            yield from self.to(done[-1].ns, "trades", self._group, done)

    def _group(self, fills: list[Trade], ns: int) -> str:
        return self._trade(fills[-1], sum(fill.lots for fill in fills), f',"count":"{len(fills)}"')

    def _match(self, trade: Trade, ns: int) -> str:
        return self._trade(trade, trade.lots, "")

    def _trade(self, last: Trade, lots: int, count: str) -> str:
        return (
            f'{{"instId":"{self.symbol}","tradeId":"{last.trade_id}","px":"{self.price(last.tick)}",'
            f'"sz":"{self.size(lots)}","side":"{last.taker_side}",'
            f'"ts":"{last.ns // MS}"{count},"source":"0","seqId":{last.update_id}}}'
        )

    def forced(self, order: Liquidation, ns: int) -> str:
        side, position = ("buy", "short") if order.buys else ("sell", "long")
        detail = (
            f'{{"bkLoss":"0","bkPx":"{self.price(order.tick)}","ccy":"","posSide":"{position}","side":"{side}",'
            f'"sz":"{self.size(order.lots)}","ts":"{order.ns // MS}"}}'
        )
        return (
            f'{{"instId":"{self.symbol}","instType":"{self._type}","instFamily":"{self._family}",'
            f'"uly":"{self._underlying}","details":[{detail}]}}'
        )

    # --- prices of a derivative

    def _prices(self, ns: int) -> Iterator[Frame]:
        if self._pays_funding and ns % _RATE_NS == 0:
            yield from self.to(ns, "funding-rate", self._rate)
        if ns % _MARK_NS == 0:
            yield from self.to(ns, "mark-price", self._mark)
            if self.instrument.kind is Kind.PERPETUAL:
                yield from self.to(ns, "index-tickers", self._index)

        if ns % _OPEN_NS == 0:
            yield from self.to(ns, "open-interest", self._open)
        if self.market.option is not None and ns % _VALUED_NS == 0:
            yield from self.to(ns, "opt-summary", self.summary)

    def _open(self, _: None, ns: int) -> str:
        instrument, mark = self.instrument, self.market.mark(ns).mark_price
        worth = instrument.size.value(self.market.open_lots) * float(instrument.contract_size or 1)
        base, usd = (worth / mark, worth) if instrument.inverse else (worth, worth * mark)
        if self.market.option is not None:
            usd = worth * self.market.mark(ns).index_price
        size = self.size(self.market.open_lots)
        return self._priced(f'"oi":"{size}","oiCcy":"{base:.8f}","oiUsd":"{usd:.4f}"', ns)

    def _mark(self, _: None, ns: int) -> str:
        price = self.market.mark(ns).mark_price
        return self._priced(f'"markPx":"{self.near(price) if self.market.option is None else f"{price:.12f}"}"', ns)

    def summary(self, _: None, ns: int) -> str:
        """What an option is worth; its greeks in coin are those in dollars over the forward, as far as anybody asks."""
        option, quote = self.market.option, self.market.quote(ns)
        if option is None:
            return ""
        now = option.worth(ns)
        bid_vol, ask_vol = (
            option.volatility(self.instrument.price.value(tick), now, ns) for tick in (quote.bid, quote.ask)
        )
        return self._priced(
            f'"uly":"{self._underlying}","delta":"{now.delta - now.price / now.forward:.10f}",'
            f'"gamma":"{now.gamma * now.forward:.10f}","vega":"{now.vega / now.forward:.10f}",'
            f'"theta":"{now.theta / now.forward:.10f}","lever":"{now.forward / now.price:.10f}",'
            f'"markVol":"{now.volatility:.10f}","bidVol":"{bid_vol:.10f}","askVol":"{ask_vol:.10f}","realVol":"",'
            f'"deltaBS":"{now.delta:.10f}","gammaBS":"{now.gamma:.10f}","thetaBS":"{now.theta:.10f}",'
            f'"vegaBS":"{now.vega:.10f}","fwdPx":"{now.forward:.10f}","volLv":"{now.volatility:.10f}"',
            ns,
        )

    def _ticker(self, _: None, ns: int) -> str:
        quote = self.market.quote(ns)
        return self._priced(
            f'"last":"{self.price(quote.bid)}","lastSz":"1","askPx":"{self.price(quote.ask)}",'
            f'"askSz":"{self.size(quote.ask_lots)}","bidPx":"{self.price(quote.bid)}",'
            f'"bidSz":"{self.size(quote.bid_lots)}"',
            ns,
        )

    def _index(self, _: None, ns: int) -> str:
        price = self.near(self.market.mark(ns).index_price)
        return f'{{"instId":"{self._family}","idxPx":"{price}","ts":"{ns // MS}"}}'

    def _rate(self, _: None, ns: int) -> str:
        mark = self.market.mark(ns)
        rest = f'"fundingRate":"{mark.funding_rate:.10f}","fundingTime":"{mark.next_funding_ns // MS}",'
        rest += f'"nextFundingRate":"","nextFundingTime":"{mark.next_funding_ns // MS + 28_800_000}"'
        return self._priced(rest, ns)

    def _priced(self, what: str, ns: int) -> str:
        return f'{{"instType":"{self._type}","instId":"{self.symbol}",{what},"ts":"{ns // MS}"}}'

    # --- frames

    def _about(self, channel: str) -> tuple[str, str]:
        """What a channel is subscribed by: (field, value)."""
        match channel:
            case "liquidation-orders":
                return "instType", self._type
            case "index-tickers":
                return "instId", self._family
            case "opt-summary":
                return "instFamily", self._family
        return "instId", self.symbol

    def _push(self, channel: str, rest: str) -> str:
        field, name = self._about(channel)
        return f'{{"arg":{{"channel":"{channel}","{field}":"{name}"}},{rest}}}'
