"""Kraken spot, WebSocket v2: what the channels of one pair publish."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from zlib import crc32

from mdplatform.simulator.engine.events import Event, Quote, Trade
from mdplatform.simulator.engine.feed import Feed, Frame, Sides
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.protocol.wire import iso

VENUE = "kraken"
DEPTHS = (10, 25, 100, 500, 1000)
PUBLISH_NS = 50_000_000
LATEST = 50  # trades that a subscription begins with
_CHECKED = 10  # levels a side in a checksum


class SpotFeed(Feed):
    """One pair. A book of some depth publishes what came or changed in it and what is gone, not what fell behind it."""

    venue = VENUE
    gone = None

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        super().__init__(market, wanted)
        self._published: dict[int, Sides] = {}  # depth -> the book as its subscribers have it

    def level(self, price: str, size: str) -> str:
        return f'{{"price":{price},"qty":{size}}}'

    def event(self, event: Event) -> Iterator[Frame]:
        if isinstance(event, Trade):
            yield from self.to(event.ns, "trade", self._trade, event)
        elif isinstance(event, Quote):
            yield from self.to(event.ns, "ticker", self._best, event)

    def edge(self, ns: int) -> Iterator[Frame]:
        for depth in DEPTHS:
            if self.topic(f"book-{depth}") not in self.wanted:
                self._published.pop(depth, None)
            elif depth in self._published:
                yield from self._update(depth, ns)

    def snapshot(self, depth: int, ns: int) -> Frame:
        """The book that the next update leads on from."""
        published = self._published.setdefault(depth, self._now(depth))
        return self._book("snapshot", depth, published, published, ns)

    def best(self, ns: int) -> Frame:
        return self._snapshot("ticker", self._best(self.market.quote(ns), ns), ns)

    def latest(self, trades: Iterable[Trade], ns: int) -> Frame:
        return self._snapshot("trade", ",".join([self._trade(trade, ns) for trade in trades]), ns)

    def envelope(self, channel: str, text: str, ns: int) -> str:
        return _message(channel, "update", text)

    def _snapshot(self, channel: str, rows: str, ns: int) -> Frame:
        return self.frame_on(self.topic(channel), channel, _message(channel, "snapshot", rows), ns)

    def _trade(self, trade: Trade, ns: int) -> str:
        return (
            f'{{"symbol":"{self.symbol}","side":"{trade.taker_side}",'
            f'"price":{self.price(trade.tick)},"qty":{self.size(trade.lots)},"ord_type":"limit",'
            f'"trade_id":{trade.trade_id},"timestamp":"{iso(trade.ns)}"}}'
        )

    def rest_trade(self, trade: Trade) -> str:
        """The trade as REST lists it."""
        seconds, rest = divmod(trade.ns, 1_000_000_000)
        side = "b" if trade.taker_buys else "s"
        price, size = self.price(trade.tick), self.size(trade.lots)
        return f'["{price}","{size}",{seconds}.{rest // 100:07d},"{side}","l","",{trade.trade_id}]'

    def _update(self, depth: int, ns: int) -> Iterator[Frame]:
        before, now = self._published[depth], self._now(depth)
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
        self._published[depth] = now
        yield self._book("update", depth, (changes[0], changes[1]), now, ns)

    def _now(self, depth: int) -> Sides:
        return dict(self.market.bids.top(depth)), dict(self.market.asks.top(depth))

    def _book(self, kind: str, depth: int, levels: Sides, book: Sides, ns: int) -> Frame:
        bids, asks = self.sides(*(side.items() for side in levels))
        checked = [list(side.items())[:_CHECKED] for side in book]
        crc = _checksum(*([(self.price(tick), self.size(lots)) for tick, lots in side] for side in checked[::-1]))
        data = f'{{"symbol":"{self.symbol}","bids":[{bids}],"asks":[{asks}],"checksum":{crc},"timestamp":"{iso(ns)}"}}'
        return self.frame_on(self.topic(f"book-{depth}"), "book", _message("book", kind, data), ns)

    def _best(self, quote: Quote, ns: int) -> str:
        price, size = self.price, self.size
        return (
            f'{{"symbol":"{self.symbol}","bid":{price(quote.bid)},"bid_qty":{size(quote.bid_lots)},'
            f'"ask":{price(quote.ask)},"ask_qty":{size(quote.ask_lots)},"last":{price(quote.bid)},'
            f'"timestamp":"{iso(quote.ns)}"}}'
        )


def _message(channel: str, kind: str, rows: str) -> str:
    return f'{{"channel":"{channel}","type":"{kind}","data":[{rows}]}}'


def _checksum(asks: Iterable[tuple[str, str]], bids: Iterable[tuple[str, str]]) -> int:
    """CRC-32 of the best levels' digits: asks then bids, price then size."""
    text = "".join(digits for side in (asks, bids) for level in side for digits in map(_digits, level))
    return crc32(text.encode())


def _digits(text: str) -> str:
    return text.replace(".", "").lstrip("0")
