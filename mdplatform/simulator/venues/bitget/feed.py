"""Bitget: what the topics of one instrument publish, by API v3."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Event, Liquidation, Quote, Trade
from mdplatform.simulator.engine.feed import MS, Feed, Frame, PublishedBook, Sides
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.bitget.instruments import COIN, SPOT

VENUE = "bitget"
PUBLISH_NS = 50_000_000  # 51 to 64 ms were measured of v3 in 2026-10
LEVELS = 200
HISTORY = 50  # trades that a subscription begins with
_TICKER_NS = 300_000_000
_FORCED_NS = 1_000_000_000
_SNAPSHOTS = ("books1", "ticker")  # channels that publish states, not changes


class BitgetFeed(Feed):
    """One instrument. Books hold the best 200 levels: what falls behind them is deleted, what comes up is published."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self.category = self.instrument.section
        self.book = PublishedBook(market, LEVELS)
        self._forced: dict[bool, Liquidation] = {}  # the largest of this second, by its side

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Trade():
                yield from self.to(event.ns, "publicTrade", self._trades, [event])
            case Quote():
                yield from self.to(event.ns, "books1", self._best, event)
            case Liquidation():
                largest = self._forced.get(event.buys)
                if largest is None or event.lots > largest.lots:
                    self._forced[event.buys] = event

    def edge(self, ns: int) -> Iterator[Frame]:
        if ns % PUBLISH_NS == 0 and self.topic("books") in self.wanted:
            changed = self.book.advance()
            if changed is not None:
                yield self.frame("books", self._book(changed, self.book.previous_id, ns), ns)
        if ns % _TICKER_NS == 0 and self.category != SPOT:
            yield from self.to(ns, "ticker", self._ticker)
        if ns % _FORCED_NS == 0 and self._forced:
            forced, self._forced = self._forced, {}
            yield from self.to(ns, "liquidation", self._orders, forced.values())

    def topic(self, channel: str) -> str:
        """Liquidations are those of a category."""
        return f"{self.category}:liquidation" if channel == "liquidation" else f"{self.instrument.key}:{channel}"

    def envelope(self, channel: str, text: str, ns: int, action: str | None = None) -> str:
        symbol = "" if channel == "liquidation" else f'"symbol":"{self.symbol}",'
        arg = f'{{"instType":"{self.category}",{symbol}"topic":"{channel}"}}'
        action = action or ("snapshot" if channel in _SNAPSHOTS else "update")
        return f'{{"data":{text},"arg":{arg},"action":"{action}","ts":{ns // MS}}}'

    def snapshot(self, ns: int) -> Frame:
        """The book as it was last published, which the next update leads on from."""
        return self._first(ns, "books", self._book(self.book.sides, 0, ns))

    def history(self, trades: Iterable[Trade], ns: int) -> Frame:
        """Recent trades, newest first."""
        return self._first(ns, "publicTrade", self._trades(trades, ns))

    def _first(self, ns: int, channel: str, data: str) -> Frame:
        return self.frame_on(self.topic(channel), channel, self.envelope(channel, data, ns, "snapshot"), ns)

    # --- data

    def _book(self, sides: Sides, previous_id: int, ns: int) -> str:
        bids, asks = self.sides(*(side.items() for side in sides))
        return (
            f'[{{"a":[{asks}],"b":[{bids}],"pseq":{previous_id},"seq":{self.book.last_id},"maxDepth":"{LEVELS}",'
            f'"ts":"{ns // MS}"}}]'
        )

    def _best(self, quote: Quote, ns: int) -> str:
        bid, ask = self.sides([(quote.bid, quote.bid_lots)], [(quote.ask, quote.ask_lots)])
        return f'[{{"a":[{ask}],"b":[{bid}],"seq":{quote.update_id},"ts":"{quote.ns // MS}"}}]'

    def _trades(self, trades: Iterable[Trade], ns: int) -> str:
        return f"[{','.join(map(self._trade, trades))}]"

    def _trade(self, trade: Trade) -> str:
        """Sizes are in quote units where the category is coin futures, else in base units."""
        size = self._worth(trade.tick, trade.lots) if self.category == COIN else self.size(trade.lots)
        return (
            f'{{"p":"{self.price(trade.tick)}","S":"{trade.taker_side}",'
            f'"T":"{trade.ns // MS}","v":"{size}","i":"{trade.trade_id * 7}","L":"{trade.order_id}","isRPI":"no"}}'
        )

    def _orders(self, forced: Iterable[Liquidation], ns: int) -> str:
        """``side`` is that of the position, the amount in quote units."""
        rows = [
            f'{{"symbol":"{self.symbol}","side":"{"sell" if one.buys else "buy"}",'
            f'"price":"{self.price(one.tick)}","amount":"{self._worth(one.tick, one.lots)}",'
            f'"ts":"{one.ns // MS}"}}'
            for one in forced
        ]
        return f"[{','.join(rows)}]"

    def _worth(self, tick: int, lots: int) -> str:
        return f"{self.instrument.price.value(tick) * self.instrument.size.value(lots):.8f}"

    def _ticker(self, _: None, ns: int) -> str:
        mark, is_perpetual = self.market.mark(ns), self.instrument.kind is Kind.PERPETUAL
        rate, time = (f"{mark.funding_rate:.6f}", mark.next_funding_ns // MS) if is_perpetual else ("", "")
        return (
            f'[{{"markPrice":"{self.near(mark.mark_price)}","indexPrice":"{self.near(mark.index_price)}",'
            f'"fundingRate":"{rate}","nextFundingTime":"{time}","openInterest":"{self.size(self.market.open_lots)}"}}]'
        )
