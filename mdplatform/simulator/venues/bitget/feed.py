"""Bitget: what the topics of one instrument publish, by API v3."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Liquidation, Quote, Trade
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.bitget.instruments import COIN, SPOT

VENUE = "bitget"
PUBLISH_NS = 50_000_000  # 51 to 64 ms were measured of v3 in 2026-10
LEVELS = 200
HISTORY = 50  # trades that a subscription begins with
_TICKER_NS = 300_000_000
_FORCED_NS = 1_000_000_000
_MS = 1_000_000

Sides = tuple[dict[int, int], dict[int, int]]


class BitgetFeed(Feed):
    """One instrument. Books hold the best 200 levels: what falls behind them is deleted, what comes up is told."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        instrument = market.instrument
        self.category = instrument.section
        self._price, self._size = instrument.price, instrument.size
        self._told: Sides = ({}, {})  # as the subscribers of ``books`` have it
        self._told_id = self._seen_id = market.update_id
        self._skipped = 0  # update ids that were left out since
        self._forced: dict[bool, Liquidation] = {}  # the largest of this second, by its side

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                self._skipped += event.update_id - self._seen_id - 1
                self._seen_id = event.update_id
            case Trade():
                yield from self._to(event.ns, "publicTrade", lambda: f"[{self.trade(event)}]", "update")
            case Quote():
                yield from self._to(event.ns, "books1", lambda: self._best(event), "snapshot")
            case Liquidation():
                largest = self._forced.get(event.buys)
                if largest is None or event.lots > largest.lots:
                    self._forced[event.buys] = event

    def edge(self, ns: int) -> Iterator[Frame]:
        if ns % PUBLISH_NS == 0 and self.topic("books") in self.wanted:
            yield from self._books(ns)
        if ns % _TICKER_NS == 0 and self.category != SPOT:
            yield from self._to(ns, "ticker", lambda: self._ticker(ns), "snapshot")
        if ns % _FORCED_NS == 0 and self._forced:
            forced, self._forced = self._forced, {}
            yield from self._to(ns, "liquidation", lambda: self._orders(forced.values()), "update")

    def topic(self, channel: str) -> str:
        """Liquidations are those of a category."""
        return f"{self.category}:liquidation" if channel == "liquidation" else f"{self.market.instrument.key}:{channel}"

    # --- the book

    def rebase(self) -> None:
        """Somebody begins to listen to ``books`` where nobody did: it starts from the book of now."""
        self._told = self._now()
        self._told_id = self._seen_id = self.market.update_id
        self._skipped = 0

    def snapshot(self, ns: int) -> Frame:
        """The book as it was last told, which the next update leads on from."""
        return self._frame(ns, "books", self._book(self._told, self._told_id, 0, ns), "snapshot")

    def history(self, trades: Iterable[Trade], ns: int) -> Frame:
        """Recent trades, newest first."""
        return self._frame(ns, "publicTrade", f"[{','.join(map(self.trade, trades))}]", "snapshot")

    def _books(self, ns: int) -> Iterator[Frame]:
        now, last_id = self._now(), self.market.update_id
        changed = tuple(_changes(before, after) for before, after in zip(self._told, now, strict=True))
        if not changed[0] and not changed[1]:
            return
        previous_id = self._told_id + self._skipped
        self._told, self._told_id, self._skipped = now, last_id, 0
        yield self._frame(ns, "books", self._book((changed[0], changed[1]), last_id, previous_id, ns), "update")

    def _now(self) -> Sides:
        return dict(self.market.bids.top(LEVELS)), dict(self.market.asks.top(LEVELS))

    def _book(self, sides: Sides, last_id: int, previous_id: int, ns: int) -> str:
        bids, asks = (self.levels(side.items()) for side in sides)
        return (
            f'[{{"a":[{asks}],"b":[{bids}],"pseq":{previous_id},"seq":{last_id},"maxDepth":"{LEVELS}",'
            f'"ts":"{ns // _MS}"}}]'
        )

    def levels(self, levels: Iterable[tuple[int, int]]) -> str:
        price, size = self._price.text, self._size.text
        return ",".join([f'["{price(tick)}","{size(lots) if lots else 0}"]' for tick, lots in levels])

    def _best(self, quote: Quote) -> str:
        bid, ask = self.levels([(quote.bid, quote.bid_lots)]), self.levels([(quote.ask, quote.ask_lots)])
        return f'[{{"a":[{ask}],"b":[{bid}],"seq":{quote.update_id},"ts":"{quote.ns // _MS}"}}]'

    # --- prints

    def trade(self, trade: Trade) -> str:
        """Sizes are in quote units where the category is coin futures, else in base units."""
        size = self._worth(trade.tick, trade.lots) if self.category == COIN else self._size.text(trade.lots)
        return (
            f'{{"p":"{self._price.text(trade.tick)}","S":"{trade.taker_side}",'
            f'"T":"{trade.ns // _MS}","v":"{size}","i":"{trade.trade_id * 7}","L":"{trade.order_id}","isRPI":"no"}}'
        )

    def _orders(self, forced: Iterable[Liquidation]) -> str:
        """``side`` is that of the position, the amount in quote units."""
        rows = [
            f'{{"symbol":"{self.symbol}","side":"{"sell" if one.buys else "buy"}",'
            f'"price":"{self._price.text(one.tick)}","amount":"{self._worth(one.tick, one.lots)}",'
            f'"ts":"{one.ns // _MS}"}}'
            for one in forced
        ]
        return f"[{','.join(rows)}]"

    def _worth(self, tick: int, lots: int) -> str:
        return f"{self._price.value(tick) * self._size.value(lots):.8f}"

    # --- prices of a contract

    def _ticker(self, ns: int) -> str:
        mark, is_perpetual = self.market.mark(ns), self.market.instrument.kind is Kind.PERPETUAL
        rate, time = (f"{mark.funding_rate:.6f}", mark.next_funding_ns // _MS) if is_perpetual else ("", "")
        return (
            f'[{{"markPrice":"{self._near(mark.mark_price)}","indexPrice":"{self._near(mark.index_price)}",'
            f'"fundingRate":"{rate}","nextFundingTime":"{time}"}}]'
        )

    def _near(self, price: float) -> str:
        return self._price.text(round(self._price.units(price)))

    # --- frames

    def _to(self, ns: int, channel: str, write: Callable[[], str], action: str) -> Iterator[Frame]:
        """The frame, if somebody listens to the channel."""
        if self.topic(channel) in self.wanted:
            yield self._frame(ns, channel, write(), action)

    def _frame(self, ns: int, channel: str, data: str, action: str) -> Frame:
        symbol = "" if channel == "liquidation" else f'"symbol":"{self.symbol}",'
        arg = f'{{"instType":"{self.category}",{symbol}"topic":"{channel}"}}'
        body = f'{{"data":{data},"arg":{arg},"action":"{action}","ts":{ns // _MS}}}'
        return self.frame(self.topic(channel), channel, body.encode(), ns)


def _changes(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    """Levels that are another or new, and with 0 those that are gone."""
    changed = {tick: lots for tick, lots in after.items() if before.get(tick) != lots}
    changed.update(dict.fromkeys(before.keys() - after.keys(), 0))
    return changed
