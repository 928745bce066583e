"""Deribit: what the channels of one instrument publish. Numbers are JSON numbers, times ms.

An amount is written in the shorter of two forms, 100.0 or 2.2e3 (probed in autumn 2026). Books of 100 ms may trail the
REST interface by a second and more at the venue (probed, of USDC books); here they do not.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Mark, Quote, Trade
from mdplatform.simulator.engine.feed import MS, Batch, Feed, Frame
from mdplatform.simulator.engine.ladder import Ladder
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.engine.prices import OptionValuation

VENUE = "deribit"
PUBLISH_NS = 100_000_000
_EVERY_NS = {"100ms": PUBLISH_NS, "agg2": 1_000_000_000}
INTERVALS = ("raw", *_EVERY_NS)
DEPTHS = (1, 10, 20)
# Indices by the channel that publishes them.
INDICES = {
    "deribit_price_index": ("btc_usd", "eth_usd", "btc_usdc", "eth_usdc"),
    "deribit_volatility_index": ("btc_usd", "eth_usd"),
}
_INDEX_NS = 1_000_000_000
_OPTION_NS = 1_000_000_000  # what an option is worth changes less often than what it is worth of


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
    gone = None

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        write = self.instrument.size.text
        self.size = lambda lots: shortest(write(lots))
        self._chains = {interval: Chain() for interval in INTERVALS}
        self._unpublished: dict[str, list[Trade]] = {interval: [] for interval in INTERVALS}

    def level(self, price: str, size: str) -> str:
        return f"[{price},{size}]"

    def event(self, event: Event) -> Iterator[Frame]:
        match event:
            case Change():
                for chain in self._chains.values():
                    chain.batch.add(event)
                yield from self.changes("raw", event.ns)
            case Trade():
                for trades in self._unpublished.values():
                    trades.append(event)
                yield from self._traded("raw", event.ns)
            case Quote():
                yield from self.to(event.ns, "quote", self._quote, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        for interval, every_ns in _EVERY_NS.items():
            if ns % every_ns == 0:
                yield from self.changes(interval, ns)
                yield from self._traded(interval, ns)
                if self.market.option is None or ns % _OPTION_NS == 0:
                    yield from self.to(ns, f"ticker.{interval}", self._ticker)
                yield from self.to(ns, f"perpetual.{interval}", self._perpetual)
                for depth in DEPTHS:
                    yield from self.to(ns, f"book.none.{depth}.{interval}", self._none, depth)

        if ns % _INDEX_NS == 0 and self.instrument.kind is Kind.PERPETUAL:
            yield from self.to(ns, "deribit_price_index", self._price)
            yield from self.to(ns, "deribit_volatility_index", self._volatility)

    def topic(self, channel: str) -> str:
        """The channel's name with the instrument's after its first word."""
        head, dot, rest = channel.partition(".")
        if head in INDICES:
            return f"{head}.{self._index}"
        return f"{head}.{self.symbol}{dot}{rest}"

    def envelope(self, channel: str, text: str, ns: int) -> str:
        params = f'{{"channel":"{self.topic(channel)}","data":{text}}}'
        return f'{{"jsonrpc":"2.0","method":"subscription","params":{params}}}'

    def first(self, topic: str, ns: int) -> Frame | None:
        """What a new subscription begins with."""
        head, _, *rest = topic.split(".")
        channel = ".".join((head, *rest))
        match head, rest:
            case "book", [interval]:
                self._chains[interval].start(self.market.bids, self.market.asks)
                text = self._snapshot(ns)
            case "book", [_, depth, _]:
                text = self._none(int(depth), ns)
            case "quote", _:
                text = self._quote(self.market.quote(ns), ns)
            case "ticker", _:
                text = self._ticker(None, ns)
            case "deribit_price_index", _:
                channel, text = head, self._price(None, ns)
            case "deribit_volatility_index", _:
                channel, text = head, self._volatility(None, ns)
            case _:
                return None
        return self.frame(channel, text, ns)

    # --- the book

    def changes(self, interval: str, ns: int) -> Iterator[Frame]:
        """What has gathered since the last change of this interval."""
        chain = self._chains[interval]
        if chain.batch:
            yield from self.to(ns, f"book.{interval}", self._change, chain)
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
        price, size = self.price, self.size
        return ",".join([f'["{action}",{price(tick)},{size(lots)}]' for action, tick, lots in levels])

    def _none(self, depth: int, ns: int) -> str:
        """The best levels of a book that is not grouped."""
        bids, asks = self.top(depth)
        return f'{{{self._about(ns)},"change_id":{self.market.update_id},"bids":[{bids}],"asks":[{asks}]}}'

    def _quote(self, quote: Quote, ns: int) -> str:
        price, size = self.price, self.size
        return (
            f'{{{self._about(ns)},"best_bid_price":{price(quote.bid)},"best_bid_amount":{size(quote.bid_lots)},'
            f'"best_ask_price":{price(quote.ask)},"best_ask_amount":{size(quote.ask_lots)}}}'
        )

    # --- trades and prices

    def _traded(self, interval: str, ns: int) -> Iterator[Frame]:
        trades = self._unpublished[interval]
        if trades:
            yield from self.to(ns, f"trades.{interval}", self._trades, trades)
            trades.clear()

    def _trades(self, trades: list[Trade], ns: int) -> str:
        return f"[{','.join(map(self.trade, trades))}]"

    def trade(self, trade: Trade) -> str:
        """A flag says that its taker was liquidated."""
        market = self.market
        mark, base = market.mark(trade.ns), self.instrument.base
        flag = ',"liquidation":"T"' if trade.forced else ""
        return (
            f'{{"trade_seq":{trade.trade_id},"trade_id":"{"" if base == "BTC" else base + "-"}{trade.trade_id}",'
            f'{self._about(trade.ns)},"tick_direction":0,"price":{self.price(trade.tick)},'
            f'"amount":{self.size(trade.lots)},"direction":"{trade.taker_side}",'
            f'"mark_price":{mark.mark_price:.4f},"index_price":{mark.index_price:.4f}{flag}}}'
        )

    def _ticker(self, _: None, ns: int) -> str:
        market = self.market
        mark, quote = market.mark(ns), market.quote(ns)
        funding = ""
        if self.instrument.kind is Kind.PERPETUAL:
            rate = f"{mark.funding_rate:.10f}"
            funding = f',"current_funding":{rate},"funding_8h":{rate},"interest_value":0.0049'
        if market.option is not None:
            return self._option(market.option, mark, quote, ns)
        return (
            f'{{{self._about(ns)},"state":"open","mark_price":{mark.mark_price:.4f},"index_price":{mark.index_price:.4f},'
            f'"best_bid_price":{self.price(quote.bid)},"best_bid_amount":{self.size(quote.bid_lots)},'
            f'"best_ask_price":{self.price(quote.ask)},"best_ask_amount":{self.size(quote.ask_lots)},'
            f'"open_interest":{self.size(self.market.open_lots)},"last_price":{self.price(quote.bid)}{funding}}}'
        )

    def _option(self, option: OptionValuation, mark: Mark, quote: Quote, ns: int) -> str:
        """Volatilities in percent; of its forward the future that expires with it, else one that is made up."""
        now = option.worth(ns)
        bid_iv, ask_iv = (
            100 * option.volatility(self.instrument.price.value(tick), now, ns) for tick in (quote.bid, quote.ask)
        )
        greeks = (
            f'{{"delta":{now.delta:.5f},"gamma":{now.gamma:.8f},"vega":{now.vega:.5f},"theta":{now.theta:.5f},'
            f'"rho":{now.rho:.5f}}}'
        )
        return (
            f'{{{self._about(ns)},"state":"open","mark_price":{mark.mark_price:.6f},"index_price":{mark.index_price:.4f},'
            f'"best_bid_price":{self.price(quote.bid)},"best_bid_amount":{self.size(quote.bid_lots)},'
            f'"best_ask_price":{self.price(quote.ask)},"best_ask_amount":{self.size(quote.ask_lots)},'
            f'"open_interest":{self.size(self.market.open_lots)},"last_price":{self.price(quote.bid)},'
            f'"mark_iv":{100 * now.volatility:.4f},"bid_iv":{bid_iv:.4f},"ask_iv":{ask_iv:.4f},"greeks":{greeks},'
            f'"underlying_index":"SYN.{self.symbol.rsplit("-", 2)[0]}","underlying_price":{now.forward:.4f},'
            f'"interest_rate":0.0}}'
        )

    def _perpetual(self, _: None, ns: int) -> str:
        return f'{{"interest":0.0049,"index_price":{self.market.mark(ns).index_price:.4f},"timestamp":{ns // MS}}}'

    @property
    def _index(self) -> str:
        pair = self.symbol.partition("-")[0].lower()
        return pair if "_" in pair else f"{pair}_usd"

    def _price(self, _: None, ns: int) -> str:
        price = self.market.mark(ns).index_price
        return f'{{"timestamp":{ns // MS},"price":{price:.2f},"index_name":"{self._index}"}}'

    def _volatility(self, _: None, ns: int) -> str:
        """Some 50 % a year, and more as the perpetual is dearer than the index."""
        mark = self.market.mark(ns)
        volatility = 50 + 1_000 * abs(mark.mark_price / mark.index_price - 1)
        return f'{{"timestamp":{ns // MS},"volatility":{volatility:.4f},"index_name":"{self._index}"}}'

    def _about(self, ns: int) -> str:
        return f'"timestamp":{ns // MS},"instrument_name":"{self.symbol}"'


def shortest(text: str) -> str:
    """A number as the venue writes it: with an exponent where that takes fewer characters."""
    if not text.endswith("00.0"):
        return text
    digits = text.removesuffix(".0")
    short = f"{digits[0]}.{digits[1:].rstrip('0') or '0'}e{len(digits) - 1}"
    return short if len(short) < len(text) else text
