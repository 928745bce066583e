"""From a market's events to the frames that a venue publishes. Pure: time is an argument."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator
from typing import NamedTuple

from mdplatform.simulator.market import Change, Event, Market, Print

EDGE_NS = 50_000_000  # the finest batching any venue uses; every other cadence is a multiple
_WHOLE_NS = 1_000_000_000
_KEPT_TRADES = 5_000


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

    def frame(self, topic: str, channel: str, body: bytes, ns: int) -> Frame:
        return Frame(self.venue, topic, self.symbol, channel, body, ns)


class Floor:
    """A market with everything that publishes it: steps the market from edge to edge and keeps its recent trades."""

    def __init__(self, market: Market, start_ns: int) -> None:
        self.market = market
        self.feeds: list[Feed] = []
        self.trades: deque[Print] = deque(maxlen=_KEPT_TRADES)
        self._edge_ns = start_ns - start_ns % EDGE_NS + EDGE_NS
        self._skip = 0

    def step(self, until_ns: int) -> Iterator[Frame]:
        while self._edge_ns <= until_ns:
            yield from self._run(self._edge_ns)
            for feed in self.feeds:
                yield from feed.edge(self._edge_ns)
            if self._skip and self._edge_ns % _WHOLE_NS == 0:
                self.market.skip_updates(self._skip)
                self._skip = 0
            self._edge_ns += EDGE_NS
        yield from self._run(until_ns)

    def skip_updates(self, count: int) -> None:
        """Leave out update ids at the next whole second: no venue has a batch open then that would hide the jump."""
        self._skip += count

    def _run(self, until_ns: int) -> Iterator[Frame]:
        for event in self.market.advance(until_ns):
            if isinstance(event, Print):
                self.trades.append(event)
            for feed in self.feeds:
                yield from feed.event(event)
