"""The simulator's own paths: ground truth, faults on request, status. All are plain GETs that answer JSON.

/_sim/status                                what runs, with the addresses of the venues
/_sim/truth?symbol=BTCUSDT                  [&venue=] [&update_id= | &time_ns=]   one record of `truth`; the symbol is
                                            the venue's, its key (linear/BTCUSDT) or canonical (BTC-USDT-PERP)
/_sim/fault?script=cut venue=binance        or one fault as parameters: /_sim/fault?fault=drop&venue=binance&count=3;
                                            events too: /_sim/fault?script=jump BTC 0.8%25
/_sim/faults                                pending and past faults
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from mdplatform.core.errors import ConfigError
from mdplatform.simulator.exchange import Answer, Exchange

if TYPE_CHECKING:
    from mdplatform.simulator.server import Simulator

Ledger = BinaryIO


def respond(simulator: Simulator, path: str, query: Mapping[str, str], now_ns: int) -> Answer:
    """Answer a control call; 400 with one line for what cannot be, 404 for what is not there."""
    try:
        match path.removeprefix("/_sim").strip("/"):
            case "" | "status":
                return _json(_status(simulator, now_ns))
            case "truth":
                return _truth(simulator, query)
            case "fault":
                faults = simulator.faults.order(_script(query), now_ns)
                return _json({"ordered": faults})
            case "faults":
                return _json({"pending": simulator.faults.pending(), "done": simulator.faults.done})
    except (ConfigError, ValueError) as error:
        return _json({"error": str(error)}, 400)
    return _json({"error": f"no control path {path}; there are status, truth, fault and faults"}, 404)


def _script(query: Mapping[str, str]) -> str:
    if "script" in query:
        return query["script"]
    return " ".join(f"{name}={value}" for name, value in query.items())


def _truth(simulator: Simulator, query: Mapping[str, str]) -> Answer:
    symbol, venue = query.get("symbol", ""), query.get("venue")
    truth = simulator.world.truth(symbol, venue)
    if truth is None:
        known = ", ".join(f"{pit} {key}" for pit, floors in simulator.world.floors.items() for key in floors)
        return _json({"error": f"no symbol {symbol!r}; there are {known}"}, 404)
    asked = {name: int(query[name]) for name in ("update_id", "time_ns") if name in query}
    record = truth.at(**asked)
    return _json({"error": f"no record of {asked} is kept"}, 404) if record is None else _json(record)


def _status(simulator: Simulator, now_ns: int) -> dict[str, Any]:
    return {
        "uptime_s": (now_ns - simulator.started_ns) / 1e9,
        "seed": simulator.config.seed,
        "rate": simulator.config.rate,
        "urls": simulator.urls(),
        "busy": simulator.busy,
        "markets": {
            pit: {
                "listed": len(floors),
                "open": len(floors.open),
                "awake": sum(floor.awake(now_ns) for floor in floors.open),
            }
            for pit, floors in simulator.world.floors.items()
        },
        "venues": {venue: _venue(exchange) for venue, exchange in simulator.world.exchanges.items()},
    }


def _venue(exchange: Exchange) -> dict[str, Any]:
    connections = [
        {"number": peer.number, "topics": len(peer.topics), "sent": peer.sent, "queued": len(peer.outbox)}
        for peer in exchange.peers
    ]
    return {"symbols": list(exchange.floors), "connections": connections, "answers": exchange.answers}


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value))
