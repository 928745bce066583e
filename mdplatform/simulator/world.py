"""The simulated world: every market and every venue, with one clock passed in from outside. No sockets here."""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from typing import BinaryIO, get_args

from mdplatform.core.symbols import Kind
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.feed import Feed, Frame
from mdplatform.simulator.engine.ground_truth import GroundTruth
from mdplatform.simulator.engine.instruments import Instrument, assets_of, expires_ms
from mdplatform.simulator.engine.market import Market
from mdplatform.simulator.engine.market_runner import WARM_UP_NS, MarketRunner, Markets
from mdplatform.simulator.engine.options import ASSETS as OPTIONED
from mdplatform.simulator.engine.prices import Drift, Premium
from mdplatform.simulator.faults.script import Fault, MarketEvent
from mdplatform.simulator.protocol.exchange import SECOND, Exchange, MatchingEngine
from mdplatform.simulator.venues.registry import of_venues

_OF_AN_OPTION = 0.02  # how much of the usual happens in the book of one


class World:
    """Exchanges of a configuration from `start_ns` on; their markets open at the first request."""

    def __init__(self, config: SimulatorConfig, start_ns: int, ledger: BinaryIO | None = None) -> None:
        self.now_ns = start_ns
        self.exchanges: dict[str, Exchange] = {}
        self.truths: dict[tuple[str, str], GroundTruth] = {}  # of the markets that are open, by engine and key
        self.markets: dict[str, Markets] = {}  # by engine
        self._config = config
        self._ledger = ledger
        begin_ns = start_ns - WARM_UP_NS
        assets = assets_of(config.symbols, config.synthetic)
        self.drifts = {
            base: Drift(f"{config.seed}/{base}", asset.sigma * config.volatility, begin_ns)
            for base, asset in assets.items()
        }
        self._premiums = {base: Premium(f"{config.seed}/{base}", begin_ns) for base in assets}
        for engine in of_venues(config.venues):
            listed = [one for asset in assets.values() for one in engine.offered(asset, start_ns)]
            if engine.options is not None and config.options:
                chained = [asset for asset in assets.values() if asset.name in OPTIONED]
                listed += [one for asset in chained for one in engine.options(asset, start_ns, config.options)]
            self._open(engine, {one.key: one for one in listed})
        self._expiries = sorted(  # the next one last
            (
                (expires_ms(one.expiry) * 1_000_000, name, key)
                for name, markets in self.markets.items()
                for key, one in markets.instruments.items()
                if one.expiry is not None
            ),
            reverse=True,
        )

    def step(self, until_ns: int) -> Iterator[Frame]:
        self.now_ns = until_ns
        while self._expiries and self._expiries[-1][0] <= until_ns:
            _, engine, key = self._expiries.pop()
            self.markets[engine].delist(key)
        for markets in self.markets.values():
            yield from markets.step(until_ns)

    def truth(self, symbol: str, venue: str | None = None) -> GroundTruth | None:
        """By the venue's symbol, its key or the canonical one; that of the first venue to have it, if none is named."""
        for engine, markets in self.markets.items():
            if venue in (None, engine) or (venue in self.exchanges and self.exchanges[venue].markets is markets):
                for key, instrument in markets.instruments.items():
                    if symbol in (key, instrument.symbol, instrument.canonical):
                        _ = markets[key]  # opens it
                        return self.truths.get((engine, key))
        return None

    def _open(self, engine: MatchingEngine, instruments: dict[str, Instrument]) -> None:
        """Open the engine's protocols; its markets get their publishers as they are built."""
        protocols: list[tuple[Exchange, type[Feed]]] = []

        def build(instrument: Instrument) -> MarketRunner:
            runner = self._runner(engine, instrument)
            runner.feeds += [feed_type(runner.market, exchange.topics) for exchange, feed_type in protocols]
            for feed in runner.feeds:
                feed.batch_ns = int(self._config.batch_s * 1e9)
            return runner

        markets = self.markets[engine.name] = Markets(instruments, build, lambda: self.now_ns)
        for exchange_type, feed_type in engine.protocols:
            exchange = exchange_type(markets, self._config)
            self.exchanges[exchange.venue] = exchange
            protocols.append((exchange, feed_type))

    def _runner(self, engine: MatchingEngine, instrument: Instrument) -> MarketRunner:
        """A market that has run for a while, with its truth."""
        config, base = self._config, instrument.base
        begin_ns = self.now_ns - WARM_UP_NS
        market = Market(
            f"{config.seed}/{engine.name}/{instrument.key}",
            instrument,
            self.drifts[base],
            begin_ns,
            rate=config.rates.get(engine.name, config.rate) * (_OF_AN_OPTION if instrument.kind == Kind.OPTION else 1),
            levels=config.depths.get(engine.name, config.levels),
            bursts=config.bursts,
            premium=None if instrument.kind in (Kind.SPOT, Kind.OPTION) else self._premiums[base],
        )
        runner = MarketRunner(market, begin_ns, int(config.batch_s * 1e9))
        runner.catch_up(self.now_ns)
        if not config.truth:
            return runner
        truth = GroundTruth(engine.name, market, engine.publish_ns, self._ledger)
        self.truths[engine.name, instrument.key] = truth
        runner.feeds.append(truth)
        return runner

    # --- faults

    @property
    def venues(self) -> KeysView[str]:
        return self.exchanges.keys()

    @property
    def assets(self) -> KeysView[str]:
        return self.drifts.keys()

    def apply(self, fault: Fault, now_ns: int) -> int:
        """Start a fault; how many things it concerns (a jump on every venue: one)."""
        if fault.action not in get_args(MarketEvent):
            concerned = (one for venue, one in self.exchanges.items() if fault.matches(venue))
            return sum(exchange.apply(fault, now_ns) for exchange in concerned)
        if fault.action == "jump" and fault.venue is None:
            self.drifts[fault.asset or ""].jump(_factor(fault), now_ns)
            return 1
        concerned_markets = [one for one in self._open_markets(fault) if _can_happen(fault, one)]
        for market in concerned_markets:
            _happen(fault, market, now_ns)
        return len(concerned_markets)

    def _open_markets(self, fault: Fault) -> list[Market]:
        """Those of the asset, on the venue and of the symbol where those are named."""
        searched = self.markets.values() if fault.venue is None else [self.exchanges[fault.venue].markets]
        return [
            runner.market
            for markets in searched
            for runner in markets.open
            if fault.asset in (None, runner.market.instrument.base)
            and fault.symbol in (None, runner.market.instrument.symbol)
        ]


def _factor(jump: Fault) -> float:
    return 1 + (jump.percent or 0.0) / 100


def _can_happen(fault: Fault, market: Market) -> bool:
    """Nobody is liquidated on spot."""
    return fault.action != "liquidate" or market.instrument.kind != Kind.SPOT


def _happen(event: Fault, market: Market, now_ns: int) -> None:
    buys = None if event.side is None else event.side == "buy"
    until_ns = now_ns + int((event.seconds or 0.0) * SECOND)
    match event.action:
        case "jump":
            market.move(_factor(event))
        case "liquidate":
            market.liquidate(event.n, buys)
        case "empty":
            market.withdraw(now_ns, until_ns)
        case "volume":
            market.surge(event.times or 1.0, buys, until_ns)
