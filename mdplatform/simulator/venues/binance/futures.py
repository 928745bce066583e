"""Binance futures: the connections of USD-M and COIN-M, and what each of the two lists.

https://developers.binance.com/docs/derivatives
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar
from urllib.parse import unquote

from mdplatform.core.symbols import Kind
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.engine.instruments import Asset, Instrument, Lattice, quarters
from mdplatform.simulator.engine.market_runner import Markets
from mdplatform.simulator.protocol.exchange import MatchingEngine
from mdplatform.simulator.protocol.limits import Window
from mdplatform.simulator.protocol.peer import Peer
from mdplatform.simulator.protocol.rest import Answer
from mdplatform.simulator.venues.binance.futures_feed import PUBLISH_NS, FuturesFeed
from mdplatform.simulator.venues.binance.futures_rest import CoinmCalls, FuturesCalls, UsdmCalls
from mdplatform.simulator.venues.binance.rest import too_many
from mdplatform.simulator.venues.binance.streams import LIMITS, StreamsExchange

USDM, COINM = "binance-usdm", "binance-coinm"
_PUBLIC = ("depth", "bookTicker", "trade", "rpiDepth")  # what /public carries; /market has everything else
_NOT_CARRIED = "?not-carried"  # marks a stream that was requested on a path that does not carry it
_WEIGHT_LIMIT = 2_400
_DATED = ("BTC", "ETH")  # assets with a quarterly contract

_LIMITS = replace(LIMITS, ping_every_s=180.0, pong_within_s=600.0, messages=(10.0, 10.0))


class FuturesExchange(StreamsExchange):
    """Connections: raw streams at /ws, combined ones at /stream, behind the path of a class where there is one."""

    default_limits = _LIMITS
    lists = ("/exchangeInfo",)
    calls: ClassVar[type[FuturesCalls]]
    classes: ClassVar[tuple[str, ...]] = ()  # the first one is also what the bare paths carry

    def __init__(self, markets: Markets, config: SimulatorConfig) -> None:
        super().__init__(markets, config)
        self._calls = self.calls(markets, Window(min(config.weight_limit, _WEIGHT_LIMIT), config.weight_window_s))

    def accepts(self, path: str) -> bool:
        _, rest = self._split(path)
        return rest in ("/ws", "/stream") or rest.startswith("/ws/")

    def opened(self, peer: Peer, path: str, query: Mapping[str, str]) -> None:
        peer.notes["class"], rest = self._split(path)
        peer.combined = rest == "/stream"
        self.join_path(peer, query.get("streams", "") if peer.combined else unquote(rest.removeprefix("/ws")))

    def topic(self, peer: Peer, stream: str) -> str:
        """A stream of the other class is acknowledged, and nothing comes of it."""
        word = stream[1:] if stream.startswith("!") else stream.partition("@")[2]
        carried = "/public" if word.startswith(_PUBLIC) else "/market"
        return stream if peer.notes.get("class", "") in ("", carried) else stream + _NOT_CARRIED

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return self._calls.respond(path, query, now_ns)

    def too_many(self, retry_s: int) -> Answer:
        return too_many(retry_s)

    def _split(self, path: str) -> tuple[str, str]:
        """(class of streams, rest of the path); no class where the venue has none."""
        for name in self.classes:
            if path.startswith(f"{name}/"):
                return name, path.removeprefix(name)
        return next(iter(self.classes), ""), path


def dated(perpetual: Instrument, pair: str, start_ns: int) -> list[Instrument]:
    """The contract of the current quarter."""
    if perpetual.base not in _DATED:
        return []
    (day,) = quarters(start_ns, 1)
    return [replace(perpetual, symbol=f"{pair}_{day:%y%m%d}", kind=Kind.FUTURE, expiry=f"{day:%Y%m%d}")]


class UsdmExchange(FuturesExchange):
    """Streams of two classes on two paths."""

    venue = USDM
    calls = UsdmCalls
    classes = ("/public", "/market")


class UsdmFeed(FuturesFeed):
    venue = USDM


def _usdm_lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """Sizes are in base units."""
    tick = 1 if asset.name == "BTC" else asset.tick_decimals
    lot = min(3, asset.lot_decimals)
    price, size = Lattice(tick, max(2, tick)), Lattice(lot, lot)
    symbol = f"{asset.name}USDT"
    perpetual = Instrument(asset, symbol, "USDT", price, size, kind=Kind.PERPETUAL, settle="USDT")
    return [perpetual, *dated(perpetual, symbol, start_ns)]


class CoinmExchange(FuturesExchange):
    """Inverse contracts, all streams on one path."""

    venue = COINM
    calls = CoinmCalls


class CoinmFeed(FuturesFeed):
    venue = COINM


def _coinm_lists(asset: Asset, start_ns: int) -> list[Instrument]:
    """Sizes are contracts of a hundred dollars of BTC, ten of anything else."""
    tick = 1 if asset.name == "BTC" else asset.tick_decimals
    perpetual = Instrument(
        asset,
        f"{asset.name}USD_PERP",
        "USD",
        Lattice(tick, tick),
        Lattice(0, 0),
        kind=Kind.PERPETUAL,
        settle=asset.name,
        contract_size="100" if asset.name == "BTC" else "10",
        inverse=True,
    )
    return [perpetual, *dated(perpetual, f"{asset.name}USD", start_ns)]


ENGINES = (
    MatchingEngine(USDM, _usdm_lists, PUBLISH_NS, ((UsdmExchange, UsdmFeed),)),
    MatchingEngine(COINM, _coinm_lists, PUBLISH_NS, ((CoinmExchange, CoinmFeed),)),
)
