"""Binance futures: the streams of one contract. That `depth@0ms` sends each change was probed in autumn 2026."""

from __future__ import annotations

from collections.abc import Container, Iterator

from mdplatform.core.symbols import Kind
from mdplatform.simulator.engine.events import Change, Event, Liquidation, Mark, Quote, Trade
from mdplatform.simulator.engine.feed import Batch, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.venues.binance.streams import StreamsFeed, boolean

PUBLISH_NS = 50_000_000  # what its cadences of 100, 250 and 500 ms are multiples of
_MS = 1_000_000
_SECOND = 1_000_000_000
_CADENCES = {100 * _MS: ("@100ms",), 250 * _MS: ("", "@250ms"), 500 * _MS: ("@500ms",)}
_PARTIAL = (5, 10, 20)
_IDS = 4  # update ids are drawn from one counter for all symbols: those of one symbol lie apart


class FuturesFeed(StreamsFeed):
    """Both venues' streams. The class of a stream is the connection's business."""

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        instrument = self.instrument
        self._diffs = {cadence: Batch() for cadence in _CADENCES}
        self._liquidation: Liquidation | None = None
        self._quote = market.quote(0)
        self._tags = f'"st":{2 if instrument.inverse else 1}'
        self._pair = f'"ps":"{instrument.base}{instrument.quote}"'

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Change):
            for batch in self._diffs.values():
                batch.add(event)
            if f"{self.name}@depth@0ms" in self.wanted:
                single = Batch()
                single.add(event)
                yield from self.publish(event.ns, "depth@0ms", self._diff, single)
        elif isinstance(event, Trade):
            yield from self.publish(event.ns, "trade", self._trade, event)
            yield from self.aggregated(event)
        elif isinstance(event, Quote):
            self._quote = event
            yield from self.publish(event.ns, "bookTicker", self._ticker, event)
        else:
            self._liquidation = event

    def edge(self, ns: int) -> Iterator[Frame]:
        yield from self.aggregated(None)
        for cadence, suffixes in _CADENCES.items():
            batch = self._diffs[cadence]
            if batch and ns % cadence == 0:
                self._diffs[cadence] = Batch()
                for suffix in suffixes:
                    yield from self.publish(ns, f"depth{suffix}", self._diff, batch)
                    for depth in _PARTIAL:
                        yield from self.publish(ns, f"depth{depth}{suffix}", self._partial, (depth, batch))
        if ns % _SECOND == 0:
            yield from self._each_second(ns)

    def _each_second(self, ns: int) -> Iterator[Frame]:
        forced, self._liquidation = self._liquidation, None
        if forced is not None:  # the latest one of the second; the others are never published
            yield from self.publish(ns, "forceOrder", self._force_order, forced)
            yield from self._to_all("!forceOrder@arr", ns, self._force_order(forced, ns, _MS))
        for suffix, seconds in (("@1s", 1), ("", 3)):
            if ns % (seconds * _SECOND) == 0:
                yield from self.publish(ns, f"markPrice{suffix}", self._mark_price, None)
                if f"!markPrice@arr{suffix}" in self.wanted:
                    yield from self._to_all(f"!markPrice@arr{suffix}", ns, f"[{self._mark_price(None, ns, _MS)}]")
        if ns % (5 * _SECOND) == 0 and "!bookTicker" in self.wanted:
            yield from self._to_all("!bookTicker", ns, self._ticker(self._quote, ns, _MS))

    def _to_all(self, topic: str, ns: int, text: str) -> Iterator[Frame]:
        """The frame for the subscribers of every symbol."""
        if topic in self.wanted:
            yield self.frame_on(topic, topic.partition("@")[0].lstrip("!"), text, ns)

    def _diff(self, batch: Batch, ns: int, unit: int) -> str:
        return self._depth(batch, ns, *self.sides(batch.bids.items(), batch.asks.items()))

    def _partial(self, what: tuple[int, Batch], ns: int, unit: int) -> str:
        depth, batch = what
        return self._depth(batch, ns, *self.top(depth))

    def _depth(self, batch: Batch, ns: int, bids: str, asks: str) -> str:
        """`pu` is the id before the first: where the venue skips ids, it is not the last `u`."""
        return (
            f'{{"e":"depthUpdate","E":{ns // _MS},"T":{ns // _MS},"s":"{self.symbol}",{self._tags},{self._pair},'
            f'"U":{wire_id(batch.first) - 1},"u":{wire_id(batch.last)},"pu":{wire_id(batch.first - 1)},'
            f'"b":[{bids}],"a":[{asks}]}}'
        )

    def _trade(self, trade: Trade, ns: int, unit: int) -> str:
        return (
            f'{{"e":"trade","E":{ns // _MS},"T":{trade.ns // _MS},"s":"{self.symbol}","t":{trade.trade_id},'
            f'"p":"{self.price(trade.tick)}","q":"{self.size(trade.lots)}","X":"MARKET",'
            f'"m":{boolean(not trade.taker_buys)},{self._tags}}}'
        )

    def aggregate_text(self, trades: list[Trade], ns: int, unit: int) -> str:
        first, size = trades[0], self.size(sum(trade.lots for trade in trades))
        return (
            f'{{"e":"aggTrade","E":{ns // _MS},"a":{first.order_id},"s":"{self.symbol}",'
            f'"p":"{self.price(first.tick)}","q":"{size}","nq":"{size}","f":{first.trade_id},'
            f'"l":{trades[-1].trade_id},"T":{first.ns // _MS},"m":{boolean(not first.taker_buys)},{self._tags}}}'
        )

    def _ticker(self, quote: Quote, ns: int, unit: int) -> str:
        price, size = self.price, self.size
        return (
            f'{{"e":"bookTicker","u":{wire_id(quote.update_id)},"E":{ns // _MS},"T":{ns // _MS},"s":"{self.symbol}",'
            f'"b":"{price(quote.bid)}","B":"{size(quote.bid_lots)}","a":"{price(quote.ask)}",'
            f'"A":"{size(quote.ask_lots)}",{self._tags},{self._pair}}}'
        )

    def _mark_price(self, _: None, ns: int, unit: int) -> str:
        mark = self.market.mark(ns)
        rate, next_ms = funding(self.market, mark)
        return (
            f'{{"e":"markPriceUpdate","E":{ns // _MS},"s":"{self.symbol}","p":"{mark.mark_price:.8f}",'
            f'"ap":"{mark.mark_price:.8f}","i":"{mark.index_price:.8f}","P":"{mark.index_price:.8f}",'
            f'"r":"{rate}","T":{next_ms},{self._tags}}}'
        )

    def _force_order(self, forced: Liquidation, ns: int, unit: int) -> str:
        size, lattice = self.size(forced.lots), self.instrument.price
        return (
            f'{{"e":"forceOrder","E":{ns // _MS},"o":{{"s":"{self.symbol}",{self._pair},'
            f'"S":"{"BUY" if forced.buys else "SELL"}","o":"LIMIT","f":"IOC","q":"{size}",'
            f'"p":"{self.price(forced.tick)}","ap":"{lattice.value(forced.average):.{lattice.decimals + 2}f}",'
            f'"X":"FILLED","l":"{size}","z":"{size}","T":{forced.ns // _MS}}}}}'
        )


def wire_id(update_id: int) -> int:
    """A market's update id as the venue writes it."""
    return update_id * _IDS


def funding(market: Market, mark: Mark) -> tuple[str, int]:
    """(rate, ms of the next payment) as the venue writes them: "" and 0 for dated contracts."""
    perpetual = market.instrument.kind == Kind.PERPETUAL
    return (f"{mark.funding_rate:.8f}" if perpetual else "", mark.next_funding_ns // _MS)
