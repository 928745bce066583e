"""Deribit: what the channels of one instrument publish. Numbers are JSON numbers, times ms.

An amount is written in the shorter of two forms, 100.0 or 2.2e3 (probed in autumn 2026). Books of 100 ms may trail the
REST interface by a second and more at the venue (probed, of USDC books); here they do not.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Quote, Trade
from mdplatform.simulator.engine.feed import Batch, Feed, Frame
from mdplatform.simulator.engine.ladder import Ladder
from mdplatform.simulator.engine.market import Market

VENUE = "deribit"
PUBLISH_NS = 100_000_000
_EVERY_NS = {"100ms": PUBLISH_NS, "agg2": 1_000_000_000}
INTERVALS = ("raw", *_EVERY_NS)
DEPTHS = (1, 10, 20)
_MS = 1_000_000


class Chain:
    """The changes of a book at one interval, and what its subscribers hold already."""

    def __init__(self) -> None:
        self.batch = Batch()
        self.known: tuple[set[int], set[int]] = (set(), set())

    def start(self, bids: Ladder, asks: Ladder) -> None:
        """The subscribers have just been sent the whole book."""
        self.batch = Batch()
        self.known = set(bids.lots), set(asks.lots)

    def actions(self, is_bid: bool) -> Iterator[tuple[str, int, int]]:
        """(action, tick, lots) of each level of the batch; what came and went within it is nothing."""
        known = self.known[0 if is_bid else 1]
        for tick, lots in (self.batch.bids if is_bid else self.batch.asks).items():
            if lots:
                yield ("change" if tick in known else "new"), tick, lots
                known.add(tick)
            elif tick in known:
                yield "delete", tick, 0
                known.discard(tick)


class DeribitFeed(Feed):
    """One instrument. Each interval has its own chain of changes."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        instrument = market.instrument
        self._price = instrument.price.text
        self._chains = {interval: Chain() for interval in INTERVALS}
        self._prints: dict[str, list[Trade]] = {interval: [] for interval in INTERVALS}

    def _size(self, lots: int) -> str:
        return shortest(self.market.instrument.size.text(lots))

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                for chain in self._chains.values():
                    chain.batch.add(event)
                yield from self.changes("raw", event.ns)
            case Trade():
                for prints in self._prints.values():
                    prints.append(event)
                yield from self._printed("raw", event.ns)
            case Quote():
                yield from self._to(event.ns, "quote", "", self._quote, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        for interval, every_ns in _EVERY_NS.items():
            if ns % every_ns == 0:
                yield from self.changes(interval, ns)
                yield from self._printed(interval, ns)
                yield from self._to(ns, "ticker", interval, self._ticker, None)
                yield from self._to(ns, "perpetual", interval, self._perpetual, None)
                for depth in DEPTHS:
                    yield from self._to(ns, "book", f"none.{depth}.{interval}", self._top, depth)

    def greeting(self, topic: str, ns: int) -> Iterator[Frame]:
        """What a new subscription begins with."""
        head, _, *rest = topic.split(".")
        if head == "book" and len(rest) == 1:
            chain = self._chains[rest[0]]
            chain.start(self.market.bids, self.market.asks)
            yield self._frame(ns, topic, self._snapshot(ns))
        elif head == "book":
            yield self._frame(ns, topic, self._top(int(rest[1]), ns))
        elif head == "quote":
            yield self._frame(ns, topic, self._quote(self.market.quote(ns), ns))
        elif head == "ticker":
            yield self._frame(ns, topic, self._ticker(None, ns))

    # --- the book

    def changes(self, interval: str, ns: int) -> Iterator[Frame]:
        """What has gathered since the last change of this interval."""
        chain = self._chains[interval]
        if chain.batch:
            yield from self._to(ns, "book", interval, self._change, chain)
            chain.batch = Batch()

    def _change(self, chain: Chain, ns: int) -> str:
        bids, asks = (self._rows(chain.actions(is_bid)) for is_bid in (True, False))
        # Numbers that the market left out are missing between the two ids, as if a change had been lost.
        ids = f'"change_id":{chain.batch.last},"prev_change_id":{chain.batch.first - 1}'
        return f'{{"type":"change",{self._about(ns)},{ids},"bids":[{bids}],"asks":[{asks}]}}'

    def _snapshot(self, ns: int) -> str:
        market = self.market
        sides = (side.top(len(side)) for side in (market.bids, market.asks))
        bids, asks = (self._rows(("new", tick, lots) for tick, lots in side) for side in sides)
        ids = f'"change_id":{market.update_id}'
        return f'{{"type":"snapshot",{self._about(ns)},{ids},"bids":[{bids}],"asks":[{asks}]}}'

    def _rows(self, levels: Iterable[tuple[str, int, int]]) -> str:
        price, size = self._price, self._size
        return ",".join([f'["{action}",{price(tick)},{size(lots)}]' for action, tick, lots in levels])

    def _top(self, depth: int, ns: int) -> str:
        price, size = self._price, self._size
        bids, asks = (
            ",".join([f"[{price(tick)},{size(lots)}]" for tick, lots in side.top(depth)])
            for side in (self.market.bids, self.market.asks)
        )
        return f'{{{self._about(ns)},"change_id":{self.market.update_id},"bids":[{bids}],"asks":[{asks}]}}'

    def _quote(self, quote: Quote, ns: int) -> str:
        price, size = self._price, self._size
        return (
            f'{{{self._about(ns)},"best_bid_price":{price(quote.bid)},"best_bid_amount":{size(quote.bid_lots)},'
            f'"best_ask_price":{price(quote.ask)},"best_ask_amount":{size(quote.ask_lots)}}}'
        )

    # --- prints and prices

    def _printed(self, interval: str, ns: int) -> Iterator[Frame]:
        prints = self._prints[interval]
        if prints:
            yield from self._to(ns, "trades", interval, self._trades, prints)
            prints.clear()

    def _trades(self, prints: list[Trade], ns: int) -> str:
        return f"[{','.join(map(self.trade, prints))}]"

    def trade(self, trade: Trade) -> str:
        """One print; that its taker was liquidated is a flag of it."""
        market = self.market
        mark, base = market.mark(trade.ns), market.instrument.base
        flag = ',"liquidation":"T"' if trade.forced else ""
        return (
            f'{{"trade_seq":{trade.trade_id},"trade_id":"{"" if base == "BTC" else base + "-"}{trade.trade_id}",'
            f'{self._about(trade.ns)},"tick_direction":0,"price":{self._price(trade.tick)},'
            f'"amount":{self._size(trade.lots)},"direction":"{trade.taker_side}",'
            f'"mark_price":{mark.mark_price:.4f},"index_price":{mark.index_price:.4f}{flag}}}'
        )

    def _ticker(self, _: None, ns: int) -> str:
        market = self.market
        mark, quote = market.mark(ns), market.quote(ns)
        funding = ""
        if market.instrument.kind is Kind.PERPETUAL:
            rate = f"{mark.funding_rate:.10f}"
            funding = f',"current_funding":{rate},"funding_8h":{rate},"interest_value":0.0049'
        return (
            f'{{{self._about(ns)},"state":"open","mark_price":{mark.mark_price:.4f},"index_price":{mark.index_price:.4f},'
            f'"best_bid_price":{self._price(quote.bid)},"best_bid_amount":{self._size(quote.bid_lots)},'
            f'"best_ask_price":{self._price(quote.ask)},"best_ask_amount":{self._size(quote.ask_lots)},'
            f'"open_interest":1132329370.0,"last_price":{self._price(quote.bid)}{funding}}}'
        )

    def _perpetual(self, _: None, ns: int) -> str:
        return f'{{"interest":0.0049,"index_price":{self.market.mark(ns).index_price:.4f},"timestamp":{ns // _MS}}}'

    # --- frames

    def _about(self, ns: int) -> str:
        return f'"timestamp":{ns // _MS},"instrument_name":"{self.symbol}"'

    def _to(self, ns: int, head: str, rest: str, write: Any, subject: Any) -> Iterator[Frame]:
        """The frame, if somebody listens to the channel."""
        topic = f"{head}.{self.symbol}.{rest}" if rest else f"{head}.{self.symbol}"
        if topic in self.wanted:
            yield self._frame(ns, topic, write(subject, ns))

    def _frame(self, ns: int, topic: str, data: str) -> Frame:
        head, _, *rest = topic.split(".")
        body = f'{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{topic}","data":{data}}}}}'
        return self.frame(topic, ".".join((head, *rest)), body.encode(), ns)


def shortest(text: str) -> str:
    """A number as the venue writes it: with an exponent where that takes fewer characters."""
    if not text.endswith("00.0"):
        return text
    digits = text.removesuffix(".0")
    short = f"{digits[0]}.{digits[1:].rstrip('0') or '0'}e{len(digits) - 1}"
    return short if len(short) < len(text) else text
