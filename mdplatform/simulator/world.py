"""The whole simulated world: every market, every venue, one clock given from outside. No sockets here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from mdplatform.errors import ConfigError
from mdplatform.simulator import binance, coinbase, coinbase_advanced
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.drift import Drift
from mdplatform.simulator.exchange import Exchange
from mdplatform.simulator.feed import Feed, Floor, Frame
from mdplatform.simulator.market import Market
from mdplatform.simulator.profiles import ASSETS, Instrument, bases_of, binance_instrument, coinbase_instrument
from mdplatform.simulator.truth import Truth

_WARM_UP_NS = 20_000_000_000  # so that there are recent trades to ask for


class Pit(NamedTuple):
    """A matching engine: its name, what it lists, and how often its books are published."""

    name: str
    instrument: Callable[[str], Instrument]
    publish_ns: int
    doors: tuple[tuple[type[Exchange], type[Feed]], ...]  # the protocols through which it is reached


PITS = (
    Pit(
        "binance",
        binance_instrument,
        binance.PUBLISH_NS,
        ((binance.BinanceExchange, binance.BinanceFeed),),
    ),
    Pit(
        "coinbase",
        coinbase_instrument,
        coinbase.PUBLISH_NS,
        (
            (coinbase.CoinbaseExchange, coinbase.CoinbaseFeed),
            (coinbase_advanced.AdvancedExchange, coinbase_advanced.AdvancedFeed),
        ),
    ),
)


def pit_of(venue: str) -> Pit:
    """The pit that this venue is a door of; ConfigError for an unknown venue."""
    doors = {exchange.venue: pit for pit in PITS for exchange, _ in pit.doors}
    if venue not in doors:
        raise ConfigError(f"the simulator has no venue {venue!r}; it has {', '.join(doors)}")
    return doors[venue]


class World:
    """Markets and exchanges of a configuration, started at `start_ns`."""

    def __init__(
        self, config: SimulatorConfig, start_ns: int, ledger: BinaryIO | None = None, pits: tuple[Pit, ...] = PITS
    ) -> None:
        self.floors: list[Floor] = []
        self.exchanges: dict[str, Exchange] = {}
        self.truths: dict[tuple[str, str], Truth] = {}
        self._config = config
        self._ledger = ledger
        self._begin_ns = start_ns - _WARM_UP_NS
        bases = bases_of(config.symbols)
        drifts = {
            base: Drift(f"{config.seed}/{base}", ASSETS[base].sigma * config.volatility, self._begin_ns)
            for base in bases
        }
        for pit in pits:
            self._open(pit, {base: self._floor(pit, base, drifts[base], start_ns) for base in bases})

    def step(self, until_ns: int) -> Iterator[Frame]:
        for floor in self.floors:
            yield from floor.step(until_ns)

    def _floor(self, pit: Pit, base: str, drift: Drift, start_ns: int) -> Floor:
        config = self._config
        market = Market(
            f"{config.seed}/{pit.name}/{base}",
            pit.instrument(base),
            drift,
            self._begin_ns,
            rate=config.rate,
            levels=config.levels,
        )
        floor = Floor(market, self._begin_ns)
        for _ in floor.step(start_ns):
            pass
        self.floors.append(floor)
        return floor

    def _open(self, pit: Pit, floors: dict[str, Floor]) -> None:
        """Give the pit's floors their truth and its doors."""
        by_symbol = {floor.market.instrument.symbol: floor for floor in floors.values()}
        for symbol, floor in by_symbol.items():
            truth = Truth(pit.name, floor.market, pit.publish_ns, self._ledger)
            self.truths[pit.name, symbol] = truth
            floor.feeds.append(truth)
        for exchange_type, feed_type in pit.doors:
            exchange = exchange_type(by_symbol, self._config)
            self.exchanges[exchange.venue] = exchange
            for floor in by_symbol.values():
                floor.feeds.append(feed_type(floor.market, exchange.topics))
