"""Bybit: what the topics of one instrument publish.

Here a topic is the venue's with the category before it (``linear/orderbook.50.BTCUSDT``): what a frame leaves to its
socket. Cadences are the venue's, as far as the simulation's edges are fine enough.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from uuid import UUID
from zlib import crc32

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Liquidation, Quote, Trade
from mdplatform.simulator.engine.feed import EDGE_NS, Feed, Frame
from mdplatform.simulator.engine.market import Market

VENUE = "bybit"
DEPTHS = {50: EDGE_NS, 200: 100_000_000, 1000: 200_000_000}  # levels -> how often
_AGAIN_NS = 3_000_000_000  # the first level is sent again after so long without a change
_TICKER_NS = 100_000_000
_LIQUIDATIONS_NS = 500_000_000
_MS = 1_000_000

Sides = tuple[dict[int, int], dict[int, int]]


class Told:
    """One depth of the book as its subscribers have it."""

    def __init__(self, u: int) -> None:
        self.sides: Sides = ({}, {})
        self.u = u  # of the last message
        self.ns = 0


class BybitFeed(Feed):
    """One instrument of one category."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        instrument = market.instrument
        self._price, self._size = instrument.price.text, instrument.size.text
        self._told = {depth: Told(market.update_id) for depth in DEPTHS}
        self._seen_id = market.update_id
        self._best = market.quote(0)
        self._best_u, self._best_ns, self._best_told_id = market.update_id, 0, 0
        self._group: list[Trade] = []
        self._forced: list[Liquidation] = []
        self._last = market.quote(0).bid
        self._ticker: dict[str, str] = {}  # as told

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                skipped = event.update_id - self._seen_id - 1
                self._seen_id = event.update_id
                for told in self._told.values() if skipped else ():
                    told.u += skipped
            case Trade():
                self._last = event.tick
                yield from self._grouped(event)
            case Quote():
                self._best = event
            case Liquidation():
                self._forced.append(event)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self._grouped(None)
        for depth, every_ns in DEPTHS.items():
            if ns % every_ns == 0:
                yield from self._books(depth, ns)
        yield from self._bests(ns)
        if ns % _TICKER_NS == 0:
            yield from self._tickers(ns)
        if ns % _LIQUIDATIONS_NS == 0 and self._forced:
            done, self._forced = self._forced, []
            rows = ",".join(map(self._liquidation, done))
            yield from self._to("allLiquidation", "snapshot", f"[{rows}]", ns)

    def topic(self, channel: str) -> str:
        return f"{self.market.instrument.section}/{channel}.{self.symbol}"

    # --- what a subscription begins with

    def rebase(self, channel: str, ns: int) -> None:
        """Somebody begins to listen where nobody did: what is told in changes starts from the state of now."""
        word, _, detail = channel.partition(".")
        if word == "tickers":
            self._ticker = self._stated(ns)
        elif word == "orderbook" and detail != "1":
            told = self._told[int(detail)]
            told.sides, told.ns = self._now(int(detail)), ns
            told.u += 1

    def greeting(self, channel: str, ns: int) -> Frame | None:
        """The state, where the channel has one: what the next message leads on from."""
        word, _, detail = channel.partition(".")
        if word == "tickers":
            return self._ticker_frame("snapshot", self._ticker, ns)
        if word != "orderbook":
            return None
        if detail == "1":
            return self._best_frame(self._best, ns)
        told = self._told[int(detail)]
        return self._book(int(detail), "snapshot", told.sides, told.ns, ns)

    # --- books

    def _books(self, depth: int, ns: int) -> Iterator[Frame]:
        if self.topic(f"orderbook.{depth}") not in self.wanted:
            return
        told, now = self._told[depth], self._now(depth)
        bids, asks = (_changes(before, after) for before, after in zip(told.sides, now, strict=True))
        if bids or asks:
            told.sides, told.ns = now, ns
            told.u += 1
            yield self._book(depth, "delta", (bids, asks), ns, ns)

    def _now(self, depth: int) -> Sides:
        return dict(self.market.bids.top(depth)), dict(self.market.asks.top(depth))

    def _book(self, depth: int, kind: str, sides: Sides, matched_ns: int, ns: int) -> Frame:
        data = self._data(sides[0].items(), sides[1].items(), self._told[depth].u, self.market.update_id)
        return self._frame(f"orderbook.{depth}", kind, data, ns, f',"cts":{matched_ns // _MS}')

    def _bests(self, ns: int) -> Iterator[Frame]:
        quote = self._best
        if self.topic("orderbook.1") not in self.wanted:
            return
        if quote.update_id != self._best_told_id:
            self._best_told_id, self._best_ns = quote.update_id, ns
            self._best_u += 1
        elif ns - self._best_ns >= _AGAIN_NS:
            self._best_ns = ns
        else:
            return
        yield self._best_frame(quote, ns)

    def _best_frame(self, quote: Quote, ns: int) -> Frame:
        sides = [(quote.bid, quote.bid_lots)], [(quote.ask, quote.ask_lots)]
        data = self._data(*sides, self._best_u, quote.update_id)
        return self._frame("orderbook.1", "snapshot", data, ns, f',"cts":{ns // _MS}')

    def _data(self, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]], u: int, seq: int) -> str:
        texts = [",".join([f'["{self._price(t)}","{self._size(n) if n else 0}"]' for t, n in s]) for s in (bids, asks)]
        return f'{{"s":"{self.symbol}","b":[{texts[0]}],"a":[{texts[1]}],"u":{u},"seq":{seq}}}'

    # --- prints

    def _grouped(self, trade: Trade | None) -> Iterator[Frame]:
        """The fills of one taker's order at one price make one message; it is out when the next begins."""
        done = self._group
        if done and (trade is None or trade.order_id != done[0].order_id):
            self._group = []
            yield from self._to("publicTrade", "snapshot", f"[{','.join(map(self.trade, done))}]", done[-1].ns)
        if trade is not None:
            self._group.append(trade)

    def trade(self, trade: Trade) -> str:
        side = trade.taker_side.title()
        return (
            f'{{"T":{trade.ns // _MS},"s":"{self.symbol}","S":"{side}","v":"{self._size(trade.lots)}",'
            f'"p":"{self._price(trade.tick)}","L":"PlusTick","i":"{exec_id(self.market.instrument.key, trade)}",'
            f'"BT":false,"RPI":false,"seq":{trade.update_id}}}'
        )

    def _liquidation(self, order: Liquidation) -> str:
        side = "Sell" if order.buys else "Buy"  # of the position: a short is bought back
        return (
            f'{{"T":{order.ns // _MS},"s":"{self.symbol}","S":"{side}","v":"{self._size(order.lots)}",'
            f'"p":"{self._price(order.tick)}"}}'
        )

    # --- tickers

    def _tickers(self, ns: int) -> Iterator[Frame]:
        """What changed; on spot all of it."""
        if self.topic("tickers") not in self.wanted:
            return
        now = self._stated(ns)
        changed = {name: text for name, text in now.items() if self._ticker.get(name) != text}
        if changed:
            self._ticker = now
            is_spot = self.market.instrument.kind is Kind.SPOT
            yield self._ticker_frame("snapshot" if is_spot else "delta", now if is_spot else changed, ns)

    def _stated(self, ns: int) -> dict[str, str]:
        last = {"lastPrice": self._price(self._last)}
        kind = self.market.instrument.kind
        if kind is Kind.SPOT:
            return last
        mark, quote, is_swap = self.market.mark(ns), self._best, kind is Kind.PERPETUAL
        return {
            **last,
            "markPrice": self._near(mark.mark_price),
            "indexPrice": self._near(mark.index_price),
            "fundingRate": f"{mark.funding_rate:.8f}" if is_swap else "",
            "nextFundingTime": str(mark.next_funding_ns // _MS) if is_swap else "",
            "bid1Price": self._price(quote.bid),
            "bid1Size": self._size(quote.bid_lots),
            "ask1Price": self._price(quote.ask),
            "ask1Size": self._size(quote.ask_lots),
        }

    def _ticker_frame(self, kind: str, fields: dict[str, str], ns: int) -> Frame:
        stated = "".join([f',"{name}":"{text}"' for name, text in fields.items()])
        data = f'{{"symbol":"{self.symbol}"{stated}}}'
        return self._frame("tickers", kind, data, ns, f',"cs":{self.market.update_id}')

    def _near(self, price: float) -> str:
        lattice = self.market.instrument.price
        return lattice.text(round(lattice.units(price)))

    # --- frames

    def _to(self, channel: str, kind: str, data: str, ns: int) -> Iterator[Frame]:
        """The frame, if somebody listens."""
        if self.topic(channel) in self.wanted:
            yield self._frame(channel, kind, data, ns)

    def _frame(self, channel: str, kind: str, data: str, ns: int, more: str = "") -> Frame:
        head = f'{{"topic":"{channel}.{self.symbol}","type":"{kind}","ts":{ns // _MS}'
        return self.frame(self.topic(channel), channel, f'{head},"data":{data}{more}}}'.encode(), ns)


def exec_id(key: str, trade: Trade) -> UUID:
    """The trade's id; its number is in the lower half."""
    return UUID(int=crc32(key.encode()) << 96 | trade.trade_id)


def _changes(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    """Levels that are another or new, and with 0 those that are gone."""
    changed = {tick: lots for tick, lots in after.items() if before.get(tick) != lots}
    changed.update(dict.fromkeys(before.keys() - after.keys(), 0))
    return changed
