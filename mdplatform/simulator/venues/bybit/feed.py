"""Bybit: what the topics of one instrument publish.

Here a topic is the venue's with the category before it (``linear/orderbook.50.BTCUSDT``): what a frame leaves to its
socket. Cadences are the venue's, as far as the simulation's edges are fine enough.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from uuid import UUID
from zlib import crc32

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Event, Liquidation, Mark, Quote, Trade
from mdplatform.simulator.engine.feed import EDGE_NS, MS, Feed, Fills, Frame, Levels, PublishedBook
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.engine.prices import OptionValuation

VENUE = "bybit"
DEPTHS = {50: EDGE_NS, 200: 100_000_000, 1000: 200_000_000}  # levels -> how often
OPTION_DEPTHS = {25: EDGE_NS, 100: 100_000_000}
_AGAIN_NS = 3_000_000_000  # the first level is sent again after so long without a change
_TICKER_NS = 100_000_000
_VALUED_NS = 1_000_000_000  # of options
_LIQUIDATIONS_NS = 500_000_000


class BybitFeed(Feed):
    """One instrument of one category. The messages of a book are numbered by one; what the market leaves out shows."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._depths = DEPTHS if market.option is None else OPTION_DEPTHS
        self._books = {depth: PublishedBook(market, depth) for depth in self._depths}
        self._u = dict.fromkeys(self._depths, market.update_id)  # of the last message
        self._matched_ns = dict.fromkeys(self._depths, 0)
        self._best = market.quote(0)
        self._best_u, self._best_ns, self._best_id = market.update_id, 0, 0  # as published
        self._fills = Fills()
        self._forced: list[Liquidation] = []
        self._last = market.quote(0).bid
        self._ticker: dict[str, str] = {}  # as published

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Trade():
                self._last = event.tick
                yield from self._grouped(event)
            case Quote():
                self._best = event
            case Liquidation():
                self._forced.append(event)

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self._grouped(None)
        for depth, every_ns in self._depths.items():
            if ns % every_ns == 0:
                yield from self._changes(depth, ns)
        yield from self._bests(ns)
        if ns % (_TICKER_NS if self.market.option is None else _VALUED_NS) == 0:
            yield from self._tickers(ns)
        if ns % _LIQUIDATIONS_NS == 0 and self._forced:
            done, self._forced = self._forced, []
            yield from self.to(ns, "allLiquidation", self._liquidations, done)

    def topic(self, channel: str) -> str:
        if channel == "publicTrade" and self.market.option is not None:
            return f"{self.instrument.section}/{channel}.{self.instrument.base}"  # of all options on it
        return f"{self.instrument.section}/{channel}.{self.symbol}"

    def envelope(self, channel: str, text: str, ns: int, kind: str = "snapshot", more: str = "") -> str:
        return (
            f'{{"topic":"{self.topic(channel).partition("/")[2]}","type":"{kind}","ts":{ns // MS},"data":{text}{more}}}'
        )

    # --- what a subscription begins with

    def rebase(self, channel: str, ns: int) -> None:
        """Somebody subscribes where nobody did: what is published in changes starts from the state of now."""
        word, _, detail = channel.partition(".")
        if word == "tickers":
            self._ticker = self._state(ns)
        elif word == "orderbook" and detail != "1":
            depth = int(detail)
            self._books[depth].rebase()
            self._u[depth] += 1
            self._matched_ns[depth] = ns

    def snapshot(self, channel: str, ns: int) -> Frame | None:
        """The state, where the channel has one: what the next message leads on from."""
        word, _, detail = channel.partition(".")
        if word == "tickers":
            return self._ticker_frame("snapshot", self._ticker, ns)
        if word != "orderbook":
            return None
        if detail == "1":
            return self._best_frame(self._best, ns)
        depth = int(detail)
        bids, asks = self._books[depth].sides
        return self._book(depth, "snapshot", bids.items(), asks.items(), ns)

    # --- books

    def _changes(self, depth: int, ns: int) -> Iterator[Frame]:
        if self.topic(f"orderbook.{depth}") not in self.wanted:
            return
        changed = self._books[depth].advance()
        if changed is not None:
            self._u[depth] += 1 + self._books[depth].skipped
            self._matched_ns[depth] = ns
            yield self._book(depth, "delta", changed[0].items(), changed[1].items(), ns)

    def _book(self, depth: int, kind: str, bids: Levels, asks: Levels, ns: int) -> Frame:
        data = self._data(bids, asks, self._u[depth], self.market.update_id)
        return self._frame(f"orderbook.{depth}", kind, data, ns, f',"cts":{self._matched_ns[depth] // MS}')

    def _bests(self, ns: int) -> Iterator[Frame]:
        quote = self._best
        if self.topic("orderbook.1") not in self.wanted:
            return
        if quote.update_id != self._best_id:
            self._best_id, self._best_ns = quote.update_id, ns
            self._best_u += 1
        elif ns - self._best_ns >= _AGAIN_NS:
            self._best_ns = ns
        else:
            return
        yield self._best_frame(quote, ns)

    def _best_frame(self, quote: Quote, ns: int) -> Frame:
        sides = [(quote.bid, quote.bid_lots)], [(quote.ask, quote.ask_lots)]
        data = self._data(*sides, self._best_u, quote.update_id)
        return self._frame("orderbook.1", "snapshot", data, ns, f',"cts":{ns // MS}')

    def _data(self, bids: Levels, asks: Levels, u: int, seq: int) -> str:
        b, a = self.sides(bids, asks)
        return f'{{"s":"{self.symbol}","b":[{b}],"a":[{a}],"u":{u},"seq":{seq}}}'

    # --- trades and liquidations

    def _grouped(self, trade: Trade | None) -> Iterator[Frame]:
        if done := self._fills.ended_by(trade):
            yield from self.to(done[-1].ns, "publicTrade", self._trades, done)

    def _trades(self, fills: list[Trade], ns: int) -> str:
        return f"[{','.join(map(self._trade, fills))}]"

    def _trade(self, trade: Trade) -> str:
        return (
            f'{{"T":{trade.ns // MS},"s":"{self.symbol}","S":"{trade.taker_side.title()}",'
            f'"v":"{self.size(trade.lots)}","p":"{self.price(trade.tick)}","L":"PlusTick",'
            f'"i":"{exec_id(self.instrument.key, trade)}","BT":false,"RPI":false,"seq":{trade.update_id}}}'
        )

    def _liquidations(self, orders: list[Liquidation], ns: int) -> str:
        """The side is that of the position: a short is bought back."""
        rows = [
            f'{{"T":{one.ns // MS},"s":"{self.symbol}","S":"{"Sell" if one.buys else "Buy"}",'
            f'"v":"{self.size(one.lots)}","p":"{self.price(one.tick)}"}}'
            for one in orders
        ]
        return f"[{','.join(rows)}]"

    # --- tickers

    def _tickers(self, ns: int) -> Iterator[Frame]:
        """What changed; of spot and options all of it."""
        if self.topic("tickers") not in self.wanted:
            return
        now = self._state(ns)
        changed = {name: text for name, text in now.items() if self._ticker.get(name) != text}
        if changed:
            self._ticker = now
            is_whole = self.instrument.kind in (Kind.SPOT, Kind.OPTION)
            yield self._ticker_frame("snapshot" if is_whole else "delta", now if is_whole else changed, ns)

    def _state(self, ns: int) -> dict[str, str]:
        last = {"lastPrice": self.price(self._last)}
        if self.market.option is not None:
            return last | self._worth(self.market.option, ns)
        kind = self.instrument.kind
        if kind is Kind.SPOT:
            return last
        mark, quote, is_swap = self.market.mark(ns), self._best, kind is Kind.PERPETUAL
        return {
            **last,
            "markPrice": self.near(mark.mark_price),
            "indexPrice": self.near(mark.index_price),
            "fundingRate": f"{mark.funding_rate:.8f}" if is_swap else "",
            "nextFundingTime": str(mark.next_funding_ns // MS) if is_swap else "",
            **self._open(mark),
            "bid1Price": self.price(quote.bid),
            "bid1Size": self.size(quote.bid_lots),
            "ask1Price": self.price(quote.ask),
            "ask1Size": self.size(quote.ask_lots),
        }

    def _worth(self, option: OptionValuation, ns: int) -> dict[str, str]:
        now, quote, value = option.worth(ns), self._best, self.instrument.price.value
        bid_iv, ask_iv = (option.volatility(value(tick), now, ns) for tick in (quote.bid, quote.ask))
        return {
            "bidPrice": self.price(quote.bid),
            "bidSize": self.size(quote.bid_lots),
            "bidIv": f"{bid_iv:.4f}",
            "askPrice": self.price(quote.ask),
            "askSize": self.size(quote.ask_lots),
            "askIv": f"{ask_iv:.4f}",
            "markPrice": f"{now.price:.8f}",
            "indexPrice": f"{self.market.mark(ns).index_price:.2f}",
            "markPriceIv": f"{now.volatility:.6f}",
            "underlyingPrice": f"{now.forward:.4f}",
            "openInterest": self.size(self.market.open_lots),
            "delta": f"{now.delta:.8f}",
            "gamma": f"{now.gamma:.10f}",
            "vega": f"{now.vega:.8f}",
            "theta": f"{now.theta:.8f}",
        }

    def _open(self, mark: Mark) -> dict[str, str]:
        """Both sides, and one of them; the value of inverse contracts is in the base currency."""
        size = self.instrument.size.value(2 * self.market.open_lots)
        value = size / mark.mark_price if self.instrument.inverse else size * mark.mark_price
        return {
            "openInterest": self.size(2 * self.market.open_lots),
            "openInterestValue": f"{value:.2f}",
            "singleOpenInterest": self.size(self.market.open_lots),
        }

    def _ticker_frame(self, kind: str, fields: dict[str, str], ns: int) -> Frame:
        stated = "".join([f',"{name}":"{text}"' for name, text in fields.items()])
        data = f'{{"symbol":"{self.symbol}"{stated}}}'
        return self._frame("tickers", kind, data, ns, f',"cs":{self.market.update_id}')

    def _frame(self, channel: str, kind: str, data: str, ns: int, more: str) -> Frame:
        return self.frame_on(self.topic(channel), channel, self.envelope(channel, data, ns, kind, more), ns)


def exec_id(key: str, trade: Trade) -> UUID:
    """The trade's id; its number is in the lower half."""
    return UUID(int=crc32(key.encode()) << 96 | trade.trade_id)
