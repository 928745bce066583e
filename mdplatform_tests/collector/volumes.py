"""What was traded at each price, as published and as it really was: equal where nothing is lost and nothing doubled."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from mdplatform.core.clock import MS
from mdplatform.simulator.engine.market_runner import MarketRunner
from mdplatform.simulator.server import Simulator
from mdplatform_tests.collector.rig import Row

Volume = dict[
    tuple[Decimal, str], Decimal
]  # (price, taker's side) -> size; orders that a venue joins are joined here too


def published(rows: list[Row]) -> Volume:
    """Of the messages of a topic of trades."""
    prints = ((row["ts"], row["price"], row["side"], row.get("raw_size") or row["qty"]) for row in rows)
    return _volume(prints, *_span(rows))


def traded(simulator: Simulator, venue: str, symbol: str, rows: list[Row]) -> Volume:
    """The truth of the time of these messages."""
    floor = runner_of(simulator, venue, symbol)
    price, size = floor.market.instrument.price.text, floor.market.instrument.size.text
    prints = ((t.ns // MS, price(t.tick), "buy" if t.taker_buys else "sell", size(t.lots)) for t in floor.trades)
    return _volume(prints, *_span(rows))


def runner_of(simulator: Simulator, venue: str, symbol: str) -> MarketRunner:
    """The simulated market of a canonical symbol."""
    floors = simulator.world.exchanges[venue].markets
    return floors[next(key for key, one in floors.instruments.items() if one.canonical == symbol)]


def _span(rows: list[Row]) -> tuple[int, int]:
    """Between the first and the last that the socket brought, in ms."""
    times = [row["ts"] for row in rows if row["provenance"] == "live"]
    return times[0], times[-1]


def _volume(prints: Iterable[tuple[int, object, str, object]], from_ms: int, to_ms: int) -> Volume:
    """Both ends left out: what begins or ends there may have been joined with what is outside."""
    out: dict[tuple[Decimal, str], Decimal] = {}
    for at_ms, price, side, size in prints:
        if from_ms < at_ms < to_ms:
            key = Decimal(str(price)), side
            out[key] = out.get(key, Decimal()) + Decimal(str(size))
    return out
