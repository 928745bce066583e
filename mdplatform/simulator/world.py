"""The whole simulated world: every market, every venue, one clock given from outside. No sockets here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from mdplatform.core.symbols import Kind
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.drift import Drift, Premium
from mdplatform.simulator.exchange import Exchange
from mdplatform.simulator.expiries import expires_ms
from mdplatform.simulator.feed import Feed, Frame
from mdplatform.simulator.floors import WARM_UP_NS, Floor, Floors
from mdplatform.simulator.market import Market
from mdplatform.simulator.pit import Pit
from mdplatform.simulator.pits import of_venues
from mdplatform.simulator.profiles import Instrument, assets_of
from mdplatform.simulator.truth import Truth


class World:
    """Exchanges of a configuration from `start_ns` on; their markets open when they are asked for."""

    def __init__(self, config: SimulatorConfig, start_ns: int, ledger: BinaryIO | None = None) -> None:
        self.now_ns = start_ns
        self.exchanges: dict[str, Exchange] = {}
        self.truths: dict[tuple[str, str], Truth] = {}  # of the markets that are open, by pit and key
        self.floors: dict[str, Floors] = {}  # by pit
        self._config = config
        self._ledger = ledger
        begin_ns = start_ns - WARM_UP_NS
        assets = assets_of(config.symbols, config.synthetic)
        self.drifts = {
            base: Drift(f"{config.seed}/{base}", asset.sigma * config.volatility, begin_ns)
            for base, asset in assets.items()
        }
        self._premiums = {base: Premium(f"{config.seed}/{base}", begin_ns) for base in assets}
        for pit in of_venues(config.venues):
            self._open(pit, {one.key: one for asset in assets.values() for one in pit.lists(asset, start_ns)})
        self._expiries = sorted(  # the next one last
            (
                (expires_ms(one.expiry) * 1_000_000, name, key)
                for name, floors in self.floors.items()
                for key, one in floors.instruments.items()
                if one.expiry is not None
            ),
            reverse=True,
        )

    def step(self, until_ns: int) -> Iterator[Frame]:
        self.now_ns = until_ns
        while self._expiries and self._expiries[-1][0] <= until_ns:
            _, pit, key = self._expiries.pop()
            self.floors[pit].delist(key)
        for floors in self.floors.values():
            yield from floors.step(until_ns)

    def truth(self, symbol: str, venue: str | None = None) -> Truth | None:
        """By the venue's symbol, its key or the canonical one; that of the first venue to have it, if none is named."""
        for pit, floors in self.floors.items():
            if venue in (None, pit) or (venue in self.exchanges and self.exchanges[venue].floors is floors):
                for key, instrument in floors.instruments.items():
                    if symbol in (key, instrument.symbol, instrument.canonical):
                        _ = floors[key]  # opens it
                        return self.truths.get((pit, key))
        return None

    def _open(self, pit: Pit, instruments: dict[str, Instrument]) -> None:
        """Open the pit's doors; its floors get their publishers as they are built."""
        doors: list[tuple[Exchange, type[Feed]]] = []

        def build(instrument: Instrument) -> Floor:
            floor = self._floor(pit, instrument)
            floor.feeds += [feed_type(floor.market, exchange.topics) for exchange, feed_type in doors]
            for feed in floor.feeds:
                feed.batch_ns = int(self._config.batch_s * 1e9)
            return floor

        floors = self.floors[pit.name] = Floors(instruments, build, lambda: self.now_ns)
        for exchange_type, feed_type in pit.doors:
            exchange = exchange_type(floors, self._config)
            self.exchanges[exchange.venue] = exchange
            doors.append((exchange, feed_type))

    def _floor(self, pit: Pit, instrument: Instrument) -> Floor:
        """A market that has run for a while, with its truth."""
        config, base = self._config, instrument.base
        begin_ns = self.now_ns - WARM_UP_NS
        market = Market(
            f"{config.seed}/{pit.name}/{instrument.key}",
            instrument,
            self.drifts[base],
            begin_ns,
            rate=config.rates.get(pit.name, config.rate),
            levels=config.depths.get(pit.name, config.levels),
            bursts=config.bursts,
            premium=None if instrument.kind == Kind.SPOT else self._premiums[base],
        )
        floor = Floor(market, begin_ns, int(config.batch_s * 1e9))
        floor.catch_up(self.now_ns)
        if not config.truth:
            return floor
        truth = Truth(pit.name, market, pit.publish_ns, self._ledger)
        self.truths[pit.name, instrument.key] = truth
        floor.feeds.append(truth)
        return floor
