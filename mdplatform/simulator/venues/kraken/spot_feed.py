"""Kraken spot, WebSocket v2: what the channels of one pair publish."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from zlib import crc32

from mdplatform.simulator.engine.events import Event, Quote, Trade
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.protocol.wire import iso

VENUE = "kraken"
DEPTHS = (10, 25, 100, 500, 1000)
PUBLISH_NS = 50_000_000
LATEST = 50  # trades that a subscription begins with
_CHECKED = 10  # levels a side in a checksum

Sides = tuple[dict[int, int], dict[int, int]]


class SpotFeed(Feed):
    """One pair. A book of some depth tells what came or changed in it and what is gone, not what fell behind it."""

    venue = VENUE

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._price, self._size = market.instrument.price.text, market.instrument.size.text
        self._told: dict[int, Sides] = {}  # depth -> the book as its subscribers have it

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Trade):
            yield from self._to("trade", f'"update","data":[{self.trade(event)}]', event.ns)
        elif isinstance(event, Quote):
            yield from self._to("ticker", f'"update","data":[{self._best(event)}]', event.ns)

    def edge(self, ns: int) -> Iterator[Frame]:
        for depth in DEPTHS:
            if f"book-{depth}:{self.symbol}" not in self.wanted:
                self._told.pop(depth, None)
            elif depth in self._told:
                yield from self._update(depth, ns)

    def snapshot(self, depth: int, ns: int) -> Frame:
        """The book that the next update leads on from."""
        told = self._told.setdefault(depth, self._now(depth))
        return self._book("snapshot", depth, told, told, ns)

    def best(self, ns: int) -> Frame:
        text = f'"snapshot","data":[{self._best(self.market.quote(ns))}]'
        return self.frame(f"ticker:{self.symbol}", "ticker", _message("ticker", text), ns)

    def latest(self, trades: Iterable[Trade], ns: int) -> Frame:
        text = f'"snapshot","data":[{",".join(map(self.trade, trades))}]'
        return self.frame(f"trade:{self.symbol}", "trade", _message("trade", text), ns)

    def trade(self, trade: Trade) -> str:
        return (
            f'{{"symbol":"{self.symbol}","side":"{trade.taker_side}",'
            f'"price":{self._price(trade.tick)},"qty":{self._size(trade.lots)},"ord_type":"limit",'
            f'"trade_id":{trade.trade_id},"timestamp":"{iso(trade.ns)}"}}'
        )

    def printed(self, trade: Trade) -> str:
        """The trade as REST lists it."""
        seconds, rest = divmod(trade.ns, 1_000_000_000)
        side = "b" if trade.taker_buys else "s"
        price, size = self._price(trade.tick), self._size(trade.lots)
        return f'["{price}","{size}",{seconds}.{rest // 100:07d},"{side}","l","",{trade.trade_id}]'

    def _update(self, depth: int, ns: int) -> Iterator[Frame]:
        before, now = self._told[depth], self._now(depth)
        if before == now:
            return
        sides = (self.market.bids, self.market.asks)
        changes = tuple(
            {
                **{tick: lots for tick, lots in after.items() if was.get(tick) != lots},
                **{tick: 0 for tick in was.keys() - after.keys() if tick not in side.lots},
            }
            for was, after, side in zip(before, now, sides, strict=True)
        )
        self._told[depth] = now
        yield self._book("update", depth, (changes[0], changes[1]), now, ns)

    def _now(self, depth: int) -> Sides:
        return dict(self.market.bids.top(depth)), dict(self.market.asks.top(depth))

    def _book(self, kind: str, depth: int, levels: Sides, book: Sides, ns: int) -> Frame:
        bids, asks = (self._levels(side) for side in levels)
        checked = [list(side.items())[:_CHECKED] for side in book]
        crc = _checksum(*([(self._price(tick), self._size(lots)) for tick, lots in side] for side in checked[::-1]))
        data = f'{{"symbol":"{self.symbol}","bids":[{bids}],"asks":[{asks}],"checksum":{crc},"timestamp":"{iso(ns)}"}}'
        body = _message("book", f'"{kind}","data":[{data}]')
        return self.frame(f"book-{depth}:{self.symbol}", "book", body, ns)

    def _levels(self, side: dict[int, int]) -> str:
        return ",".join([f'{{"price":{self._price(tick)},"qty":{self._size(lots)}}}' for tick, lots in side.items()])

    def _best(self, quote: Quote) -> str:
        price, size = self._price, self._size
        return (
            f'{{"symbol":"{self.symbol}","bid":{price(quote.bid)},"bid_qty":{size(quote.bid_lots)},'
            f'"ask":{price(quote.ask)},"ask_qty":{size(quote.ask_lots)},"last":{price(quote.bid)},'
            f'"timestamp":"{iso(quote.ns)}"}}'
        )

    def _to(self, channel: str, text: str, ns: int) -> Iterator[Frame]:
        topic = f"{channel}:{self.symbol}"
        if topic in self.wanted:
            yield self.frame(topic, channel, _message(channel, text), ns)


def _message(channel: str, text: str) -> bytes:
    return f'{{"channel":"{channel}","type":{text}}}'.encode()


def _checksum(asks: Iterable[tuple[str, str]], bids: Iterable[tuple[str, str]]) -> int:
    """CRC-32 of the best levels' digits: asks then bids, price then size."""
    text = "".join(digits for side in (asks, bids) for level in side for digits in map(_digits, level))
    return crc32(text.encode())


def _digits(text: str) -> str:
    return text.replace(".", "").lstrip("0")
