"""Crypto.com: what the channels of one instrument publish.

Cadences are those that others measured in 2026-09, as far as the simulation's edges are fine enough: books each 0.05 s
in place of 0.01 s.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Quote, Trade
from mdplatform.simulator.engine.feed import EDGE_NS, Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.cryptocom.instruments import index_of

VENUE = "cryptocom"
LEVELS = 50
TRADES = 50  # that a subscription begins with
_IDLE_NS = 5_000_000_000  # a book without a change says so each
_SECOND_NS, _MINUTE_NS = 1_000_000_000, 60_000_000_000
_MS = 1_000_000
_STEP = 16  # numbers do not count up by one

Sides = tuple[dict[int, int], dict[int, int]]


class CryptoComFeed(Feed):
    """One instrument. The perpetual publishes the index of its asset, too."""

    venue = VENUE
    batch_ns = EDGE_NS

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        instrument = market.instrument
        self._price, self._size = instrument.price.text, instrument.size.text
        self._kind, self.index = instrument.kind, index_of(instrument)
        self._sides: Sides = ({}, {})  # of the book as its subscribers have it
        self._number = market.update_id  # of the last message of the book
        self._sent_ns = self._changed_ns = 0  # when it was sent, and when the book last changed
        self._seen_id = market.update_id
        self._best: Quote | None = None  # not published yet
        self._group: list[Trade] = []
        self._last = market.quote(0).bid

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                self._number += event.update_id - self._seen_id - 1  # no message has the skipped ones
                self._seen_id, self._changed_ns = event.update_id, event.ns
            case Trade():
                self._last = event.tick
                yield from self._grouped(event)
            case Quote():
                self._best = event

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self._grouped(None)
        yield from self._book(ns)
        if self._best is not None:
            self._best = None
            yield from self._to("ticker", ns)
        if self._kind is not Kind.SPOT and ns % _SECOND_NS == 0:
            yield from self._to("mark", ns)
        if self._kind is Kind.PERPETUAL and ns % _SECOND_NS == 0:
            yield from self._to("index", ns)
            if ns % _MINUTE_NS == 5 * _SECOND_NS:
                yield from self._to("funding", ns)

    def offers(self, channel: str) -> bool:
        """Whether the instrument has the channel."""
        kinds = {"funding": (Kind.PERPETUAL,), "index": (Kind.PERPETUAL,), "mark": (Kind.PERPETUAL, Kind.FUTURE)}
        return self._kind in kinds.get(channel, tuple(Kind))

    def topic(self, channel: str) -> str:
        if channel == "index":
            return f"index.{self.index}"
        return f"{channel}.{self.symbol}.{LEVELS}" if channel == "book" else f"{channel}.{self.symbol}"

    # --- what a subscription begins with

    def rebase(self, ns: int) -> None:
        """Somebody begins to listen to the book where nobody did."""
        self._sides, self._sent_ns = self._now(), ns

    def greeting(self, channel: str, number: int, ns: int, trades: list[Trade]) -> Frame:
        """The state; ``number``: of the request. That of a book bears none."""
        if channel == "book":
            return self._push("book", self._levels(self._sides, ns), ns, f',"depth":{LEVELS}')
        rows = ",".join(map(self.trade, reversed(trades[-TRADES:]))) if channel == "trade" else self._state(channel, ns)
        return self._push(channel, rows, ns, number=number)

    # --- books

    def _book(self, ns: int) -> Iterator[Frame]:
        if self.topic("book") not in self.wanted:
            return
        now = self._now()
        bids, asks = (_changes(before, after) for before, after in zip(self._sides, now, strict=True))
        if not (bids or asks) and ns - self._sent_ns < _IDLE_NS:
            return
        previous, self._sides, self._sent_ns = self._number, now, ns
        if bids or asks:
            self._number += _STEP
        text = f'{{"update":{{{self._both((bids, asks))}}},{self._numbers(ns)},"pu":{previous}}}'
        yield self._push("book.update", text, ns, f',"depth":{LEVELS}')

    def _now(self) -> Sides:
        return dict(self.market.bids.top(LEVELS)), dict(self.market.asks.top(LEVELS))

    def _levels(self, sides: Sides, ns: int) -> str:
        return f"{{{self._both(sides)},{self._numbers(ns)}}}"

    def _both(self, sides: Sides) -> str:
        texts = [",".join([self._level(*level) for level in side.items()]) for side in sides]
        return f'"asks":[{texts[1]}],"bids":[{texts[0]}]'

    def _level(self, tick: int, lots: int) -> str:
        return f'["{self._price(tick)}","{self._size(lots)}","1"]' if lots else f'["{self._price(tick)}","0","0"]'

    def _numbers(self, ns: int) -> str:
        return (
            f'"t":{ns // _MS},"tt":{self._changed_ns // _MS or ns // _MS},"u":{self._number},"cs":{self._number % 97}'
        )

    # --- trades and states

    def _grouped(self, trade: Trade | None) -> Iterator[Frame]:
        """The fills of one taker's order make one message, newest first; it is out when the next begins."""
        done = self._group
        if done and (trade is None or trade.order_id != done[0].order_id):
            self._group = []
            if self.topic("trade") in self.wanted:
                yield self._push("trade", ",".join(map(self.trade, reversed(done))), done[-1].ns)
        if trade is not None:
            self._group.append(trade)

    def trade(self, trade: Trade, more: str = "") -> str:
        return (
            f'{{"d":"{4_611_686_018_000_000_000 + 3 * trade.trade_id}","t":{trade.ns // _MS}{more},'
            f'"p":"{self._price(trade.tick)}","q":"{self._size(trade.lots)}",'
            f'"s":"{trade.taker_side.upper()}","i":"{self.symbol}","m":"{trade.trade_id}"}}'
        )

    def _to(self, channel: str, ns: int) -> Iterator[Frame]:
        """The state, if somebody listens."""
        if self.topic(channel) in self.wanted:
            yield self._push(channel, self._state(channel, ns), ns)

    def _state(self, channel: str, ns: int) -> str:
        if channel == "ticker":
            return self._ticker(ns)
        mark = self.market.mark(ns)
        value = {
            "funding": f"{mark.funding_rate:.9f}",
            "mark": self._near(mark.mark_price),
            "index": self._near(mark.index_price),
        }[channel]
        return f'{{"v":"{value}","t":{ns // _MS}}}'

    def _ticker(self, ns: int) -> str:
        quote, price, size = self.market.quote(ns), self._price, self._size
        interest = "" if self._kind is Kind.SPOT else f'"oi":"{size(int(self.market.instrument.order_lots) * 5_000)}",'
        return (
            f'{{"h":"{price(self._last)}","l":"{price(self._last)}","a":"{price(self._last)}","c":"0.0010",'
            f'"b":"{price(quote.bid)}","bs":"{size(quote.bid_lots)}","k":"{price(quote.ask)}",'
            f'"ks":"{size(quote.ask_lots)}","i":"{self.symbol}","v":"1000.0","vv":"1000000.00",{interest}'
            f'"t":{ns // _MS}}}'
        )

    def _near(self, price: float) -> str:
        lattice = self.market.instrument.price
        return lattice.text(round(lattice.units(price)))

    def _push(self, name: str, row: str, ns: int, more: str = "", number: int = -1) -> Frame:
        channel = name.partition(".")[0]
        topic, symbol = self.topic(channel), self.index if channel == "index" else self.symbol
        head = f'{{"id":{number},"method":"subscribe","code":0,"result":{{"instrument_name":"{symbol}"'
        body = f'{head},"subscription":"{topic}","channel":"{name}"{more},"data":[{row}]}}}}'
        return self.frame_on(topic, channel, body, ns)


def _changes(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    """Levels that are another or new, and with 0 those that are gone."""
    changed = {tick: lots for tick, lots in after.items() if before.get(tick) != lots}
    changed.update(dict.fromkeys(before.keys() - after.keys(), 0))
    return changed
