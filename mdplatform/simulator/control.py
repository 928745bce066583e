"""The simulator's own paths: ground truth, faults on request, status. All are plain GETs that answer JSON.

/_sim/status                                what runs, with the addresses of the venues
/_sim/truth?symbol=BTCUSDT                  [&venue=] [&update_id= | &time_ns=]   one record of `ground_truth`; the
                                            symbol is the venue's, its key (linear/BTCUSDT) or canonical (BTC-USDT-PERP)
/_sim/fault?script=cut venue=binance        or one fault as parameters: /_sim/fault?fault=drop&venue=binance&count=3;
                                            events too: /_sim/fault?script=jump BTC 0.8%25
/_sim/faults                                pending and past faults
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.faults.scheduler import FaultScheduler
from mdplatform.simulator.protocol.exchange import Exchange
from mdplatform.simulator.protocol.rest import Answer, answer
from mdplatform.simulator.world import World


class Control:
    """Answers the control paths. ``about``: what the server itself adds to the status."""

    def __init__(self, world: World, faults: FaultScheduler, about: Callable[[int], dict[str, Any]]) -> None:
        self._world, self._faults, self._about = world, faults, about

    def respond(self, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
        """Answer a call: 400 with one line for a bad parameter, 404 for what does not exist."""
        try:
            match path.removeprefix("/_sim").strip("/"):
                case "" | "status":
                    return answer(self._status(now_ns))
                case "truth":
                    return self._truth(query)
                case "fault":
                    return answer({"scheduled": self._faults.schedule(_script(query), now_ns)})
                case "faults":
                    return answer({"pending": self._faults.pending(), "done": self._faults.done})
        except (ConfigError, ValueError) as error:
            return answer({"error": str(error)}, 400)
        return answer({"error": f"no control path {path}; there are status, truth, fault and faults"}, 404)

    def _truth(self, query: Mapping[str, str]) -> Answer:
        symbol = query.get("symbol", "")
        truth = self._world.truth(symbol, query.get("venue"))
        if truth is None:
            known = ", ".join(f"{engine} {key}" for engine, markets in self._world.markets.items() for key in markets)
            return answer({"error": f"no symbol {symbol!r}; there are {known}"}, 404)
        which = {name: int(query[name]) for name in ("update_id", "time_ns") if name in query}
        record = truth.at(**which)
        return answer({"error": f"no record of {which} is kept"}, 404) if record is None else answer(record)

    def _status(self, now_ns: int) -> dict[str, Any]:
        world = self._world
        markets = {
            engine: {
                "listed": len(markets),
                "open": len(markets.open),
                "awake": sum(runner.awake(now_ns) for runner in markets.open),
            }
            for engine, markets in world.markets.items()
        }
        venues = {venue: _venue(exchange) for venue, exchange in world.exchanges.items()}
        return {**self._about(now_ns), "markets": markets, "venues": venues}


def _script(query: Mapping[str, str]) -> str:
    return query.get("script") or " ".join(f"{name}={value}" for name, value in query.items())


def _venue(exchange: Exchange) -> dict[str, Any]:
    connections = [
        {"number": peer.number, "topics": len(peer.topics), "sent": peer.sent, "queued": len(peer.outbox)}
        for peer in exchange.peers
    ]
    return {"symbols": list(exchange.markets), "connections": connections, "answers": exchange.answers}
