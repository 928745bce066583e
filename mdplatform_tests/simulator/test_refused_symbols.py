"""Symbols that a venue refuses in its own manner, among many: everything else is collected within seconds."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from mdplatform.bus.memory import MemoryBus
from mdplatform.collector import CollectorConfig, collect
from mdplatform.core.clock import SECOND
from mdplatform.core.events import FeedStatus
from mdplatform.core.settings import Settings
from mdplatform.core.symbols import Kind
from mdplatform.simulator.config import SimulatorConfig
from mdplatform.simulator.server import Simulator, serve
from mdplatform_tests.simulator.venue_time import VenueClock, run_in_venue_time

SYMBOLS = 52
WITHIN_S = 15.0  # of venue time
SILENT_S = 35.0  # until a channel that was acknowledged and stays silent is marked

_read_status = msgspec.json.Decoder(FeedStatus, strict=False).decode

REFUSED, SILENT = ("down", "refused"), ("down", "silent_channel")


class Statuses(MemoryBus):
    """Only statuses are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[FeedStatus] = []

    def publish(self, topic: str, key: bytes, value: bytes, received_ns: int) -> None:
        if topic == "md.feed.status":
            self.statuses.append(_read_status(value))


def refuse_from_now_on(sim: Simulator, venue: str, symbols: tuple[str, ...]) -> None:
    """The venue has listed them, and does not know them when the first connection comes."""
    exchange = sim.world.exchanges[venue]
    admit, floors = exchange.admit, exchange.markets

    def forgetful(now_ns: int) -> int:
        floors.instruments = {key: one for key, one in floors.instruments.items() if one.canonical not in symbols}
        return admit(now_ns)

    exchange.admit = forgetful  # type: ignore[method-assign]


async def collected(venue: str, kind: Kind) -> tuple[dict[str, dict[str, tuple[str, str]]], tuple[str, ...], set[str]]:
    """(state and cause by symbol and channel, the refused symbols, those whose book stood in time)."""
    clock = VenueClock(1_790_000_000 * SECOND)
    config = SimulatorConfig(symbols=(), synthetic=SYMBOLS, venues=(venue,), rate=0.5, levels=40, tick_s=0.05)
    async with await serve(config, clock) as sim:
        listed = sim.world.exchanges[venue].markets.instruments.values()
        symbols = tuple(dict.fromkeys(one.canonical for one in listed if one.kind is kind))[:SYMBOLS]
        bad = symbols[:1] + symbols[-1:]
        refuse_from_now_on(sim, venue, bad)
        bus, stop = Statuses(), asyncio.Event()
        urls = {"ws_url": sim.ws_url(venue), "rest_url": sim.rest_url(venue)}
        collecting = CollectorConfig(venue=venue, symbols=symbols, **urls)
        task = asyncio.create_task(collect(collecting, Settings(), bus, clock, stop))
        await asyncio.sleep(WITHIN_S)
        in_time = {status.symbol for status in bus.statuses if (status.channel, status.state) == ("book", "valid")}
        await asyncio.sleep(SILENT_S)
        found: dict[str, dict[str, tuple[str, str]]] = {}
        for status in bus.statuses:
            found.setdefault(status.symbol, {})[status.channel] = (status.state, status.cause)
        stop.set()
        await task
        return found, bad, in_time


@pytest.mark.parametrize(
    ("venue", "kind", "book"),
    [
        ("bitget", Kind.SPOT, REFUSED),
        ("bitget", Kind.PERPETUAL, REFUSED),
        ("gate", Kind.SPOT, SILENT),
        ("gate", Kind.PERPETUAL, SILENT),
        ("kraken", Kind.SPOT, REFUSED),
        ("kraken", Kind.PERPETUAL, REFUSED),
        ("kucoin", Kind.SPOT, SILENT),
        ("kucoin", Kind.PERPETUAL, SILENT),
    ],
)
def test_refused_symbols_cost_no_other(venue: str, kind: Kind, book: tuple[str, str]) -> None:
    found, bad, in_time = run_in_venue_time(collected(venue, kind))
    assert in_time == set(found) - set(bad)
    for symbol in bad:
        assert found[symbol].pop("book") == book
        prints = {state for channel, state in found[symbol].items() if channel != "liquidations"}
        assert prints == {REFUSED}
