"""From a market's events to the frames that a venue publishes. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from mdplatform.simulator.engine.events import Change, Event
from mdplatform.simulator.engine.market import Market

EDGE_NS = 50_000_000  # the finest batching any venue uses; every other cadence is a multiple


class Frame(NamedTuple):
    """What everybody subscribed to `topic` is sent; the connection adds its own envelope."""

    venue: str
    topic: str
    symbol: str  # the venue's name of the instrument
    channel: str
    body: bytes
    ns: int


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


class Feed:
    """One venue's publication of one market. `wanted` holds the topics that somebody listens to."""

    venue = ""
    batch_ns = EDGE_NS  # from edge to edge

    def __init__(self, market: Market, wanted: Container[str]) -> None:
        self.market = market
        self.wanted = wanted
        self.symbol = market.instrument.symbol

    def event(self, event: Event) -> Iterator[Frame]:
        """Frames that follow from one event at once."""
        raise NotImplementedError

    def edge(self, ns: int) -> Iterator[Frame]:
        """Frames that are due at a multiple of EDGE_NS, after all events up to it."""
        raise NotImplementedError

    def due(self, ns: int, every_ns: int) -> bool:
        """Whether a multiple of ``every_ns`` has come since the last edge."""
        return ns % every_ns < self.batch_ns

    def frame(self, topic: str, channel: str, body: bytes, ns: int) -> Frame:
        return Frame(self.venue, topic, self.symbol, channel, body, ns)
