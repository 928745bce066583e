"""From a market's events to the frames that a venue publishes. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, NamedTuple

from mdplatform.simulator.engine.events import Change, Event, Trade
from mdplatform.simulator.engine.market import Market

EDGE_NS = 50_000_000  # the finest batching any venue uses; every other cadence is a multiple
MS = 1_000_000

Levels = Iterable[tuple[int, int]]  # (tick, lots)
Sides = tuple[dict[int, int], dict[int, int]]  # bids and asks: tick -> lots


class Frame(NamedTuple):
    """What every subscriber of `topic` is sent; the connection adds its own envelope."""

    venue: str
    topic: str
    symbol: str  # the venue's name of the instrument
    channel: str
    body: bytes
    ns: int


class Feed:
    """One venue's publication of one market. `wanted` holds the topics that somebody subscribes to."""

    venue = ""
    batch_ns = EDGE_NS  # from edge to edge
    gone: str | None = "0"  # the size of a level that is gone; None: zero as sizes are written

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        self.market = market
        self.wanted = wanted
        self.instrument = market.instrument
        self.symbol = market.instrument.symbol
        self.price: Callable[[int], str] = market.instrument.price.text
        self.size: Callable[[int], str] = market.instrument.size.text

    def event(self, event: Event) -> Iterator[Frame]:
        """Frames that follow from one event at once."""
        return iter(())

    def edge(self, ns: int) -> Iterator[Frame]:
        """Frames that are due at a multiple of EDGE_NS, after all events up to it."""
        return iter(())

    def due(self, ns: int, every_ns: int) -> bool:
        """Whether a multiple of ``every_ns`` has come since the last edge."""
        return ns % every_ns < self.batch_ns

    # --- what most venues write alike

    def topic(self, channel: str) -> str:
        return f"{channel}:{self.symbol}"

    def envelope(self, channel: str, text: str, ns: int) -> str:
        """What a channel's frames have around their data."""
        return text

    def to(self, ns: int, channel: str, write: Callable[[Any, int], str], subject: Any = None) -> Iterator[Frame]:
        """The frame that ``write(subject, ns)`` makes, if somebody subscribes to the channel."""
        if self.topic(channel) in self.wanted:
            yield self.frame(channel, write(subject, ns), ns)

    def frame(self, channel: str, text: str, ns: int) -> Frame:
        return self.frame_on(self.topic(channel), channel, self.envelope(channel, text, ns), ns)

    def frame_on(self, topic: str, channel: str, text: str, ns: int) -> Frame:
        return Frame(self.venue, topic, self.symbol, channel, text.encode(), ns)

    def level(self, price: str, size: str) -> str:
        """A row of a book."""
        return f'["{price}","{size}"]'

    def levels(self, levels: Levels) -> str:
        """The rows of one side of a book."""
        price, size, level, gone = self.price, self.size, self.level, self.gone
        return ",".join([level(price(tick), size(lots) if lots or gone is None else gone) for tick, lots in levels])

    def sides(self, bids: Levels, asks: Levels) -> tuple[str, str]:
        return self.levels(bids), self.levels(asks)

    def top(self, depth: int | None = None) -> tuple[str, str]:
        """The rows of the best levels of both sides; of all of them without a depth."""
        market = self.market
        return self.sides(*(side.top(len(side) if depth is None else depth) for side in (market.bids, market.asks)))

    def near(self, price: float) -> str:
        """A price of the quote currency at the nearest tick."""
        return self.price(round(self.instrument.price.units(price)))


class Batch:
    """Levels changed since the last flush, each with its latest size."""

    __slots__ = ("asks", "bids", "first", "last")

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.first = self.last = 0

    def __bool__(self) -> bool:
        return self.last > 0

    def add(self, change: Change) -> None:
        self.first = self.first or change.update_id
        self.last = change.update_id
        (self.bids if change.is_bid else self.asks)[change.tick] = change.lots


class PublishedBook:
    """The best ``depth`` levels of a market as the subscribers of a channel have them.

    A level that falls behind the best is a change to 0; one that comes up is a change to its size.
    """

    def __init__(self, market: Market, depth: int) -> None:
        self._market, self._depth = market, depth
        self.sides: Sides = ({}, {})
        self._seen_id = market.update_id  # of the market as it was looked at last
        self.previous_id = self.skipped = 0  # of the last change: the id it follows on, ids left out before it
        self._stamp()

    def rebase(self) -> None:
        """Somebody subscribes where nobody did: the chain of changes starts from the book of now."""
        self.sides = self.now()
        self._stamp()

    def advance(self) -> Sides | None:
        """The levels that changed since the last time, None where none did."""
        if self._market.update_id == self._seen_id:
            return None
        now = self.now()
        changed = _changed(self.sides[0], now[0]), _changed(self.sides[1], now[1])
        if not changed[0] and not changed[1]:
            self._seen_id = self._market.update_id
            return None
        self.skipped = self._market.skipped - self._skipped_before
        self.previous_id = self.last_id + self.skipped
        self.sides = now
        self._stamp()
        return changed

    def now(self) -> Sides:
        return dict(self._market.bids.top(self._depth)), dict(self._market.asks.top(self._depth))

    def _stamp(self) -> None:
        self.last_id, self._skipped_before = self._market.update_id, self._market.skipped
        self._seen_id = self.last_id


class Fills:
    """The fills of one taker's order at one price, which venues publish as one; they are out when the next begin."""

    def __init__(self) -> None:
        self._fills: list[Trade] = []

    def ended_by(self, trade: Trade | None) -> list[Trade]:
        """The fills that this trade (None: an edge) ends; empty where they go on."""
        done = self._fills
        if trade is not None and done and trade.order_id == done[0].order_id:
            done.append(trade)
            return []
        self._fills = [] if trade is None else [trade]
        return done


def _changed(before: dict[int, int], after: dict[int, int]) -> dict[int, int]:
    changed = {tick: lots for tick, lots in after.items() if before.get(tick) != lots}
    changed.update(dict.fromkeys(before.keys() - after.keys(), 0))
    return changed
