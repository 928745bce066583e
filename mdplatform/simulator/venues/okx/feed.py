"""OKX: what the channels of one instrument publish."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Liquidation, Quote, Trade
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.okx.instruments import INST_TYPES, family, pays_funding, underlying

VENUE = "okx"
PUBLISH_NS = 100_000_000
LEVELS = 400
_MARK_NS = 200_000_000
_RATE_NS = 60_000_000_000
_QUIET_NS = 60_000_000_000  # after so long without a change a book says that there was none
_MS = 1_000_000

Sides = tuple[dict[int, int], dict[int, int]]


class OkxFeed(Feed):
    """One instrument. Books hold the best 400 levels: what falls behind them is deleted, what comes up is told."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        instrument = market.instrument
        self._type = INST_TYPES[instrument.kind]
        self._family, self._underlying = family(instrument), underlying(instrument)
        self._pays_funding = pays_funding(instrument)
        self._price, self._size = instrument.price.text, instrument.size.text
        self._group: list[Trade] = []
        self._told: Sides = ({}, {})  # as the subscribers of ``books`` have it
        self._told_id = self._seen_id = market.update_id
        self._told_ns = 0
        self._skipped = 0  # update ids that were left out since

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                self._skipped += event.update_id - self._seen_id - 1
                self._seen_id = event.update_id
            case Trade():
                yield from self._grouped(event)
                yield from self._to(event.ns, "trades-all", self._match, event)
            case Quote():
                yield from self._to(event.ns, "bbo-tbt", self._best, event)
            case Liquidation():
                yield from self._to(event.ns, "liquidation-orders", self.forced, event, self._type)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self._grouped(None)
        if ns % PUBLISH_NS == 0:
            yield from self._books(ns)
            yield from self._to(ns, "books5", self._five, None)
        if self.market.instrument.kind is not Kind.SPOT:
            yield from self._prices(ns)

    def topic(self, channel: str, name: str | None = None) -> str:
        return f"{channel}:{name or self.symbol}"

    # --- the book

    def rebase(self) -> None:
        """Somebody begins to listen to ``books`` where nobody did: it starts from the book of now."""
        self._told = self._now()
        self._told_id = self._seen_id = self.market.update_id
        self._skipped = 0

    def snapshot(self, ns: int) -> Frame:
        """The book as it was last told, which the next update leads on from."""
        body = self._book("snapshot", self._told, self._told_id, -1, ns)
        return self.frame(self.topic("books"), "books", body.encode(), ns)

    def best(self, ns: int) -> Frame:
        body = self._best(self.market.quote(ns), ns)
        return self.frame(self.topic("bbo-tbt"), "bbo-tbt", body.encode(), ns)

    def _books(self, ns: int) -> Iterator[Frame]:
        if self.topic("books") not in self.wanted:
            return
        now, last_id = self._now(), self.market.update_id
        changed = tuple(_changes(before, after) for before, after in zip(self._told, now, strict=True))
        previous_id = self._told_id + self._skipped
        if changed[0] or changed[1]:
            self._told, self._told_id, self._told_ns, self._skipped = now, last_id, ns, 0
            body = self._book("update", (changed[0], changed[1]), last_id, previous_id, ns)
        elif ns - self._told_ns >= _QUIET_NS:
            self._told_ns = ns
            body = self._book("update", ({}, {}), self._told_id, self._told_id, ns)
        else:
            return
        yield self.frame(self.topic("books"), "books", body.encode(), ns)

    def _now(self) -> Sides:
        return dict(self.market.bids.top(LEVELS)), dict(self.market.asks.top(LEVELS))

    def _book(self, action: str, sides: Sides, last_id: int, previous_id: int, ns: int) -> str:
        bids, asks = (self.levels(side.items()) for side in sides)
        return (
            f'{{"arg":{{"channel":"books","instId":"{self.symbol}"}},"action":"{action}","data":[{{"asks":[{asks}],'
            f'"bids":[{bids}],"ts":"{ns // _MS}","checksum":0,"prevSeqId":{previous_id},"seqId":{last_id}}}]}}'
        )

    def levels(self, levels: Iterable[tuple[int, int]]) -> str:
        price, size = self._price, self._size
        return ",".join(
            [f'["{price(tick)}","{size(lots) if lots else 0}","0","{min(lots, 1)}"]' for tick, lots in levels]
        )

    def _five(self, _: None, ns: int) -> str:
        bids, asks = (self.levels(side.top(5)) for side in (self.market.bids, self.market.asks))
        return self._push("books5", self._top(bids, asks, self.market.update_id, ns))

    def _best(self, quote: Quote, ns: int) -> str:
        bids, asks = self.levels([(quote.bid, quote.bid_lots)]), self.levels([(quote.ask, quote.ask_lots)])
        return self._push("bbo-tbt", self._top(bids, asks, quote.update_id, ns))

    def _top(self, bids: str, asks: str, number: int, ns: int) -> str:
        return f'{{"asks":[{asks}],"bids":[{bids}],"ts":"{ns // _MS}","seqId":{number}}}'

    # --- prints

    def _grouped(self, trade: Trade | None) -> Iterator[Frame]:
        """Fills of one taker's order at one price make one row; it is out when the next begins."""
        done = self._group
        if done and (trade is None or trade.order_id != done[0].order_id):
            self._group = []
            yield from self._to(done[-1].ns, "trades", self._trades, done)
        if trade is not None:
            self._group.append(trade)

    def _trades(self, group: list[Trade], ns: int) -> str:
        return self._push("trades", self._print(group[-1], sum(one.lots for one in group), f',"count":"{len(group)}"'))

    def _match(self, trade: Trade, ns: int) -> str:
        return self._push("trades-all", self._print(trade, trade.lots, ""))

    def _print(self, last: Trade, lots: int, count: str) -> str:
        return (
            f'{{"instId":"{self.symbol}","tradeId":"{last.trade_id}","px":"{self._price(last.tick)}",'
            f'"sz":"{self._size(lots)}","side":"{last.taker_side}",'
            f'"ts":"{last.ns // _MS}"{count},"source":"0","seqId":{last.update_id}}}'
        )

    def forced(self, order: Liquidation, ns: int) -> str:
        side, position = ("buy", "short") if order.buys else ("sell", "long")
        detail = (
            f'{{"bkLoss":"0","bkPx":"{self._price(order.tick)}","ccy":"","posSide":"{position}","side":"{side}",'
            f'"sz":"{self._size(order.lots)}","ts":"{order.ns // _MS}"}}'
        )
        return (
            f'{{"arg":{{"channel":"liquidation-orders","instType":"{self._type}"}},"data":[{{"instId":"{self.symbol}",'
            f'"instType":"{self._type}","instFamily":"{self._family}","uly":"{self._underlying}","details":[{detail}]}}]}}'
        )

    # --- prices of a derivative

    def _prices(self, ns: int) -> Iterator[Frame]:
        swap = self.market.instrument.kind is Kind.PERPETUAL
        if self._pays_funding and ns % _RATE_NS == 0:
            yield from self._to(ns, "funding-rate", self.rate, None)
        if ns % _MARK_NS == 0:
            yield from self._to(ns, "mark-price", self.mark, None)
            if swap:
                yield from self._to(ns, "index-tickers", self.index, None, self._family)

    def mark(self, _: None, ns: int) -> str:
        return self._push("mark-price", self._priced(f'"markPx":"{self._near(self.market.mark(ns).mark_price)}"', ns))

    def index(self, _: None, ns: int) -> str:
        price = self._near(self.market.mark(ns).index_price)
        row = f'{{"instId":"{self._family}","idxPx":"{price}","ts":"{ns // _MS}"}}'
        return f'{{"arg":{{"channel":"index-tickers","instId":"{self._family}"}},"data":[{row}]}}'

    def rate(self, _: None, ns: int) -> str:
        mark = self.market.mark(ns)
        rest = f'"fundingRate":"{mark.funding_rate:.10f}","fundingTime":"{mark.next_funding_ns // _MS}",'
        rest += f'"nextFundingRate":"","nextFundingTime":"{mark.next_funding_ns // _MS + 28_800_000}"'
        return self._push("funding-rate", self._priced(rest, ns))

    def _near(self, price: float) -> str:
        lattice = self.market.instrument.price
        return lattice.text(round(lattice.units(price)))

    def _priced(self, what: str, ns: int) -> str:
        return f'{{"instType":"{self._type}","instId":"{self.symbol}",{what},"ts":"{ns // _MS}"}}'

    # --- frames

    def _push(self, channel: str, row: str) -> str:
        return f'{{"arg":{{"channel":"{channel}","instId":"{self.symbol}"}},"data":[{row}]}}'

    def _to(self, ns: int, channel: str, write: Any, subject: Any, name: str | None = None) -> Iterator[Frame]:
        """The frame, if somebody listens to the channel, of this instrument or by another name."""
        topic = self.topic(channel, name)
        if topic in self.wanted:
            yield self.frame(topic, channel, write(subject, ns).encode(), ns)


def _changes(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    """Levels that are another or new, and with 0 those that are gone."""
    changed = {tick: lots for tick, lots in after.items() if before.get(tick) != lots}
    changed.update(dict.fromkeys(before.keys() - after.keys(), 0))
    return changed
