"""Markets with their publishers, each opened at the first request and stepped while it is in use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from mdplatform.simulator.engine.events import Liquidation, Trade
from mdplatform.simulator.engine.feed import EDGE_NS, Feed, Frame
from mdplatform.simulator.engine.instruments import Instrument
from mdplatform.simulator.engine.market import Market

F = TypeVar("F", bound=Feed)
Levels = list[tuple[str, str]]  # price, size

WARM_UP_NS = 20_000_000_000  # so that there are recent trades to ask for
_LINGER_NS = 60_000_000_000  # so that trades missed between two connections are there
_WHOLE_NS = 1_000_000_000
_KEPT_TRADES = 5_000
_KEPT_LIQUIDATIONS = 200


class MarketRunner:
    """A market with everything that publishes it: steps the market from edge to edge and keeps its recent trades.

    It sleeps while nobody subscribes and nobody has requested anything of it lately. ``every_ns``: from edge to edge.
    """

    def __init__(self, market: Market, start_ns: int, every_ns: int = EDGE_NS) -> None:
        self.market = market
        self.feeds: list[Feed] = []
        self.trades: deque[Trade] = deque(maxlen=_KEPT_TRADES)
        self.liquidations: deque[Liquidation] = deque(maxlen=_KEPT_LIQUIDATIONS)
        self.listeners = 0  # topics of this market that somebody subscribes to
        self.halted = False  # it is not listed any more
        self.requested_ns = start_ns
        self._every_ns = self._usual_ns = every_ns
        self._slow_until_ns = 0
        self._edge_ns = start_ns - start_ns % every_ns + every_ns
        self._skip = 0

    def feed(self, kind: type[F]) -> F:
        """Its publisher of this kind."""
        return next(feed for feed in self.feeds if isinstance(feed, kind))

    def latest(self, count: int) -> list[Trade]:
        """So many recent trades, newest first."""
        return list(self.trades)[: -count - 1 : -1]

    def levels(self, count: int) -> tuple[Levels, Levels]:
        """The best levels of bids and asks, as (price, size) in the venue's text."""
        price, size = self.market.instrument.price.text, self.market.instrument.size.text
        bids, asks = (
            [(price(tick), size(lots)) for tick, lots in side.top(count)]
            for side in (self.market.bids, self.market.asks)
        )
        return bids, asks

    def step(self, until_ns: int) -> Iterator[Frame]:
        while self._edge_ns <= until_ns:
            yield from self._run(self._edge_ns)
            for feed in self.feeds:
                yield from feed.edge(self._edge_ns)
            if self._skip and self._edge_ns % _WHOLE_NS == 0:
                self.market.skip_updates(self._skip)
                self._skip = 0
            if self._slow_until_ns and self._edge_ns >= self._slow_until_ns:
                self._every_ns, self._slow_until_ns = self._usual_ns, 0
            self._edge_ns += self._every_ns
        yield from self._run(until_ns)

    def awake(self, now_ns: int) -> bool:
        return not self.halted and (self.listeners > 0 or now_ns < self.requested_ns + _LINGER_NS)

    def catch_up(self, now_ns: int) -> None:
        """Come to the present without publishing. What lies further back than the warm-up never happened."""
        from_ns = now_ns - WARM_UP_NS
        if self._edge_ns < from_ns:
            self._edge_ns = from_ns - from_ns % self._every_ns + self._every_ns
            self.market.resume(from_ns)
        for _ in self.step(now_ns):
            pass
        self.requested_ns = now_ns

    def skip_updates(self, count: int) -> None:
        """Leave out update ids at the next whole second: no venue has a batch open then that would hide the jump."""
        self._skip += count

    def slow_down(self, every_ns: int, until_ns: int) -> None:
        """What is published in batches is so only each ``every_ns`` until then."""
        self._every_ns, self._slow_until_ns = every_ns, until_ns
        self._edge_ns += -self._edge_ns % every_ns

    def _run(self, until_ns: int) -> Iterator[Frame]:
        for event in self.market.advance(until_ns):
            if isinstance(event, Trade):
                self.trades.append(event)
            elif isinstance(event, Liquidation):
                self.liquidations.append(event)
            for feed in self.feeds:
                yield from feed.event(event)


class Markets(Mapping[str, MarketRunner]):
    """The markets of an engine by `Instrument.key`. A request opens it, wakes it and brings it to the present.

    `instruments` is what can be requested: reading it opens nothing. What is denied is listed and cannot be requested.
    """

    def __init__(
        self, instruments: dict[str, Instrument], build: Callable[[Instrument], MarketRunner], now: Callable[[], int]
    ) -> None:
        self.instruments = instruments
        self._gone: dict[str, Instrument] = {}
        self._denied: dict[str, Instrument] = {}
        self._build = build
        self._now = now
        self._open: dict[str, MarketRunner] = {}

    def __getitem__(self, key: str) -> MarketRunner:
        runner = self._open.get(key)
        if runner is None:
            runner = self._open[key] = self._build(self.instruments[key])
        runner.catch_up(self._now())
        return runner

    def __contains__(self, key: object) -> bool:
        return key in self.instruments

    def __iter__(self) -> Iterator[str]:
        return iter(self.instruments)

    def __len__(self) -> int:
        return len(self.instruments)

    def listed(self, section: str) -> list[Instrument]:
        return [one for one in self.instruments.values() if one.section == section]

    def named(self, symbol: str | None) -> list[str]:
        """The keys of all that bear this symbol of the venue, listed or not; with None every key."""
        known = {**self.instruments, **self._gone, **self._denied}
        return [key for key, one in known.items() if symbol in (None, one.symbol, key, one.canonical)]

    def delist(self, key: str) -> bool:
        """It is not listed any more and publishes nothing; whether it was listed."""
        instrument = self.instruments.pop(key, None) or self._denied.pop(key, None)
        if instrument is None:
            return False
        self._gone[key] = instrument
        if key in self._open:
            self._open[key].halted = True
        return True

    def deny(self, key: str) -> bool:
        """It is listed, and requests for it are refused; its subscribers keep it."""
        instrument = self.instruments.pop(key, None)
        if instrument is not None:
            self._denied[key] = instrument
        return instrument is not None

    def restore(self, key: str) -> bool:
        """It is listed and can be requested; whether that is new."""
        instrument = self._gone.pop(key, None) or self._denied.pop(key, None)
        if instrument is None:
            return False
        self.instruments[key] = instrument
        if key in self._open and self._open[key].halted:
            self._open[key].catch_up(self._now())
            self._open[key].halted = False
        return True

    @contextmanager
    def as_listed(self) -> Iterator[None]:
        """Within it `instruments` holds what is denied as well: it is in the venue's lists."""
        self.instruments.update(self._denied)
        try:
            yield
        finally:
            for key in self._denied:
                del self.instruments[key]

    @property
    def open(self) -> list[MarketRunner]:
        """Those that were ever requested."""
        return list(self._open.values())

    def step(self, until_ns: int) -> Iterator[Frame]:
        for runner in self.open:
            if runner.awake(until_ns):
                yield from runner.step(until_ns)
