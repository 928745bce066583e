"""Binance futures: the connections of USD-M and COIN-M. What differs stands in their own files.

https://developers.binance.com/docs/derivatives
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import ClassVar
from urllib.parse import unquote

import msgspec

from mdplatform.core.symbols import Kind
from mdplatform.simulator.binance_calls import too_many
from mdplatform.simulator.binance_futures_rest import FuturesCalls
from mdplatform.simulator.binance_streams import MANNERS, StreamsExchange
from mdplatform.simulator.budget import Window
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.exchange import Answer, Peer
from mdplatform.simulator.expiries import quarters
from mdplatform.simulator.floors import Floors
from mdplatform.simulator.profiles import Instrument

_PUBLIC = ("depth", "bookTicker", "trade", "rpiDepth")  # what /public carries; /market has everything else
_UNHEARD = "?unheard"  # marks a stream that was asked for on the path that does not carry it
_WEIGHT_LIMIT = 2_400
_DATED = ("BTC", "ETH")  # assets with a quarterly contract

_MANNERS = replace(MANNERS, ping_every=180.0, pong_within=600.0, messages=(10.0, 10.0))


class FuturesExchange(StreamsExchange):
    """Connections: raw streams at /ws, combined ones at /stream, behind the path of a class where there is one."""

    default_manners = _MANNERS
    lists = ("/exchangeInfo",)
    calls: ClassVar[type[FuturesCalls]]
    classes: ClassVar[tuple[str, ...]] = ()  # the first one is also what the bare paths carry

    def __init__(self, floors: Floors, config: SimulatorConfig) -> None:
        super().__init__(floors, config)
        self._calls = self.calls(floors, Window(min(config.weight_limit, _WEIGHT_LIMIT), config.weight_window_s))

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
        return stream if peer.notes.get("class", "") in ("", carried) else stream + _UNHEARD

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        return self._calls.respond(path, query, now_ns)

    def subscribe_all(self, peer: Peer) -> Iterable[bytes]:
        peer.combined = True
        channels = ("depth@100ms", "aggTrade", "forceOrder", "markPrice@1s")
        names = [f"{symbol.lower()}@{channel}" for symbol in self.floors for channel in channels]
        return [msgspec.json.encode({"method": "SUBSCRIBE", "params": names, "id": 1})]

    def snapshots_asked(self) -> Iterable[tuple[str, dict[str, str]]]:
        return [(f"{self.calls.prefix}depth", {"symbol": symbol, "limit": "1000"}) for symbol in self.floors]

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
